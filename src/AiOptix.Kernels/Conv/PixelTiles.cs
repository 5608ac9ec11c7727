using System.Runtime.CompilerServices;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// The argument of a micro-kernel for convolutions: some pixels of an output line by some output channels. The sum of a pixel runs over pieces of X, each as many adjacent floats, one after the
/// other; step k of piece p meets row p·K + k of the weights.
/// </summary>
public unsafe struct PixelTile
{
    /// <summary>What the first pixel's window begins with.</summary>
    public float* X;
    /// <summary>Floats from what a pixel sees to what the next one sees.</summary>
    public nint XStride;
    /// <summary>Where each piece lies behind <see cref="X"/>, in floats.</summary>
    public int* Offsets;
    /// <summary>Pieces.</summary>
    public nint Pieces;
    /// <summary>Floats of a piece.</summary>
    public nint K;
    /// <summary>Packed weights: for each step the panel's output channels, <see cref="PixelTiles.Width"/> floats.</summary>
    public float* Weights;
    /// <summary>The first pixel's first output channel.</summary>
    public float* Y;
    /// <summary>Floats from a pixel of Y to the next.</summary>
    public nint YStride;
    /// <summary>Output channels wanted, 1 to <see cref="PixelTiles.Width"/>; no others are written.</summary>
    public int Columns;
    /// <summary>True to go on from the sums in Y, false to begin at 0.</summary>
    public bool Accumulate;
}

/// <summary>Micro-kernels of one vector width: tiles of 1 to <see cref="Height"/> pixels by one or two vectors of output channels.</summary>
public sealed unsafe class PixelTiles
{
    private readonly delegate*<PixelTile*, void>[] code;

    private PixelTiles(Isa isa, GeneratedTiles generated) : this(isa, generated.Set.Lanes, generated.Set.Height, []) => Generated = generated;

    private PixelTiles(Isa isa, int vector, int height, delegate*<PixelTile*, void>[] code)
    {
        (Isa, Vector, Height) = (isa, vector, height);
        this.code = code;
    }

    /// <summary>All widths, best first.</summary>
    internal static IReadOnlyList<PixelTiles> Rows { get; } =
    [
        new(Isa.Avx512 | Isa.Jit, GeneratedTiles.Avx512),
        new(Isa.Avx2 | Isa.Jit, GeneratedTiles.Avx2),
        new(Isa.Avx512, V16.Count, 12, Of<V16>()),
        new(Isa.Avx2, V8.Count, 6, Of<V8>()),
        new(Isa.None, V4.Count, 4, Of<V4>()),
    ];

    /// <summary>Instruction sets it needs.</summary>
    public Isa Isa { get; }

    /// <summary>Lanes of a vector.</summary>
    public int Vector { get; }

    /// <summary>Output channels of a panel of weights.</summary>
    public int Width => 2 * Vector;

    /// <summary>Pixels of the highest tile.</summary>
    public int Height { get; }

    /// <summary>Generated micro-kernels with the epilogue inside, in place of <see cref="For"/>; or null.</summary>
    internal GeneratedTiles? Generated { get; }

    /// <summary>The micro-kernel for a number of pixels and output channels.</summary>
    public delegate*<PixelTile*, void> For(int pixels, int columns) => code[2 * pixels - (columns > Vector ? 1 : 2)];

    private static delegate*<PixelTile*, void>[] Of<T>() where T : unmanaged, IVec<T> =>
        [
            &One<R1, T>, &Two<R1, T>, &One<R2, T>, &Two<R2, T>, &One<R3, T>, &Two<R3, T>, &One<R4, T>, &Two<R4, T>, &One<R5, T>, &Two<R5, T>, &One<R6, T>, &Two<R6, T>,
            &One<R7, T>, &Two<R7, T>, &One<R8, T>, &Two<R8, T>, &One<R9, T>, &Two<R9, T>, &One<R10, T>, &Two<R10, T>, &One<R11, T>, &Two<R11, T>, &One<R12, T>, &Two<R12, T>,
        ];

