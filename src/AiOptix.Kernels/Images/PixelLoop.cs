using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Images;

/// <summary>Loops over bytes of pixels. No loop reads or writes beyond what it is told of.</summary>
internal static unsafe class PixelLoop
{
    private const int Block = 16;

    /// <summary>y[i] = Σ w[t]·rows[t][i].</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Blend<T>(byte** rows, float* weights, int taps, float* y, long n) where T : unmanaged, IVec<T>
    {
        long i = 0;
        for (; i <= n - T.Count; i += T.Count)
        {
            var sum = Widen<T>(rows[0] + i) * T.Set(weights[0]);
            for (var t = 1; t < taps; t++) sum = T.Fma(Widen<T>(rows[t] + i), T.Set(weights[t]), sum);
            T.Store(y + i, sum);
        }
        for (; i < n; i++)
        {
            var sum = rows[0][i] * weights[0];
            for (var t = 1; t < taps; t++) sum = MathF.FusedMultiplyAdd(rows[t][i], weights[t], sum);
            y[i] = sum;
        }
    }

    /// <summary>Three interleaved channels to three planes, y = x·factor + addend. Sixteen pixels are 48 bytes: three shuffles and two ors a channel take them apart.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Planes<T>(byte* x, float* y, long pixels, float* affine) where T : unmanaged, IVec<T>
    {
        var apart = stackalloc byte[Block];
        long i = 0;
        for (; i <= pixels - Block; i += Block)
        {
            var p = x + 3 * i;
            Vector128<byte> a = Vector128.Load(p), b = Vector128.Load(p + 16), c = Vector128.Load(p + 32);
            var red = Vector128.Shuffle(a, Vector128.Create((byte)0, 3, 6, 9, 12, 15, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))
                | Vector128.Shuffle(b, Vector128.Create((byte)255, 255, 255, 255, 255, 255, 2, 5, 8, 11, 14, 255, 255, 255, 255, 255))
                | Vector128.Shuffle(c, Vector128.Create((byte)255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 4, 7, 10, 13));
            var green = Vector128.Shuffle(a, Vector128.Create((byte)1, 4, 7, 10, 13, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))
                | Vector128.Shuffle(b, Vector128.Create((byte)255, 255, 255, 255, 255, 0, 3, 6, 9, 12, 15, 255, 255, 255, 255, 255))
                | Vector128.Shuffle(c, Vector128.Create((byte)255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 5, 8, 11, 14));
            var blue = Vector128.Shuffle(a, Vector128.Create((byte)2, 5, 8, 11, 14, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))
                | Vector128.Shuffle(b, Vector128.Create((byte)255, 255, 255, 255, 255, 1, 4, 7, 10, 13, 255, 255, 255, 255, 255, 255))
                | Vector128.Shuffle(c, Vector128.Create((byte)255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 3, 6, 9, 12, 15));
            Put<T>(red, apart, y + i, affine[0], affine[1]);
            Put<T>(green, apart, y + pixels + i, affine[2], affine[3]);
            Put<T>(blue, apart, y + 2 * pixels + i, affine[4], affine[5]);
        }
        Rest(x, y, i, pixels, affine);
    }

    public static void PlanesScalar(byte* x, float* y, long pixels, float* affine) => Rest(x, y, 0, pixels, affine);

    /// <summary>y[i] = x[i]·factor + addend, those of channel i mod channels.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Scale<T>(byte* x, float* y, long pixels, float* affine, int channels) where T : unmanaged, IVec<T>
    {
        var n = pixels * channels;
        long i = 0;
        if (channels <= Block)
        {
            // A period of T.Count pixels: one vector of factors and one of addends for each of its vectors.
            var pattern = stackalloc float[2 * Block * Block];
            for (var k = 0; k < channels * T.Count; k++) (pattern[k], pattern[Block * Block + k]) = (affine[2 * (k % channels)], affine[2 * (k % channels) + 1]);
            for (; i <= n - channels * T.Count; i += channels * T.Count)
                for (var k = 0; k < channels * T.Count; k += T.Count)
                    T.Store(y + i + k, T.Fma(Widen<T>(x + i + k), T.Load(pattern + k), T.Load(pattern + Block * Block + k)));
        }
        for (; i < n; i++) y[i] = MathF.FusedMultiplyAdd(x[i], affine[2 * (i % channels)], affine[2 * (i % channels) + 1]);
    }

    private static void Rest(byte* x, float* y, long first, long pixels, float* affine)
    {
        for (var i = first; i < pixels; i++)
            for (var c = 0; c < 3; c++) y[c * pixels + i] = MathF.FusedMultiplyAdd(x[3 * i + c], affine[2 * c], affine[2 * c + 1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(Vector128<byte> bytes, byte* apart, float* y, float factor, float addend) where T : unmanaged, IVec<T>
    {
        bytes.Store(apart);
        for (var k = 0; k < Block; k += T.Count) T.Store(y + k, T.Fma(Widen<T>(apart + k), T.Set(factor), T.Set(addend)));
    }

    /// <summary>T.Count bytes as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Widen<T>(byte* p) where T : unmanaged, IVec<T>
    {
        if (typeof(T) == typeof(V16)) return Unsafe.BitCast<V16, T>(new(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(p)))));
        if (typeof(T) == typeof(V8)) return Unsafe.BitCast<V8, T>(new(Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(p))));
        if (typeof(T) == typeof(V4)) return Unsafe.BitCast<V4, T>(new(Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)p).AsByte())).AsInt32())));
        return T.Set(*p);
    }
}
