namespace AiOptix.Graphs.Tests;

/// <summary>The loops that stand in for the framework's queries, in every room (<c>src/Queries.cs</c>).</summary>
public class QueriesTests
{
    [Fact]
    public void SelectAnswersAtOnceAndInOrder()
    {
        var asked = new List<int>();
        long[] doubled = Queries.Select([3, 1, 2], i =>
        {
            asked.Add(i);
            return 2L * i;
        });
        Assert.Equal([3, 1, 2], asked);
        Assert.Equal([6, 2, 4], doubled);
        Assert.Empty(Queries.Select(Array.Empty<int>(), i => i));
    }

    [Fact]
    public void EachCountsFromZero() => Assert.Equal(["0", "1", "2"], Queries.Each(3, i => $"{i}"));

    [Fact]
    public void FirstIsTheFirstThatSuits()
    {
        Assert.Equal(4, Queries.First([1, 4, 6], i => i % 2 == 0));
        Assert.Throws<InvalidOperationException>(() => Queries.First([1, 3], i => i % 2 == 0));
    }

    [Fact]
    public void DistinctKeepsTheOrderOfFirstPlaces() => Assert.Equal([5, -1, 2], Queries.DistinctFew([5, -1, 5, 2, -1]));
}
