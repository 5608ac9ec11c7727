using System.Runtime.CompilerServices;
using AiOptix.Kernels.Copy;
using AiOptix.Kernels.Loops;

namespace AiOptix.Kernels.Index;

/// <summary>
/// The contract of GatherND: data is dense [batches, extents…, run], indices are int64 [batches, count, depth], the result dense [batches, count, run]. Negative indices count from the end.
/// </summary>
/// <param name="Batches">Product of the batch axes.</param>
/// <param name="Extents">The axes that an index tuple points into.</param>
/// <param name="RunBytes">Bytes of what lies at a place.</param>
/// <param name="Count">Tuples of a batch.</param>
public sealed record TupleDescriptor(long Batches, long[] Extents, long RunBytes, long Count);

/// <summary>GatherND, made ready. Immutable.</summary>
public sealed unsafe class TuplePlan
{
    private readonly TupleDescriptor d;
    private readonly Split split;
    private readonly long places;

    /// <summary>Plans the operation.</summary>
    public TuplePlan(TupleDescriptor descriptor)
    {
        d = descriptor;
        places = d.Extents.Aggregate(1L, (p, e) => p * e);
        split = new Split(d.Batches * d.Count, d.Extents.Length + d.RunBytes / 4);
    }

    /// <summary>The specification.</summary>
    public string KernelName => d.RunBytes == sizeof(int) ? "gather_nd_u32_i64" : "gather_nd_bytes_i64";

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>False when an index was out of range: its entry is left alone.</summary>
    [MethodImpl(HotCode.Optimized)]
    public bool Run(byte* data, long* indices, byte* result, int firstTask, int endTask)
    {
        var good = true;
        var bytes = d.RunBytes;
        for (long n = split.Start(firstTask), end = split.Start(endTask); n < end; n++)
        {
            var at = Find(d.Extents, indices + n * d.Extents.Length);
            if (at < 0)
            {
                good = false;
                continue;
            }
            var from = data + (n / d.Count * places + at) * bytes;
            if (bytes == sizeof(int)) ((int*)result)[n] = *(int*)from;
            else CopyLoops.Bytes(from, result + n * bytes, bytes);
        }
        return good;
    }

    /// <summary>What is wrong with the indices, or null.</summary>
    public string? Fault(long* indices) => Fault(d.Extents, indices, d.Batches * d.Count);

    /// <summary>The place that a tuple of indices means, counted in slices; -1 when one is out of range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Find(long[] extents, long* tuple)
    {
        long at = 0;
        for (var a = 0; a < extents.Length; a++)
        {
            var i = tuple[a] < 0 ? tuple[a] + extents[a] : tuple[a];
            if ((ulong)i >= (ulong)extents[a]) return -1;
            at = at * extents[a] + i;
        }
        return at;
    }

    /// <summary>What is wrong with tuples of indices, or null.</summary>
    public static string? Fault(long[] extents, long* indices, long count)
    {
        for (long n = 0; n < count; n++, indices += extents.Length)
            if (Find(extents, indices) < 0)
                return $"index [{string.Join(",", new ReadOnlySpan<long>(indices, extents.Length).ToArray())}] is out of range for axes of extents [{string.Join(",", extents)}]";
        return null;
    }

    /// <summary>Makes the code ready that plans run.</summary>
    public static void Rehearse()
    {
        using var memory = new RehearsalMemory();
        foreach (var bytes in (int[])[sizeof(int), RehearsalMemory.Row])
            new TuplePlan(new(1, [1], bytes, 1)).Run(memory.Bytes(bytes), (long*)memory.Bytes(sizeof(long)), memory.Bytes(bytes), 0, 1);
    }
}
