using System.Runtime.CompilerServices;
using AiOptix.Tensors;

namespace AiOptix.Data.Tests;

[Collection("life")]
public class LifeTests
{
    private static readonly DataLoaderOptions options = new() { BatchSize = 8, Workers = 4, Prefetch = 3 };

    [Fact]
    public void ABatchThatIsKeptStaysWhatItIs()
    {
        using var loader = new DataLoader(Samples.Numbered(400), options);
        var kept = new List<(Batch Batch, string Text)>();
        for (var epoch = 0; epoch < 5; epoch++)
            foreach (var batch in loader)
            {
                if ((batch.Number + epoch) % 5 == 0) kept.Add((batch, Samples.Text(batch)));
                else batch.Dispose();
            }
        Assert.Equal(50, kept.Count);
        Assert.All(kept, k => Assert.Equal(k.Text, Samples.Text(k.Batch)));
        loader.Dispose();
        Assert.All(kept, k => Assert.Equal(k.Text, Samples.Text(k.Batch)));
    }

    [Fact]
    public unsafe void MemoryIsAlignedAndUsedAgain()
    {
        var seen = new HashSet<nint>();
        foreach (var batch in new DataLoader(Samples.Numbered(800), options))
            using (batch)
            {
                Assert.Equal(0, batch["x"].Pointer - (byte*)null & 63);
                seen.Add((nint)batch["x"].Pointer);
            }
        Assert.InRange(seen.Count, 1, options.Prefetch + 2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void WhatIsReadAheadIsBoundedWhateverTheWorkers(int workers)
    {
        long begun = 0, most = 0, taken = 0;
        var data = Datasets.Function(400, (i, _) =>
        {
            var ahead = Interlocked.Increment(ref begun) - Interlocked.Read(ref taken);
            InterlockedMax(ref most, ahead);
            return Samples.Of(i);
        });
        foreach (var batch in new DataLoader(data, new() { BatchSize = 4, Workers = workers, Prefetch = 2 }))
            using (batch)
            {
                Interlocked.Add(ref taken, 4);
                Thread.Sleep(1);
            }
        // Two batches ahead, the one in hand, and the first sample, which is read once more for its fields.
        Assert.InRange(most, 4, 3 * 4 + 1);
    }

    [Fact]
    public void MemoryOfManyKeptBatchesIsNotHoarded()
    {
        using var data = Datasets.Function(64, (i, context) => new(["x"], [context.Rent(DType.UInt8, new Shape(1 << 20))]));
        using var loader = new DataLoader(data, new() { BatchSize = 1, Workers = 2, Prefetch = 2 });
        var before = MemoryBlock.OwnedBytes;
        var kept = loader.ToList();
        Assert.InRange(MemoryBlock.OwnedBytes - before, 64L << 20, 90L << 20);
        foreach (var batch in kept) batch.Dispose();
        Assert.InRange(MemoryBlock.OwnedBytes - before, long.MinValue, 12L << 20);
    }

    [Fact]
    public void ABreakEndsTheThreads()
    {
        using var loader = new DataLoader(Samples.Uneven(10_000), options);
        foreach (var batch in loader)
        {
            batch.Dispose();
            break;
        }
        AssertGone();
    }

    [Fact]
    public void AnExceptionOfTheUserEndsTheThreads()
    {
        Assert.Throws<InvalidDataException>(() =>
        {
            foreach (var batch in new DataLoader(Samples.Uneven(10_000), options)) throw new InvalidDataException();
        });
        AssertGone();
    }

    [Fact]
    public void APassThatIsForgottenEnds()
    {
        Begin();
        AssertGone(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        });

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Begin()
        {
            var reader = new DataLoader(Samples.Uneven(10_000), options).GetEnumerator();
            Assert.True(reader.MoveNext());
            Assert.InRange(Running, 1, 4);
        }
    }

    [Fact]
    public void ThreadsAreGoneAtTheEndOfAnEpoch()
    {
        Assert.Equal(50, Samples.Read(new(Samples.Numbered(400), options)).Count);
        AssertGone();
    }

    [Fact]
    public void MemoryOfAPassThatWasBrokenOffComesBack()
    {
        var data = Datasets.Function(64, (i, context) => new(["x"], [context.Rent(DType.UInt8, new Shape(1 << 20))]));
        var before = MemoryBlock.OwnedBytes;
        for (var i = 0; i < 20; i++)
        {
            using var loader = new DataLoader(data, options);
            foreach (var batch in loader)
            {
                batch.Dispose();
                break;
            }
        }
        Assert.InRange(MemoryBlock.OwnedBytes - before, long.MinValue, 4 << 20);
    }

    private static void AssertGone(Action? meanwhile = null)
    {
        for (var i = 0; i < 500 && Running > 0; i++)
        {
            meanwhile?.Invoke();
            Thread.Sleep(10);
        }
        Assert.Equal(0, Running);
    }

    private static int Running => RunningThreads.Count("optix-loader");

    private static void InterlockedMax(ref long target, long value)
    {
        for (var seen = Interlocked.Read(ref target); value > seen;)
        {
            var found = Interlocked.CompareExchange(ref target, value, seen);
            if (found == seen) return;
            seen = found;
        }
    }
}

[CollectionDefinition("life", DisableParallelization = true)]
public class LifeDefinition;

/// <summary>Threads by name, as the system lists them.</summary>
internal static class RunningThreads
{
    public static int Count(string name)
    {
        var count = 0;
        foreach (var task in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(task, "comm")).StartsWith(name, StringComparison.Ordinal)) count++;
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }
        return count;
    }
}
