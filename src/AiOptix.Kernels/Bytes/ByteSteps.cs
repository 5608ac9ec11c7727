using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Bytes;

/// <summary>
/// A function of two bytes a and b, counted from 0 upwards, in fewer operations than dequantising, combining and dividing: a sum or difference as A·a + (B·b + C), a product as (a + A) · ((b + B) · C). It rounds elsewhere, so it
/// stands in for a function only when it has given the same byte for all 65536 pairs.
/// </summary>
/// <param name="A">A number.</param>
/// <param name="B">Another one.</param>
/// <param name="C">The third one.</param>
public readonly record struct ByteSteps(float A, float B, float C)
{
    // How far numbers are moved, in their last place: pairs whose result lies in the middle between two steps, but for rounding, are few, and moving it helps them all.
    private const int Furthest = 3;

    /// <summary>Numbers with which a row gives the bytes of the function for every pair; null when none were found, or when the row has no such code.</summary>
    internal static unsafe ByteSteps? Find(ByteFunction function, ByteBinaryKernel row)
    {
        if (row.RunSteps == null) return null;
        const int bytes = 256;
        var f = function;
        var all = stackalloc byte[bytes];
        for (var i = 0; i < bytes; i++) all[i] = (byte)i;
        var expected = (byte*)NativeMemory.Alloc(2 * bytes * bytes);
        var found = expected + bytes * bytes;
        try
        {
            var tile = new BinaryTile { ARow = 0, AColumn = 1, BRow = 1, BColumn = 0, YRow = bytes, Rows = bytes, Columns = bytes };
            row.Run(all, all, expected, &tile, &f);
            foreach (var candidate in Candidates(function))
            {
                var steps = candidate;
                row.RunSteps(all, all, found, &tile, &f, &steps);
                if (new ReadOnlySpan<byte>(expected, bytes * bytes).SequenceEqual(new(found, bytes * bytes))) return steps;
            }
            return null;
        }
        finally
        {
            NativeMemory.Free(expected);
        }
    }

    /// <summary>The numbers as they follow from the scales, then others near them.</summary>
    private static IEnumerable<ByteSteps> Candidates(ByteFunction f)
    {
        double a = (double)f.A.Scale / f.Y.Scale, b = (double)f.B.Scale / f.Y.Scale;
        var isProduct = f.Kind == BinaryKind.Mul;
        if (f.Kind == BinaryKind.Sub) b = -b;
        var exact = isProduct ? new ByteSteps(-f.A.UnsignedZero, -f.B.UnsignedZero, (float)(a * f.B.Scale)) : new((float)a, (float)b, (float)(-a * f.A.UnsignedZero - b * f.B.UnsignedZero));
        foreach (var c in Near(exact.C))
        {
            if (isProduct) yield return exact with { C = c };
            else
                foreach (var x in Near(exact.A).Take(3))
                    foreach (var y in Near(exact.B).Take(3)) yield return new(x, y, c);
        }
    }

    private static IEnumerable<float> Near(float number)
    {
        var (up, down) = (number, number);
        yield return number;
        for (var i = 0; i < Furthest; i++)
        {
            yield return up = MathF.BitIncrement(up);
            yield return down = MathF.BitDecrement(down);
        }
    }
}

/// <summary>How <see cref="ByteSteps"/> combine two bytes.</summary>
internal interface IByteSteps
{
    /// <summary>The steps of the result.</summary>
    static abstract T Of<T>(T a, T b, T first, T second, T third) where T : unmanaged, IVec<T>;
}

/// <summary>A sum or difference.</summary>
internal readonly struct SumSteps : IByteSteps
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T a, T b, T first, T second, T third) where T : unmanaged, IVec<T> => T.Fma(a, first, T.Fma(b, second, third));
}

/// <summary>A product.</summary>
internal readonly struct ProductSteps : IByteSteps
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T a, T b, T first, T second, T third) where T : unmanaged, IVec<T> => (a + first) * ((b + second) * third);
}
