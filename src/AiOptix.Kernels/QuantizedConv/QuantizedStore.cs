using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>From exact sums to bytes.</summary>
internal static unsafe class QuantizedStore
{
    /// <summary>One sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte One(int sum, float factor, QuantizedBytes output)
    {
        var steps = MathF.Min(MathF.Max(sum * factor, -output.Zero), 255 - output.Zero);
        return (byte)(((int)MathF.Round(steps, MidpointRounding.ToEven) + output.Zero) ^ output.Flip);
    }

    /// <summary>A row of sums without their bias; <paramref name="n"/> is a multiple of 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(int* sums, int bias, float factor, QuantizedBytes output, byte* to, int n)
    {
        var (addend, scale) = (Vector128.Create(bias), Vector128.Create(factor));
        var (low, high) = (Vector128.Create((float)-output.Zero), Vector128.Create((float)(255 - output.Zero)));
        var (zero, flip) = (Vector128.Create(output.Zero), Vector128.Create(output.Flip));
        for (var i = 0; i < n; i += 8)
        {
            var a = Steps(Vector128.Load(sums + i) + addend, scale, low, high) + zero;
            var b = Steps(Vector128.Load(sums + i + 4) + addend, scale, low, high) + zero;
            var shorts = Vector128.Narrow(a, b);
            var bytes = Vector128.Narrow(shorts, shorts).AsByte() ^ flip;
            bytes.GetLower().Store(to + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Steps(Vector128<int> sums, Vector128<float> factor, Vector128<float> low, Vector128<float> high) =>
        Vector128.ConvertToInt32(Vector128.Round(Vector128.Min(Vector128.Max(Vector128.ConvertToSingle(sums) * factor, low), high)));
}
