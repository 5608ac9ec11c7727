using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests;

/// <summary>What is resident is counted for the whole process: nothing else runs meanwhile.</summary>
[CollectionDefinition("resident memory", DisableParallelization = true)]
public class ResidentMemory;

[Collection("resident memory")]
public unsafe class MemoryBlockTests
{
    [Theory]
    [InlineData(1)]
    [InlineData((1 << 20) - 1)]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 1)]
    [InlineData((2 << 20) - 1)]
    [InlineData(2 << 20)]
    [InlineData((2 << 20) + 1)]
    [InlineData((8 << 20) - 4095)]
    public void Memory_of_every_size_is_aligned_zeroed_when_asked_and_written_to_its_last_byte(int length)
    {
        for (var i = 0; i < 3; i++)
        {
            var block = MemoryBlock.Allocate(length, zeroed: true);
            Assert.Equal(0u, (nuint)block.Pointer % MemoryBlock.Alignment);
            var bytes = new Span<byte>(block.Pointer, length);
            Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)0));
            bytes.Fill(0xAB);
            block.LetGo();
        }
    }

    [SkippableFact]
    public void Large_blocks_go_back_to_the_system_from_whichever_thread_they_came()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc");
        const int threads = 8, length = 4 << 20;
        // What the tests before left is given back now, not while memory is counted.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var before = Resident();
        for (var round = 0; round < 4; round++)
        {
            var blocks = new MemoryBlock[threads];
            var makers = Enumerable.Range(0, threads).Select(i => new Thread(() =>
            {
                blocks[i] = MemoryBlock.Allocate(length);
                new Span<byte>(blocks[i].Pointer, length).Fill(1);
            })).ToArray();
            foreach (var maker in makers) maker.Start();
            foreach (var maker in makers) maker.Join();
            Assert.True(Resident() - before > threads / 2 * (long)length, "the blocks are not counted");
            foreach (var block in blocks) block.LetGo();
        }
        Assert.True(Resident() - before < threads / 2 * (long)length, $"{(Resident() - before) >> 20} MiB are still resident");
    }

    private static long Resident() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) * Environment.SystemPageSize;
}
