using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>Which values a drawn tensor holds.</summary>
internal enum Fill
{
    /// <summary>Numbers about 0, zeros among them.</summary>
    Any,
    /// <summary>Numbers above 0, away from it.</summary>
    Positive,
    /// <summary>Numbers within -1 and 1.</summary>
    Unit,
    /// <summary>Numbers above 1.</summary>
    AboveOne,
    /// <summary>Numbers other than 0.</summary>
    NonZero,
    /// <summary>Numbers from 0 to 3, whole ones where the type is an integer.</summary>
    Few,
    /// <summary>Numbers about 0 with NaN and infinities among them.</summary>
    Special,
    /// <summary>The whole range of an integer type.</summary>
    Full,
}

/// <summary>A seeded source of shapes, values and choices. <paramref name="size"/> bounds extents, so that a failing case can be drawn smaller.</summary>
internal sealed class Draw(int seed, int size = 4)
{
    private static readonly string[] words = ["", "a", "b", "ab", "Zoo", "été", "x y", "42", "-1.5", "a"];
    private readonly Random random = new(seed);

    /// <summary>The largest extent.</summary>
    public int Size { get; } = size;

    public int Below(int limit) => random.Next(limit);

    /// <summary>A number from low to high, both included.</summary>
    public int Between(int low, int high) => random.Next(low, high + 1);

    public bool Chance(double probability) => random.NextDouble() < probability;

    public T Of<T>(params ReadOnlySpan<T> choices) => choices[random.Next(choices.Length)];

    public long Extent() => Chance(0.04) ? 0 : Between(1, Size);

    /// <summary>A shape of a rank; one in a few has an extent of 0.</summary>
    public long[] Shape(int rank, bool nonEmpty = false)
    {
        var shape = new long[rank];
        var cap = rank > 5 ? Math.Min(2, Size) : Size;
        for (var i = 0; i < rank; i++) shape[i] = Between(1, cap);
        if (!nonEmpty && rank > 0 && Chance(0.06)) shape[Below(rank)] = 0;
        return shape;
    }

    public int[] Permutation(int count)
    {
        var result = Enumerable.Range(0, count).ToArray();
        random.Shuffle(result);
        return result;
    }

    /// <summary>Some of 0 .. count - 1, in order.</summary>
    public int[] Some(int count, int least = 0)
    {
        var take = Between(least, count);
        return [.. Permutation(count).Take(take).Order()];
    }

    /// <summary>A tensor of a type and shape.</summary>
    public Tensor Values(DType type, long[] dims, Fill fill = Fill.Any)
    {
        var shape = new Shape(dims);
        var count = checked((int)shape.Count);
        if (type == DType.String) return Tensor.FromStrings([.. Enumerable.Range(0, count).Select(_ => words[random.Next(words.Length)])], shape);
        if (type is DType.Complex64 or DType.Complex128)
        {
            var t = Tensor.Allocate(type, shape);
            if (type == DType.Complex64) foreach (ref var v in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(t.Bytes)) v = (float)Real(fill);
            else foreach (ref var v in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(t.Bytes)) v = Real(fill);
            return t;
        }
        var values = new double[count];
        for (var i = 0; i < count; i++) values[i] = type == DType.Bool ? random.Next(2) : type.IsFloat() ? Real(fill) : Whole(type, fill);
        return ElementTypes.From(values, type, shape);
    }

    private double Real(Fill fill) => fill switch
    {
        Fill.Positive => 0.1 + 3 * random.NextDouble(),
        Fill.Unit => 1.9 * random.NextDouble() - 0.95,
        Fill.AboveOne => 1.05 + 3 * random.NextDouble(),
        Fill.NonZero => (0.2 + 3 * random.NextDouble()) * (random.Next(2) * 2 - 1),
        Fill.Few => 3 * random.NextDouble(),
        Fill.Special when random.Next(4) == 0 => Of(double.NaN, double.PositiveInfinity, double.NegativeInfinity, -0.0),
        _ => random.Next(12) == 0 ? 0 : 6 * random.NextDouble() - 3,
    };

    private double Whole(DType type, Fill fill)
    {
        var bits = type.Bits();
        var signed = type is DType.Int2 or DType.Int4 or DType.Int8 or DType.Int16 or DType.Int32 or DType.Int64;
        var top = (1L << Math.Min(signed ? bits - 1 : bits, 40)) - 1;
        return fill switch
        {
            Fill.Few => Math.Min(random.Next(4), top),
            Fill.Positive or Fill.AboveOne => Math.Min(random.Next(1, 8), top),
            Fill.NonZero => Math.Min(random.Next(1, 8), top) * (signed ? random.Next(2) * 2 - 1 : 1),
            Fill.Unit => signed ? random.Next(-1, 2) : random.Next(2),
            Fill.Full => signed ? random.NextInt64(-top - 1, top + 1) : random.NextInt64(top + 1),
            _ => signed ? random.NextInt64(-Math.Min(8, top + 1), Math.Min(8, top + 1)) : random.NextInt64(Math.Min(16, top + 1)),
        };
    }
}
