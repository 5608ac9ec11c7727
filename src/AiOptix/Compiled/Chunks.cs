using AiOptix.Kernels.Checksums;
using AiOptix.Tensors;

namespace AiOptix.Compiled;

/// <summary>Checksums over stretches of one size, so that threads can share the work.</summary>
internal static class Chunks
{
    /// <summary>Bytes of a stretch; the last one may be shorter.</summary>
    public const int Bytes = 4 << 20;

    /// <summary>How many there are.</summary>
    public static long Count(long length) => (length + Bytes - 1) / Bytes;

    /// <summary>The checksum of one.</summary>
    public static ulong Sum(MemoryBlock block, long offset, long length, long chunk) =>
        LongChecksum.Of(block.Slice(offset + chunk * Bytes, (int)Math.Min(Bytes, length - chunk * Bytes)));

    /// <summary>The checksums of all.</summary>
    public static ulong[] Sums(MemoryBlock block, long offset, long length)
    {
        var sums = new ulong[Count(length)];
        for (var i = 0; i < sums.Length; i++) sums[i] = Sum(block, offset, length, i);
        GC.KeepAlive(block);
        return sums;
    }
}