    // Two vectors. Sums (rows × vectors) stay in registers; a step loads the panel's vectors once and broadcasts one float of each pixel. Rows beyond the tile's are no code.
    [MethodImpl(HotCode.Optimized)]
    private static void Two<TRows, T>(PixelTile* t) where TRows : struct, IRows where T : unmanaged, IVec<T>
    {
        nint ldx = t->XStride, ldx2 = 2 * ldx, ldy = t->YStride;
        float* w = t->Weights, y = t->Y;
        var columns = t->Columns;
        T s0x = T.Zero, s0y = T.Zero; T s1x = T.Zero, s1y = T.Zero; T s2x = T.Zero, s2y = T.Zero; T s3x = T.Zero, s3y = T.Zero;
        T s4x = T.Zero, s4y = T.Zero; T s5x = T.Zero, s5y = T.Zero; T s6x = T.Zero, s6y = T.Zero; T s7x = T.Zero, s7y = T.Zero;
        T s8x = T.Zero, s8y = T.Zero; T s9x = T.Zero, s9y = T.Zero; T s10x = T.Zero, s10y = T.Zero; T s11x = T.Zero, s11y = T.Zero;
        if (t->Accumulate)
        {
            Get(y, out s0x, out s0y, columns);
            if (TRows.Count > 1) Get(y + ldy, out s1x, out s1y, columns);
            if (TRows.Count > 2) Get(y + 2 * ldy, out s2x, out s2y, columns);
            if (TRows.Count > 3) Get(y + 3 * ldy, out s3x, out s3y, columns);
            if (TRows.Count > 4) Get(y + 4 * ldy, out s4x, out s4y, columns);
            if (TRows.Count > 5) Get(y + 5 * ldy, out s5x, out s5y, columns);
            if (TRows.Count > 6) Get(y + 6 * ldy, out s6x, out s6y, columns);
            if (TRows.Count > 7) Get(y + 7 * ldy, out s7x, out s7y, columns);
            if (TRows.Count > 8) Get(y + 8 * ldy, out s8x, out s8y, columns);
            if (TRows.Count > 9) Get(y + 9 * ldy, out s9x, out s9y, columns);
            if (TRows.Count > 10) Get(y + 10 * ldy, out s10x, out s10y, columns);
            if (TRows.Count > 11) Get(y + 11 * ldy, out s11x, out s11y, columns);
        }
        for (nint piece = 0; piece < t->Pieces; piece++)
        {
            float* x0 = t->X + t->Offsets[piece], x3 = x0, x6 = x0, x9 = x0;
            if (TRows.Count > 3) x3 += 3 * ldx;
            if (TRows.Count > 6) x6 += 6 * ldx;
            if (TRows.Count > 9) x9 += 9 * ldx;
            for (var k = t->K; k > 0; k--)
            {
                T a = T.Load(w), b = T.Load(w + T.Count);
                { var x = T.Set(*x0); s0x = T.Fma(x, a, s0x); s0y = T.Fma(x, b, s0y); }
                if (TRows.Count > 1) { var x = T.Set(x0[ldx]); s1x = T.Fma(x, a, s1x); s1y = T.Fma(x, b, s1y); }
                if (TRows.Count > 2) { var x = T.Set(x0[ldx2]); s2x = T.Fma(x, a, s2x); s2y = T.Fma(x, b, s2y); }
                if (TRows.Count > 3) { var x = T.Set(*x3); s3x = T.Fma(x, a, s3x); s3y = T.Fma(x, b, s3y); }
                if (TRows.Count > 4) { var x = T.Set(x3[ldx]); s4x = T.Fma(x, a, s4x); s4y = T.Fma(x, b, s4y); }
                if (TRows.Count > 5) { var x = T.Set(x3[ldx2]); s5x = T.Fma(x, a, s5x); s5y = T.Fma(x, b, s5y); }
                if (TRows.Count > 6) { var x = T.Set(*x6); s6x = T.Fma(x, a, s6x); s6y = T.Fma(x, b, s6y); }
                if (TRows.Count > 7) { var x = T.Set(x6[ldx]); s7x = T.Fma(x, a, s7x); s7y = T.Fma(x, b, s7y); }
                if (TRows.Count > 8) { var x = T.Set(x6[ldx2]); s8x = T.Fma(x, a, s8x); s8y = T.Fma(x, b, s8y); }
                if (TRows.Count > 9) { var x = T.Set(*x9); s9x = T.Fma(x, a, s9x); s9y = T.Fma(x, b, s9y); }
                if (TRows.Count > 10) { var x = T.Set(x9[ldx]); s10x = T.Fma(x, a, s10x); s10y = T.Fma(x, b, s10y); }
                if (TRows.Count > 11) { var x = T.Set(x9[ldx2]); s11x = T.Fma(x, a, s11x); s11y = T.Fma(x, b, s11y); }
                x0++;
                if (TRows.Count > 3) x3++;
                if (TRows.Count > 6) x6++;
                if (TRows.Count > 9) x9++;
                w += 2 * T.Count;
            }
        }
        Put(y, s0x, s0y, columns);
        if (TRows.Count > 1) Put(y + ldy, s1x, s1y, columns);
        if (TRows.Count > 2) Put(y + 2 * ldy, s2x, s2y, columns);
        if (TRows.Count > 3) Put(y + 3 * ldy, s3x, s3y, columns);
        if (TRows.Count > 4) Put(y + 4 * ldy, s4x, s4y, columns);
        if (TRows.Count > 5) Put(y + 5 * ldy, s5x, s5y, columns);
        if (TRows.Count > 6) Put(y + 6 * ldy, s6x, s6y, columns);
        if (TRows.Count > 7) Put(y + 7 * ldy, s7x, s7y, columns);
        if (TRows.Count > 8) Put(y + 8 * ldy, s8x, s8y, columns);
        if (TRows.Count > 9) Put(y + 9 * ldy, s9x, s9y, columns);
        if (TRows.Count > 10) Put(y + 10 * ldy, s10x, s10y, columns);
        if (TRows.Count > 11) Put(y + 11 * ldy, s11x, s11y, columns);
    }

