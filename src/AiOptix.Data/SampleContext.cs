using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>What the reading of one sample may know and use. It belongs to one worker and is valid during the call that it is passed to.</summary>
public sealed class SampleContext
{
    private readonly BufferPool pool;

    internal SampleContext(BufferPool pool, Limits limits)
    {
        this.pool = pool;
        Limits = limits;
    }

    /// <summary>The epoch, from 0.</summary>
    public long Epoch { get; private set; }

    /// <summary>Which sample of the data set; of a stream, which one in its order.</summary>
    public long Index { get; private set; }

    /// <summary>The sample's own seed: a function of the loader's seed, the epoch and the index alone.</summary>
    public ulong Seed { get; private set; }

    /// <summary>What a sample may ask for.</summary>
    public Limits Limits { get; }

    /// <summary>Random numbers from the sample's own seed; each use begins anew.</summary>
    public SampleRandom Random => new(Seed);

    /// <summary>A tensor on recycled, 64-byte aligned memory, which goes back when its last holder lets go. Its content is arbitrary.</summary>
    /// <exception cref="LimitExceededException">It is larger than allowed.</exception>
    public Tensor Rent(DType type, Shape shape)
    {
        Limits.CheckTensor(type, shape, "the sample");
        return pool.Rent(type, shape);
    }

    internal void Move(long epoch, long index, long seed) => (Epoch, Index, Seed) = (epoch, index, SampleRandom.SeedOf(seed, epoch, index));
}

/// <summary>A small random number generator (SplitMix64), the same on every machine.</summary>
/// <param name="seed">Its seed.</param>
public struct SampleRandom(ulong seed)
{
    private const ulong Step = 0x9E3779B97F4A7C15;

    private ulong state = seed;

    /// <summary>The next 64 bits.</summary>
    public ulong NextUInt64() => Mix(state += Step);

    /// <summary>A number from 0 up to, but without, 1.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A whole number from 0 up to, but without, <paramref name="end"/>.</summary>
    public long Next(long end)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(end);
        return (long)Math.BigMul(NextUInt64(), (ulong)end, out _);
    }

    internal static ulong SeedOf(long seed, long epoch, long index) => Mix(Mix(Mix((ulong)seed + Step) + (ulong)epoch * Step) ^ (ulong)index * 0xD6E8FEB86659FD93);

    internal static ulong Mix(ulong x)
    {
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
        x = (x ^ x >> 27) * 0x94D049BB133111EB;
        return x ^ x >> 31;
    }
}
