namespace AiOptix.Runtime;

/// <summary>A buffer that has to exist from one step to another.</summary>
/// <param name="Bytes">Its size.</param>
/// <param name="First">The step that writes it first.</param>
/// <param name="Last">The step that reads it last.</param>
public readonly record struct BufferLife(long Bytes, int First, int Last);

/// <summary>Places buffers in one arena so that those alive at the same time do not overlap: largest first, each into the tightest gap that it fits.</summary>
public static class MemoryPlanner
{
    /// <summary>Alignment of every buffer, bytes.</summary>
    public const int Alignment = 64;

    /// <summary>Gives an offset for every buffer, and the size of the arena. A pure function.</summary>
    public static (long[] Offsets, long ArenaBytes) Plan(ReadOnlySpan<BufferLife> buffers)
    {
        var lives = buffers.ToArray();
        var offsets = new long[lives.Length];
        var placed = new List<int>(lives.Length);
        long arena = 0;
        foreach (var b in LargestFirst(lives))
        {
            var size = Align(lives[b].Bytes);
            long at = 0, best = -1, bestGap = long.MaxValue;
            foreach (var p in placed)
            {
                if (lives[p].First > lives[b].Last || lives[b].First > lives[p].Last) continue;
                var gap = offsets[p] - at;
                if (gap >= size && gap < bestGap) (best, bestGap) = (at, gap);
                at = Math.Max(at, offsets[p] + Align(lives[p].Bytes));
            }
            offsets[b] = best >= 0 ? best : at;
            arena = Math.Max(arena, offsets[b] + size);
            var rank = placed.Count;
            while (rank > 0 && offsets[placed[rank - 1]] > offsets[b]) rank--;
            placed.Insert(rank, b);
        }
        return (offsets, arena);
    }

    private static int[] LargestFirst(BufferLife[] lives)
    {
        var order = new int[lives.Length];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (a, b) =>
        {
            var bySize = lives[b].Bytes.CompareTo(lives[a].Bytes);
            var byStart = lives[a].First.CompareTo(lives[b].First);
            return bySize != 0 ? bySize : byStart != 0 ? byStart : a.CompareTo(b);
        });
        return order;
    }

    private static long Align(long bytes) => (Math.Max(bytes, 1) + Alignment - 1) / Alignment * Alignment;
}
