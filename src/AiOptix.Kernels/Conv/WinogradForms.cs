using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// A minimal filtering algorithm F(m×m, 3×3) for one vector width: tiles of n×n inputs, n = m + 2, give m×m outputs by n·n products (Winograd, "Arithmetic Complexity of Computations", 1980; Lavin
/// and Gray, 2015). All transforms are the same along both axes.
/// </summary>
internal unsafe interface IWinograd<T> where T : unmanaged, IVec<T>
{
    /// <summary>m.</summary>
    static abstract int Outputs { get; }

    /// <summary>Rows of G, [n, 3]: what weights are multiplied with.</summary>
    static abstract ReadOnlySpan<double> Weights { get; }

    /// <summary>Bᵀ·d·B of one vector: the inputs from n·n pixels, line by line; the points go to every <paramref name="point"/> floats.</summary>
    static abstract void Input(float** pixels, nint channel, float* to, nint point);

    /// <summary>Aᵀ·m·A of one vector: the points come from every <paramref name="point"/> floats; the outputs go to m·m adjacent vectors, line by line.</summary>
    static abstract void Output(float* from, nint point, T* to);
}

/// <summary>F(2×2, 3×3) at the points 0, 1, −1, ∞: 16 products in place of 36. Its error is below the direct kernel's, whose sums are nine times longer.</summary>
internal readonly unsafe struct Winograd2<T> : IWinograd<T> where T : unmanaged, IVec<T>
{
    public static int Outputs => 2;

    public static ReadOnlySpan<double> Weights => [1, 0, 0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0, 0, 1];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input(float** d, nint channel, float* to, nint point)
    {
        Column(d, 0, channel, out var a0, out var b0, out var c0, out var d0);
        Column(d, 1, channel, out var a1, out var b1, out var c1, out var d1);
        Column(d, 2, channel, out var a2, out var b2, out var c2, out var d2);
        Column(d, 3, channel, out var a3, out var b3, out var c3, out var d3);
        Line(to, point, a0, a1, a2, a3);
        Line(to + 4 * point, point, b0, b1, b2, b3);
        Line(to + 8 * point, point, c0, c1, c2, c3);
        Line(to + 12 * point, point, d0, d1, d2, d3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Column(float** d, int column, nint channel, out T a, out T b, out T c, out T e)
    {
        T x0 = T.Load(d[column] + channel), x1 = T.Load(d[4 + column] + channel), x2 = T.Load(d[8 + column] + channel), x3 = T.Load(d[12 + column] + channel);
        (a, b, c, e) = (x0 - x2, x1 + x2, x2 - x1, x1 - x3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Line(float* to, nint point, T x0, T x1, T x2, T x3)
    {
        T.Store(to, x0 - x2);
        T.Store(to + point, x1 + x2);
        T.Store(to + 2 * point, x2 - x1);
        T.Store(to + 3 * point, x1 - x3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(float* m, nint point, T* to)
    {
        Sums(m, point, out var a0, out var b0);
        Sums(m + point, point, out var a1, out var b1);
        Sums(m + 2 * point, point, out var a2, out var b2);
        Sums(m + 3 * point, point, out var a3, out var b3);
        (to[0], to[1], to[2], to[3]) = (a0 + a1 + a2, a1 - a2 - a3, b0 + b1 + b2, b1 - b2 - b3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sums(float* m, nint point, out T a, out T b)
    {
        T x0 = T.Load(m), x1 = T.Load(m + 4 * point), x2 = T.Load(m + 8 * point), x3 = T.Load(m + 12 * point);
        (a, b) = (x0 + x1 + x2, x1 - x2 - x3);
    }
}

/// <summary>
/// F(4×4, 3×3) at the points 0, ±¾, ±3⁄2, ∞: 36 products in place of 144. These points, after Barabasz and others ("Error Analysis and Improving the Accuracy of Winograd Convolution", 2020), keep
/// the error near twice the direct kernel's, where the usual 0, ±1, ±2, ∞ make it four times.
/// </summary>
internal readonly unsafe struct Winograd4<T> : IWinograd<T> where T : unmanaged, IVec<T>
{
    private const int N = 6;
    private const float A = 0.75f, A2 = A * A, A3 = A * A2, B = 1.5f, B2 = B * B, B3 = B * B2;

    public static int Outputs => 4;

    // Row j: 1, p, p² over the product of (p − q) for the other finite points q.
    public static ReadOnlySpan<double> Weights =>
    [
        1.0 / (A2 * B2), 0, 0,
        1.0 / (2 * A2 * (A2 - B2)), 1.0 / (2 * A * (A2 - B2)), 1.0 / (2 * (A2 - B2)),
        1.0 / (2 * A2 * (A2 - B2)), -1.0 / (2 * A * (A2 - B2)), 1.0 / (2 * (A2 - B2)),
        1.0 / (2 * B2 * (B2 - A2)), 1.0 / (2 * B * (B2 - A2)), 1.0 / (2 * (B2 - A2)),
        1.0 / (2 * B2 * (B2 - A2)), -1.0 / (2 * B * (B2 - A2)), 1.0 / (2 * (B2 - A2)),
        0, 0, 1,
    ];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input(float** d, nint channel, float* to, nint point)
    {
        var half = stackalloc T[N * N];
        for (var j = 0; j < N; j++)
        {
            Points(T.Load(d[j] + channel), T.Load(d[N + j] + channel), T.Load(d[2 * N + j] + channel), T.Load(d[3 * N + j] + channel), T.Load(d[4 * N + j] + channel), T.Load(d[5 * N + j] + channel),
                out half[j], out half[N + j], out half[2 * N + j], out half[3 * N + j], out half[4 * N + j], out half[5 * N + j]);
        }
        for (var i = 0; i < N; i++)
        {
            var x = half + i * N;
            Points(x[0], x[1], x[2], x[3], x[4], x[5], out var y0, out var y1, out var y2, out var y3, out var y4, out var y5);
            T.Store(to, y0);
            T.Store(to + point, y1);
            T.Store(to + 2 * point, y2);
            T.Store(to + 3 * point, y3);
            T.Store(to + 4 * point, y4);
            T.Store(to + 5 * point, y5);
            to += N * point;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Points(T x0, T x1, T x2, T x3, T x4, T x5, out T y0, out T y1, out T y2, out T y3, out T y4, out T y5)
    {
        T a = T.Set(A), b = T.Set(B), minusA2 = T.Set(-A2), minusB2 = T.Set(-B2), product = T.Set(A2 * B2), minusSum = T.Set(-A2 - B2);
        T evenA = T.Fma(minusB2, x2, x4), oddA = T.Fma(minusB2, x1, x3), evenB = T.Fma(minusA2, x2, x4), oddB = T.Fma(minusA2, x1, x3);
        y0 = T.Fma(product, x0, T.Fma(minusSum, x2, x4));
        y1 = T.Fma(a, oddA, evenA);
        y2 = T.Fma(-a, oddA, evenA);
        y3 = T.Fma(b, oddB, evenB);
        y4 = T.Fma(-b, oddB, evenB);
        y5 = T.Fma(product, x1, T.Fma(minusSum, x3, x5));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(float* m, nint point, T* to)
    {
        var half = stackalloc T[4 * N];
        for (var j = 0; j < N; j++, m += point)
        {
            Sums(T.Load(m), T.Load(m + N * point), T.Load(m + 2 * N * point), T.Load(m + 3 * N * point), T.Load(m + 4 * N * point), T.Load(m + 5 * N * point),
                out half[j], out half[N + j], out half[2 * N + j], out half[3 * N + j]);
        }
        for (var i = 0; i < 4; i++)
        {
            var x = half + i * N;
            Sums(x[0], x[1], x[2], x[3], x[4], x[5], out to[4 * i], out to[4 * i + 1], out to[4 * i + 2], out to[4 * i + 3]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sums(T x0, T x1, T x2, T x3, T x4, T x5, out T y0, out T y1, out T y2, out T y3)
    {
        T sumA = x1 + x2, sumB = x3 + x4, apartA = x1 - x2, apartB = x3 - x4;
        y0 = x0 + sumA + sumB;
        y1 = T.Fma(T.Set(B), apartB, T.Set(A) * apartA);
        y2 = T.Fma(T.Set(B2), sumB, T.Set(A2) * sumA);
        y3 = T.Fma(T.Set(B3), apartB, T.Fma(T.Set(A3), apartA, x5));
    }
}
