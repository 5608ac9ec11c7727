using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Reduce;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Pool;

/// <summary>
/// One output line of a pooling. First the valid input lines of the window are joined element by element into a padded scratch line; then
/// windows are joined along it. At step 2 the scratch line is parted into even and odd elements, so that windows read adjacent elements; at
/// larger steps they go one by one. The order of a window's elements is fixed: lines first, then columns.
/// </summary>
internal static unsafe class PoolLoop
{
    [MethodImpl(HotCode.Optimized)]
    public static void Line<TF, T>(PoolLine* line) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        var joined = line->Scratch;
        Join<TF, T>(line, joined);
        if (line->Stride == 1) Windows<TF, T>(line, joined, joined, shift: 0);
        else if (line->Stride == 2)
        {
            var even = joined + line->LineLength;
            var odd = even + line->LineLength;
            Part(joined, even, odd, line->LineLength);
            Windows<TF, T>(line, even, odd, shift: 1);
        }
        else
            for (long c = 0; c < line->Columns; c++)
            {
                var p = joined + c * line->Stride;
                var a = new V1(*p);
                for (long k = 1; k < line->Kernel; k++) a = TF.Join(a, new V1(p[k * line->Dilation]));
                line->Y[c] = a.Value;
            }
        if (line->ColumnCounts != null) Divide<T>(line);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Join<TF, T>(PoolLine* line, float* joined) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        for (long i = 0; i < line->Pad; i++) joined[i] = TF.Identity;
        for (var i = line->Pad + line->Width; i < line->LineLength; i++) joined[i] = TF.Identity;
        for (long i = 0; i < line->Width; i += T.Count)
        {
            var n = (int)Math.Min(T.Count, line->Width - i);
            var a = T.Set(TF.Identity);
            for (long d = 0; d < line->Depths; d++)
                for (long h = 0; h < line->Heights; h++)
                {
                    var p = line->X + d * line->DepthStride + h * line->HeightStride + i;
                    a = TF.Join(a, n == T.Count ? T.Load(p) : T.LoadPart(p, n));
                }
            if (n == T.Count) T.Store(joined + line->Pad + i, a);
            else T.StorePart(joined + line->Pad + i, a, n);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Windows<TF, T>(PoolLine* line, float* even, float* odd, int shift) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        for (long c = 0; c < line->Columns; c += T.Count)
        {
            var n = (int)Math.Min(T.Count, line->Columns - c);
            var a = n == T.Count ? T.Load(even + c) : T.LoadPart(even + c, n);
            for (long k = 1; k < line->Kernel; k++)
            {
                var at = k * line->Dilation;
                var p = ((at & shift) == 0 ? even : odd) + (at >> shift) + c;
                a = TF.Join(a, n == T.Count ? T.Load(p) : T.LoadPart(p, n));
            }
            if (n == T.Count) T.Store(line->Y + c, a);
            else T.StorePart(line->Y + c, a, n);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Part(float* joined, float* even, float* odd, long n)
    {
        long i = 0;
        if (Sse.IsSupported)
            for (; i <= n - 8; i += 8)
            {
                var (a, b) = (Vector128.Load(joined + i), Vector128.Load(joined + i + 4));
                Sse.Shuffle(a, b, 0x88).Store(even + i / 2);
                Sse.Shuffle(a, b, 0xDD).Store(odd + i / 2);
            }
        for (; i < n; i++) *(((i & 1) == 0 ? even : odd) + i / 2) = joined[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Divide<T>(PoolLine* line) where T : unmanaged, IVec<T>
    {
        var lines = T.Set(line->LineCount);
        for (long c = 0; c < line->Columns; c += T.Count)
        {
            var n = (int)Math.Min(T.Count, line->Columns - c);
            if (n == T.Count) T.Store(line->Y + c, T.Load(line->Y + c) / (T.Load(line->ColumnCounts + c) * lines));
            else T.StorePart(line->Y + c, T.LoadPart(line->Y + c, n) / (T.LoadPart(line->ColumnCounts + c, n) * lines), n);
        }
    }
}
