using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Fold;

/// <summary>An input line on its way into an output line, which lies in parts: part p holds the positions p, p + Stride, p + 2·Stride…</summary>
internal unsafe struct FoldLine
{
    /// <summary>The line under the first tap of the width.</summary>
    public float* X;
    /// <summary>Floats from a tap of the width to the next.</summary>
    public long TapFloats;
    /// <summary>The parts.</summary>
    public float* Parts;
    /// <summary>Floats from a part to the next.</summary>
    public int Pitch;
    /// <summary>Elements of the line.</summary>
    public int Input;
    /// <summary>The axis.</summary>
    public FoldAxis Width;
}

/// <summary>Adds lines tap by tap: in parts by position modulo stride, every tap of a line is one stretch of adjacent elements.</summary>
internal static unsafe class FoldLoop
{
    /// <summary>Adds one line under all taps of the width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Line<T>(FoldLine* line) where T : unmanaged, IVec<T>
    {
        var width = line->Width;
        for (var t = 0; t < width.Taps; t++)
        {
            var shift = t * width.Dilation - width.Cut;
            var part = (shift % width.Stride + width.Stride) % width.Stride;
            var start = (shift - part) / width.Stride;
            var length = width.Output <= part ? 0 : (width.Output - part + width.Stride - 1) / width.Stride;
            int from = Math.Max(0, -start), to = Math.Min(line->Input, length - start);
            var x = line->X + t * line->TapFloats;
            var sum = line->Parts + (long)part * line->Pitch + start;
            var i = from;
            for (; i <= to - T.Count; i += T.Count) T.Store(sum + i, T.Load(sum + i) + T.Load(x + i));
            if (i < to) T.StorePart(sum + i, T.LoadPart(sum + i, to - i) + T.LoadPart(x + i, to - i), to - i);
        }
    }

    /// <summary>Adds up stretches of channels, beginning with the addends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pixel<T>(float** x, int count, float* addends, float* y, int n) where T : unmanaged, IVec<T>
    {
        var c = 0;
        for (; c <= n - T.Count; c += T.Count)
        {
            var sum = addends == null ? T.Zero : T.Load(addends + c);
            for (var i = 0; i < count; i++) sum += T.Load(x[i] + c);
            T.Store(y + c, sum);
        }
        if (c == n) return;
        var last = addends == null ? T.Zero : T.LoadPart(addends + c, n - c);
        for (var i = 0; i < count; i++) last += T.LoadPart(x[i] + c, n - c);
        T.StorePart(y + c, last, n - c);
    }

    /// <summary>Writes one value everywhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill(float* to, long n, float value)
    {
        var v = Vector128.Create(value);
        long i = 0;
        for (; i <= n - 4; i += 4) v.Store(to + i);
        for (; i < n; i++) to[i] = value;
    }

    /// <summary>Brings the parts of a line together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Join(float* parts, int pitch, int stride, float* y, int n)
    {
        if (stride == 1)
        {
            Buffer.MemoryCopy(parts, y, (long)n * sizeof(float), (long)n * sizeof(float));
            return;
        }
        if (stride == 2)
        {
            var i = 0;
            for (; i <= n - 8; i += 8)
            {
                var (even, odd) = (Vector128.Load(parts + i / 2), Vector128.Load(parts + pitch + i / 2));
                Interleave.Low(even, odd).Store(y + i);
                Interleave.High(even, odd).Store(y + i + 4);
            }
            for (; i < n; i++) y[i] = parts[(i & 1) * pitch + i / 2];
            return;
        }
        for (var p = 0; p < stride; p++)
        {
            var part = parts + (long)p * pitch;
            for (int i = p, k = 0; i < n; i += stride, k++) y[i] = part[k];
        }
    }
}
