using System.Numerics;

namespace AiOptix.Data;

/// <summary>
/// A permutation of 0 to n − 1 that is computed, not stored: a Feistel network over the next even number of bits, walked until it lands inside (cycle walking; Black and Rogaway,
/// <i>Ciphers with Arbitrary Finite Domains</i>, 2002). Any position is found in constant time, whatever came before.
/// </summary>
internal sealed class Permutation
{
    private const int Rounds = 8;

    private readonly long count;
    private readonly int half;
    private readonly ulong mask;
    private readonly ulong[] keys = new ulong[Rounds];

    /// <param name="count">How many numbers.</param>
    /// <param name="key">Which permutation.</param>
    public Permutation(long count, ulong key)
    {
        this.count = count;
        half = Math.Max(1, (65 - BitOperations.LeadingZeroCount((ulong)Math.Max(0, count - 1))) / 2);
        mask = (1UL << half) - 1;
        var random = new SampleRandom(key);
        for (var i = 0; i < Rounds; i++) keys[i] = random.NextUInt64();
    }

    /// <summary>What stands at a position.</summary>
    public long this[long position]
    {
        get
        {
            var x = (ulong)position;
            do
            {
                ulong left = x >> half, right = x & mask;
                foreach (var key in keys) (left, right) = (right, left ^ SampleRandom.Mix(right ^ key) & mask);
                x = left << half | right;
            }
            while (x >= (ulong)count);
            return (long)x;
        }
    }
}

/// <summary>
/// Which samples make which batch: a pure function of seed, epoch and position. Rank r of w takes the positions r, r + w, r + 2w, …, so that ranks are disjoint, and
/// their batches, taken in turn, hold what one rank alone would read. Every rank has as many rows: positions beyond the end begin again at the start, or the last incomplete round is left out.
/// </summary>
internal sealed class Sampler
{
    private readonly DataLoaderOptions options;
    private readonly long count;
    private readonly int size;

    public Sampler(long count, DataLoaderOptions options)
    {
        (this.count, this.options) = (count, options);
        size = options.BatchSize ?? 1;
        Rows = options.ShardEnd == ShardEnd.Drop ? count / options.World : count / options.World + (count % options.World > 0 ? 1 : 0);
        Batches = options.DropLast ? Rows / size : Rows / size + (Rows % size > 0 ? 1 : 0);
    }

    /// <summary>Whether batches have an axis of their own.</summary>
    public bool IsBatched => options.BatchSize is not null;

    /// <summary>Samples of this rank an epoch, those left out at the end by <see cref="DataLoaderOptions.DropLast"/> included.</summary>
    public long Rows { get; }

    /// <summary>Batches of this rank an epoch.</summary>
    public long Batches { get; }

    /// <summary>The indices of a batch.</summary>
    public long[] Indices(long epoch, long batch)
    {
        var indices = new long[Math.Min(size, Rows - batch * size)];
        var order = options.Shuffle ? new Permutation(count, SampleRandom.SeedOf(options.Seed, epoch, -1)) : null;
        for (var i = 0; i < indices.Length; i++)
        {
            var position = (batch * size + i) * options.World + options.Rank;
            if (position >= count) position %= count;
            indices[i] = order is null ? position : order[position];
        }
        return indices;
    }
}
