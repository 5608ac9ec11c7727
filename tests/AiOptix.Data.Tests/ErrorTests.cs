using AiOptix.Tensors;

namespace AiOptix.Data.Tests;

public class ErrorTests
{
    private static readonly int[] bad = [0, 3, 4, 11];

    private static IndexedDataset Data(int count = 12) => Datasets.Function(count, (i, _) => bad.Contains((int)i) ? throw new InvalidDataException($"number {i} is rotten") : Samples.Of(i));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8)]
    public void ASkipShortensItsOwnBatchAndShiftsNoOther(int workers)
    {
        using var loader = new DataLoader(Data(), new() { BatchSize = 3, OnError = SampleErrorPolicy.Skip, Workers = workers });
        Assert.Equal(["0/0: 1 2", "0/1: 5", "0/2: 6 7 8", "0/3: 9 10"], Samples.Read(loader));
        Assert.Equal(4, loader.ErrorCount);
        Assert.Equal(bad.Select(b => (long)b), loader.Errors.Select(e => e.Index));
        Assert.Equal("sample 3: number 3 is rotten", loader.Errors[1].ToString());
        Assert.IsType<InvalidDataException>(loader.Errors[1].Cause);
        Assert.Equal(["1/0: 1 2", "1/1: 5", "1/2: 6 7 8", "1/3: 9 10"], Samples.Read(loader));
        Assert.Equal(8, loader.ErrorCount);
    }

    [Fact]
    public void RanksStayInStepWhenSamplesAreSkipped()
    {
        var batches = Enumerable.Range(0, 3).Select(rank =>
            Samples.Read(new(Data(), new() { BatchSize = 2, OnError = SampleErrorPolicy.Skip, Rank = rank, World = 3, Workers = 2 }))).ToArray();
        Assert.Equal(["0/0: ", "0/1: 6 9"], batches[0]);
        Assert.Equal(["0/0: 1", "0/1: 7 10"], batches[1]);
        Assert.Equal(["0/0: 2 5", "0/1: 8"], batches[2]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void AReplacementIsTheNextSampleThatCanBeRead(int workers)
    {
        using var loader = new DataLoader(Data(), new() { BatchSize = 3, OnError = SampleErrorPolicy.Replace, Workers = workers });
        Assert.Equal(["0/0: 1 1 2", "0/1: 5 5 5", "0/2: 6 7 8", "0/3: 9 10 1"], Samples.Read(loader));
        Assert.Equal(new long?[] { 1, 5, 5, 1 }, loader.Errors.Select(e => e.Replacement));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void ARaiseEndsThePassAtItsBatchAndCanBeResumedThere(int workers)
    {
        using var loader = new DataLoader(Data(8), new() { BatchSize = 2, Workers = workers, Rank = 1, World = 2 });
        var read = new List<string>();
        var error = Assert.Throws<SampleException>(() =>
        {
            foreach (var batch in loader)
                using (batch) read.Add(Samples.Text(batch));
        });
        Assert.Empty(read);
        Assert.Equal(3, error.Error.Index);
        Assert.Equal("sample 3 cannot be read: sample 3: number 3 is rotten", error.Message);
        Assert.IsType<InvalidDataException>(error.InnerException);
        Assert.Contains("\"batch\":0", loader.SaveState(), StringComparison.Ordinal);
    }

    [Fact]
    public void OfSeveralErrorsOfABatchTheFirstIsRaised()
    {
        var data = Datasets.Function(12, (i, _) =>
        {
            if (i == 3) Thread.Sleep(2);
            return i is 3 or 4 or 11 ? throw new InvalidDataException("rotten") : Samples.Of(i);
        });
        for (var i = 0; i < 20; i++) Assert.Equal(3, Assert.Throws<SampleException>(() => Samples.Read(new(data, new() { BatchSize = 12, Workers = 8 }))).Error.Index);
    }

    [Theory]
    [InlineData(SampleErrorPolicy.Skip)]
    [InlineData(SampleErrorPolicy.Replace)]
    [InlineData(SampleErrorPolicy.Raise)]
    public void WhenNothingCanBeReadThatIsSaid(SampleErrorPolicy policy)
    {
        var data = Datasets.Function(3, (_, _) => throw new InvalidDataException("rotten"));
        using var loader = new DataLoader(data, new() { BatchSize = 2, OnError = policy, Workers = 2 });
        if (policy == SampleErrorPolicy.Skip) Assert.Equal(["0/0: -", "0/1: -"], Samples.Read(loader));
        else Assert.Throws<SampleException>(() => Samples.Read(loader));
    }

    [Fact]
    public void AWrongShapeOrTypeNamesWhatWasFoundAndExpected()
    {
        IndexedDataset Odd(Func<long, Tensor> make) => Datasets.Function(4, (i, _) => new(["x"], [make(i)]));
        string Message(IndexedDataset data) => Assert.Throws<SampleException>(() => Samples.Read(new(data, new() { BatchSize = 4, Workers = 2 }))).Message;
        Assert.Contains("'x' is int64[3], expected int64[2] as in sample 0", Message(Odd(i => i == 2 ? Tensor.Vector<long>(1, 2, 3) : Tensor.Vector<long>(1, 2))), StringComparison.Ordinal);
        Assert.Contains("sample 2", Message(Odd(i => i == 2 ? Tensor.Vector<int>(1, 2) : Tensor.Vector<long>(1, 2))), StringComparison.Ordinal);
        Assert.Contains("found the fields 'y', expected 'x'", Message(Datasets.Function(4, (i, _) => new([i == 3 ? "y" : "x"], [Tensor.Vector<long>(i)]))), StringComparison.Ordinal);
    }

    [Fact]
    public void SamplesOfDifferentShapesComeOneByOne()
    {
        var data = Datasets.Function(4, (i, _) => new(["x"], [Tensor.Allocate(DType.Float32, new Shape(i, 2))]));
        var shapes = new List<string>();
        foreach (var batch in new DataLoader(data, new() { BatchSize = null, Workers = 3 }))
            using (batch) shapes.Add($"{batch["x"].Shape}");
        Assert.Equal(["[0,2]", "[1,2]", "[2,2]", "[3,2]"], shapes);
    }

    public static TheoryData<DataLoaderOptions, string> BadOptions => new()
    {
        { new() { BatchSize = 0 }, "batch size 0" },
        { new() { Workers = -1 }, "-1 workers" },
        { new() { Prefetch = 0 }, "prefetch 0" },
        { new() { Rank = 2, World = 2 }, "rank 2 of 2" },
        { new() { Rank = -1, World = 2 }, "rank -1 of 2" },
        { new() { World = 0 }, "0 ranks" },
        { new() { OnError = (SampleErrorPolicy)9 }, "error policy 9" },
    };

    [Theory]
    [MemberData(nameof(BadOptions), DisableDiscoveryEnumeration = true)]
    public void BadOptionsFailAtConstruction(DataLoaderOptions options, string says) =>
        Assert.Contains(says, Assert.Throws<ArgumentException>(() => new DataLoader(Samples.Numbered(3), options)).Message, StringComparison.Ordinal);

    [Fact]
    public void AStreamIsNeitherShuffledNorReplaced()
    {
        var stream = Datasets.Of([]);
        Assert.Throws<ArgumentException>(() => new DataLoader(stream, new() { Shuffle = true }));
        Assert.Throws<ArgumentException>(() => new DataLoader(stream, new() { OnError = SampleErrorPolicy.Replace }));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void WhatAnEnumeratorThrowsGoesToTheUser(int workers)
    {
        static IEnumerable<Sample> Broken()
        {
            yield return Samples.Of(0);
            yield return Samples.Of(1);
            throw new InvalidOperationException("the tap is dry");
        }
        for (var prefetch = 1; prefetch < 20; prefetch++)
        {
            var read = new List<string>();
            var error = Assert.Throws<InvalidOperationException>(() =>
            {
                foreach (var batch in new DataLoader(Datasets.Of(Broken()), new() { Workers = workers, BatchSize = 1, Prefetch = prefetch }))
                    using (batch) read.Add(Samples.Text(batch));
            });
            Assert.Equal("the tap is dry", error.Message);
            Assert.Equal(["0/0: 0", "0/1: 1"], read);
        }
    }

    [Fact]
    public void ABatchWithinItsLimits()
    {
        var limits = new Limits { MaxTensorBytes = 100 };
        Assert.IsType<LimitExceededException>(Assert.Throws<SampleException>(() => Samples.Read(new(Samples.Numbered(20), new() { BatchSize = 20, Limits = limits }))).InnerException);
    }
}
