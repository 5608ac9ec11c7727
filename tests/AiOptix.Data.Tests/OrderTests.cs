using AiOptix.Tensors;

namespace AiOptix.Data.Tests;

public class OrderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(4096)]
    [InlineData(5000)]
    public void AShuffledEpochHoldsEverySampleOnce(int count)
    {
        var first = new Permutation(count, 1);
        var order = Enumerable.Range(0, count).Select(p => first[p]).ToArray();
        Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), order.Order());
        if (count < 100) return;
        var second = new Permutation(count, 2);
        Assert.InRange(order.Where((o, p) => o == second[p]).Count(), 0, count / 10);
        Assert.InRange(order.Where((o, p) => o == p).Count(), 0, count / 10);
    }

    [Fact]
    public void EveryPositionIsAsLikelyForEverySample()
    {
        const int n = 6, trials = 60_000;
        var seen = new int[n, n];
        for (var t = 0; t < trials; t++)
        {
            var p = new Permutation(n, SampleRandom.SeedOf(5, t, -1));
            for (var i = 0; i < n; i++) seen[i, p[i]]++;
        }
        // Ten thousand are expected; five standard deviations are 456.
        foreach (var count in seen) Assert.InRange(count, trials / n - 500, trials / n + 500);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void TheOrderDoesNotDependOnWorkers(int workers)
    {
        var options = new DataLoaderOptions { BatchSize = 4, Shuffle = true, Seed = 11, Prefetch = 3 };
        List<string> Epochs(DataLoader loader) => [.. Samples.Read(loader), .. Samples.Read(loader)];
        var expected = Epochs(new(Samples.Numbered(50), options with { Workers = 0 }));
        Assert.Equal(26, expected.Count);
        Assert.NotEqual(expected[0][4..], expected[13][4..]);
        Assert.Equal(expected, Epochs(new(Samples.Uneven(50), options with { Workers = workers })));
    }

    [Theory]
    [InlineData(1, ShardEnd.Pad)]
    [InlineData(2, ShardEnd.Pad)]
    [InlineData(4, ShardEnd.Pad)]
    [InlineData(1, ShardEnd.Drop)]
    [InlineData(2, ShardEnd.Drop)]
    [InlineData(4, ShardEnd.Drop)]
    public void RanksTakenInTurnReadWhatOneReads(int world, ShardEnd end)
    {
        foreach (var count in new[] { 0, 1, 3, 41, 48 })
            foreach (var stream in new[] { false, true })
            {
                var options = new DataLoaderOptions { BatchSize = 5, Shuffle = !stream, Seed = 3, World = world, ShardEnd = end, Workers = 2 };
                Dataset Data() => stream ? Datasets.Of(Enumerable.Range(0, count).Select(i => Samples.Of(i))) : Samples.Numbered(count);
                var alone = Indices(new(Data(), options with { World = 1 })).SelectMany(b => b).ToArray();
                var ranks = Enumerable.Range(0, world).Select(r => Indices(new(Data(), options with { Rank = r }))).ToArray();
                Assert.All(ranks, r => Assert.Equal(ranks[0].Count, r.Count));
                Assert.All(ranks, r => Assert.Equal(ranks[0].Select(b => b.Length), r.Select(b => b.Length)));
                var rows = ranks.Select(r => r.SelectMany(b => b).ToArray()).ToArray();
                var merged = Enumerable.Range(0, rows[0].Length * world).Select(p => rows[p % world][p / world]).ToArray();
                var whole = end == ShardEnd.Pad ? alone.Length : alone.Length / world * world;
                Assert.Equal(alone[..whole], merged[..whole]);
                Assert.Equal(end == ShardEnd.Pad ? (count + world - 1) / world * world : whole, merged.Length);
                Assert.All(merged[whole..], i => Assert.Contains(i, alone));
            }
    }

    [Fact]
    public void TheLastBatchIsLeftOutWhenAsked()
    {
        Assert.Equal(["0/0: 0 1 2", "0/1: 3 4 5", "0/2: 6"], Samples.Read(new(Samples.Numbered(7), new() { BatchSize = 3 })));
        Assert.Equal(["0/0: 0 1 2", "0/1: 3 4 5"], Samples.Read(new(Samples.Numbered(7), new() { BatchSize = 3, DropLast = true })));
        Assert.Equal(["0/0: 0 1 2", "0/1: 3 4 5"], Samples.Read(new(Datasets.Of(Enumerable.Range(0, 7).Select(i => Samples.Of(i))), new() { BatchSize = 3, DropLast = true })));
        Assert.Equal(2, new DataLoader(Samples.Numbered(7), new() { BatchSize = 3, DropLast = true }).Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void RandomTransformsDrawFromTheSamplesOwnSeed(int workers)
    {
        var draw = Transform.Of((sample, context) =>
        {
            var random = context.Random;
            using (sample) return new(["x"], [Tensor.Vector<ulong>(random.NextUInt64(), (ulong)context.Index)]);
        });
        Dictionary<ulong, ulong> Drawn(DataLoader loader)
        {
            var drawn = new Dictionary<ulong, ulong>();
            foreach (var batch in loader)
                using (batch)
                    for (var i = 0; i < batch.Count; i++) drawn[batch["x"].Span<ulong>()[2 * i + 1]] = batch["x"].Span<ulong>()[2 * i];
            return drawn;
        }
        var options = new DataLoaderOptions { BatchSize = 4, Seed = 2, Transforms = [draw], Workers = workers };
        using var loader = new DataLoader(Samples.Uneven(30), options);
        var first = Drawn(loader);
        Assert.Equal(30, first.Values.Distinct().Count());
        Assert.Equal(first, Drawn(new(Samples.Numbered(30), options with { Shuffle = true, BatchSize = 7, Workers = 2 })));
        Assert.Empty(first.Values.Intersect(Drawn(loader).Values));
        Assert.Empty(first.Values.Intersect(Drawn(new(Samples.Numbered(30), options with { Seed = 3 })).Values));
    }

    private static List<long[]> Indices(DataLoader loader)
    {
        var indices = new List<long[]>();
        foreach (var batch in loader)
            using (batch)
            {
                _ = Samples.Text(batch);
                indices.Add([.. batch.Indices]);
            }
        return indices;
    }
}
