using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Conv;

/// <summary>Copies what a tap sees of one input line, with zeros where it looks beyond the line's ends.</summary>
internal static unsafe class LineCopy
{
    /// <summary>to[j] = line[start + j·stride] for j in 0…n−1, zero where that index is not in 0…length−1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* line, int length, int start, int stride, float* to, int n)
    {
        int lo, hi;
        if (stride == 1)
        {
            lo = -start;
            hi = length - start;
        }
        else
        {
            lo = start >= 0 ? 0 : (-start + stride - 1) / stride;
            hi = length > start ? (length - start - 1) / stride + 1 : 0;
        }
        lo = Math.Clamp(lo, 0, n);
        hi = Math.Clamp(hi, lo, n);
        Clear(to, lo);
        var from = line + start + (nint)lo * stride;
        if (stride == 1) Copy(from, to + lo, hi - lo);
        else if (stride == 2) CopyEven(from, to + lo, hi - lo, line + length);
        else for (var j = lo; j < hi; j++) to[j] = line[start + j * stride];
        Clear(to + hi, n - hi);
    }

    /// <summary>Writes n zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Clear(float* to, int n)
    {
        var i = 0;
        for (; i <= n - 4; i += 4) Vector128<float>.Zero.Store(to + i);
        for (; i < n; i++) to[i] = 0f;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* from, float* to, int n)
    {
        var i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= n - 8; i += 8) Vector256.Load(from + i).Store(to + i);
        }
        for (; i <= n - 4; i += 4) Vector128.Load(from + i).Store(to + i);
        for (; i < n; i++) to[i] = from[i];
    }

    // Every second float, in vectors as long as both of their halves lie inside the line.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyEven(float* from, float* to, int n, float* end)
    {
        var i = 0;
        for (; i <= n - 4 && from + 2 * i + 8 <= end; i += 4) Interleave.Even(Vector128.Load(from + 2 * i), Vector128.Load(from + 2 * i + 4)).Store(to + i);
        for (; i < n; i++) to[i] = from[2 * i];
    }
}