    // One vector. Sums (rows × vectors) stay in registers; a step loads the panel's vectors once and broadcasts one float of each pixel. Rows beyond the tile's are no code.
    [MethodImpl(HotCode.Optimized)]
    private static void One<TRows, T>(PixelTile* t) where TRows : struct, IRows where T : unmanaged, IVec<T>
    {
        nint ldx = t->XStride, ldx2 = 2 * ldx, ldy = t->YStride;
        float* w = t->Weights, y = t->Y;
        var columns = t->Columns;
        T s0 = T.Zero, s1 = T.Zero, s2 = T.Zero, s3 = T.Zero;
        T s4 = T.Zero, s5 = T.Zero, s6 = T.Zero, s7 = T.Zero;
        T s8 = T.Zero, s9 = T.Zero, s10 = T.Zero, s11 = T.Zero;
        if (t->Accumulate)
        {
            s0 = Get<T>(y, columns);
            if (TRows.Count > 1) s1 = Get<T>(y + ldy, columns);
            if (TRows.Count > 2) s2 = Get<T>(y + 2 * ldy, columns);
            if (TRows.Count > 3) s3 = Get<T>(y + 3 * ldy, columns);
            if (TRows.Count > 4) s4 = Get<T>(y + 4 * ldy, columns);
            if (TRows.Count > 5) s5 = Get<T>(y + 5 * ldy, columns);
            if (TRows.Count > 6) s6 = Get<T>(y + 6 * ldy, columns);
            if (TRows.Count > 7) s7 = Get<T>(y + 7 * ldy, columns);
            if (TRows.Count > 8) s8 = Get<T>(y + 8 * ldy, columns);
            if (TRows.Count > 9) s9 = Get<T>(y + 9 * ldy, columns);
            if (TRows.Count > 10) s10 = Get<T>(y + 10 * ldy, columns);
            if (TRows.Count > 11) s11 = Get<T>(y + 11 * ldy, columns);
        }
        for (nint piece = 0; piece < t->Pieces; piece++)
        {
            float* x0 = t->X + t->Offsets[piece], x3 = x0, x6 = x0, x9 = x0;
            if (TRows.Count > 3) x3 += 3 * ldx;
            if (TRows.Count > 6) x6 += 6 * ldx;
            if (TRows.Count > 9) x9 += 9 * ldx;
            for (var k = t->K; k > 0; k--)
            {
                var a = T.Load(w);
                s0 = T.Fma(T.Set(*x0), a, s0);
                if (TRows.Count > 1) s1 = T.Fma(T.Set(x0[ldx]), a, s1);
                if (TRows.Count > 2) s2 = T.Fma(T.Set(x0[ldx2]), a, s2);
                if (TRows.Count > 3) s3 = T.Fma(T.Set(*x3), a, s3);
                if (TRows.Count > 4) s4 = T.Fma(T.Set(x3[ldx]), a, s4);
                if (TRows.Count > 5) s5 = T.Fma(T.Set(x3[ldx2]), a, s5);
                if (TRows.Count > 6) s6 = T.Fma(T.Set(*x6), a, s6);
                if (TRows.Count > 7) s7 = T.Fma(T.Set(x6[ldx]), a, s7);
                if (TRows.Count > 8) s8 = T.Fma(T.Set(x6[ldx2]), a, s8);
                if (TRows.Count > 9) s9 = T.Fma(T.Set(*x9), a, s9);
                if (TRows.Count > 10) s10 = T.Fma(T.Set(x9[ldx]), a, s10);
                if (TRows.Count > 11) s11 = T.Fma(T.Set(x9[ldx2]), a, s11);
                x0++;
                if (TRows.Count > 3) x3++;
                if (TRows.Count > 6) x6++;
                if (TRows.Count > 9) x9++;
                w += 2 * T.Count;
            }
        }
        Put(y, s0, columns);
        if (TRows.Count > 1) Put(y + ldy, s1, columns);
        if (TRows.Count > 2) Put(y + 2 * ldy, s2, columns);
        if (TRows.Count > 3) Put(y + 3 * ldy, s3, columns);
        if (TRows.Count > 4) Put(y + 4 * ldy, s4, columns);
        if (TRows.Count > 5) Put(y + 5 * ldy, s5, columns);
        if (TRows.Count > 6) Put(y + 6 * ldy, s6, columns);
        if (TRows.Count > 7) Put(y + 7 * ldy, s7, columns);
        if (TRows.Count > 8) Put(y + 8 * ldy, s8, columns);
        if (TRows.Count > 9) Put(y + 9 * ldy, s9, columns);
        if (TRows.Count > 10) Put(y + 10 * ldy, s10, columns);
        if (TRows.Count > 11) Put(y + 11 * ldy, s11, columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Get<T>(float* y, out T a, out T b, int columns) where T : unmanaged, IVec<T>
    {
        a = T.Load(y);
        b = columns == 2 * T.Count ? T.Load(y + T.Count) : T.LoadPart(y + T.Count, columns - T.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(float* y, T a, T b, int columns) where T : unmanaged, IVec<T>
    {
        T.Store(y, a);
        if (columns == 2 * T.Count) T.Store(y + T.Count, b);
        else T.StorePart(y + T.Count, b, columns - T.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Get<T>(float* y, int columns) where T : unmanaged, IVec<T> => columns == T.Count ? T.Load(y) : T.LoadPart(y, columns);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(float* y, T a, int columns) where T : unmanaged, IVec<T>
    {
        if (columns == T.Count) T.Store(y, a);
        else T.StorePart(y, a, columns);
    }

    private interface IRows
    {
        static abstract int Count { get; }
    }

    private readonly struct R1 : IRows
    {
        public static int Count => 1;
    }

    private readonly struct R2 : IRows
    {
        public static int Count => 2;
    }

    private readonly struct R3 : IRows
    {
        public static int Count => 3;
    }

    private readonly struct R4 : IRows
    {
        public static int Count => 4;
    }

    private readonly struct R5 : IRows
    {
        public static int Count => 5;
    }

    private readonly struct R6 : IRows
    {
        public static int Count => 6;
    }

    private readonly struct R7 : IRows
    {
        public static int Count => 7;
    }

    private readonly struct R8 : IRows
    {
        public static int Count => 8;
    }

    private readonly struct R9 : IRows
    {
        public static int Count => 9;
    }

    private readonly struct R10 : IRows
    {
        public static int Count => 10;
    }

    private readonly struct R11 : IRows
    {
        public static int Count => 11;
    }

    private readonly struct R12 : IRows
    {
        public static int Count => 12;
    }
}
