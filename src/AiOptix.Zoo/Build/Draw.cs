using System.Text;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// Seeded numbers: SplitMix64 (Steele, Lea, Flood 2014) over a counter, one stream a name. Uses integer arithmetic, multiplication and square root only, so
/// that the same seed gives the same bits on every machine. A name's numbers do not depend on what else is drawn.
/// </summary>
internal struct Draw
{
    private const ulong Step = 0x9E3779B97F4A7C15;

    /// <summary>The standard deviation of a sum of four uniform 16-bit integers: the square root of (2^32 - 1) / 3.</summary>
    private static readonly double sumDeviation = Math.Sqrt(uint.MaxValue / 3.0);

    private ulong counter;

    /// <summary>The stream of a name under a seed.</summary>
    public Draw(int seed, string name)
    {
        var hash = 0xCBF29CE484222325ul;
        foreach (var b in Encoding.UTF8.GetBytes(name)) hash = (hash ^ b) * 0x100000001B3;
        counter = Mix(hash) + Mix(unchecked((ulong)seed) * Step);
    }

    /// <summary>64 random bits.</summary>
    public ulong Next() => Mix(counter += Step);

    /// <summary>An integer of 0..limit-1.</summary>
    public long Below(long limit) => (long)(((UInt128)Next() * (ulong)limit) >> 64);

    /// <summary>A number with mean 0 and deviation 1, close to normal: the sum of four uniform ones, so that none lies beyond 3.47.</summary>
    public double Normal()
    {
        var bits = Next();
        var sum = (bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48);
        return ((long)sum - 2 * 65535) / sumDeviation;
    }

    /// <summary>A float32 tensor of numbers with this mean and deviation, close to normal.</summary>
    public Tensor Normal(Shape shape, double mean, double deviation)
    {
        var tensor = Tensor.Allocate(DType.Float32, shape);
        foreach (ref var x in tensor.Span<float>()) x = (float)(mean + deviation * Normal());
        return tensor;
    }

    /// <summary>An int64 tensor of numbers of 0..limit-1.</summary>
    public Tensor Below(Shape shape, long limit)
    {
        var tensor = Tensor.Allocate(DType.Int64, shape);
        foreach (ref var x in tensor.Span<long>()) x = Below(limit);
        return tensor;
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
