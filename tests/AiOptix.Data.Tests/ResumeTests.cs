using AiOptix.Tensors;

namespace AiOptix.Data.Tests;

public class ResumeTests
{
    private static readonly DataLoaderOptions options = new() { BatchSize = 4, Shuffle = true, Seed = 5, Workers = 2 };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8)]
    public void AtEveryBatchTheSequenceGoesOn(int workers)
    {
        var expected = Epochs(new(Samples.Uneven(18), options), 3);
        Assert.Equal(15, expected.Count);
        for (var at = 0; at <= expected.Count; at++)
        {
            var state = StateAfter(new(Samples.Numbered(18), options with { Workers = 3 }), at);
            Assert.InRange(state.Length, 10, 400);
            using var resumed = new DataLoader(Samples.Uneven(18), options with { Workers = workers, Prefetch = 5 });
            resumed.LoadState(state);
            var rest = new List<string>();
            while (rest.Count < expected.Count - at) rest.AddRange(Samples.Read(resumed, expected.Count - at - rest.Count));
            Assert.Equal(expected[at..], rest);
        }
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 1)]
    public void AStreamGoesOn(int world, int rank)
    {
        static StreamDataset Data() => Datasets.Of(Enumerable.Range(0, 17).Select(i => Samples.Of(i)));
        var plain = new DataLoaderOptions { BatchSize = 3, Workers = 2, World = world, Rank = rank };
        var expected = Epochs(new(Data(), plain), 3);
        for (var at = 0; at <= expected.Count; at++)
        {
            using var resumed = new DataLoader(Data(), plain with { Workers = at % 4 });
            resumed.LoadState(StateAfter(new(Data(), plain), at));
            var rest = new List<string>();
            while (rest.Count < expected.Count - at) rest.AddRange(Samples.Read(resumed, expected.Count - at - rest.Count));
            Assert.Equal(expected[at..], rest);
        }
    }

    [Fact]
    public void AfterABreakAnEpochBeginsAnewUnlessItsStateIsLoaded()
    {
        using var loader = new DataLoader(Samples.Numbered(18), options);
        var first = Samples.Read(loader, 2);
        var state = loader.SaveState();
        Assert.Equal(first, Samples.Read(loader, 2));
        loader.LoadState(state);
        Assert.StartsWith("0/2", Samples.Read(loader, 1)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void AStateOfOtherDataOrOptionsIsRefused()
    {
        var state = new DataLoader(Samples.Numbered(18), options).SaveState();
        var error = Assert.Throws<InvalidInputException>(() => new DataLoader(Samples.Numbered(19), options with { BatchSize = 5, Seed = 6 }).LoadState(state));
        foreach (var difference in new[] { "samples was 18, is 19", "batch_size was 4, is 5", "seed was 5, is 6" }) Assert.Contains(difference, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("shuffle", error.Message, StringComparison.Ordinal);
        using var arrays = Datasets.Arrays(new Dictionary<string, Tensor> { ["x"] = Tensor.Allocate(DType.Float32, new Shape(18)) });
        Assert.Contains("data was", Assert.Throws<InvalidInputException>(() => new DataLoader(arrays, options).LoadState(state)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{\"version\":2}")]
    [InlineData("{\"version\":\"1\"}")]
    public void ADamagedStateIsAnError(string state) => Assert.Throws<InvalidInputException>(() => new DataLoader(Samples.Numbered(1)).LoadState(state));

    [Fact]
    public void APositionBeforeTheBeginningIsRefused()
    {
        var state = new DataLoader(Samples.Numbered(18), options).SaveState();
        Assert.Throws<InvalidInputException>(() => new DataLoader(Samples.Numbered(18), options).LoadState(state.Replace("\"batch\":0", "\"batch\":-1", StringComparison.Ordinal)));
    }

    private static List<string> Epochs(DataLoader loader, int epochs) => [.. Enumerable.Range(0, epochs).SelectMany(_ => Samples.Read(loader))];

    private static string StateAfter(DataLoader loader, int batches)
    {
        using (loader)
        {
            for (var left = batches; left > 0;) left -= Samples.Read(loader, left).Count;
            return loader.SaveState();
        }
    }
}
