using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Gemm;

/// <summary>A row of <see cref="GemvTable"/>.</summary>
public readonly unsafe struct GemvKernel
{
    internal GemvKernel(string name, Isa isa, int vectorWidth, delegate*<GemmBlock*, void> run, delegate*<GemmBlock*, void> panels, delegate*<GemmBlock*, void> compact,
        delegate*<void*, nint, nint, int, int, float*, int, void> unpack)
    {
        Name = name;
        Isa = isa;
        VectorWidth = vectorWidth;
        Run = run;
        Panels = panels;
        Compact = compact;
        Unpack = unpack;
    }

    /// <summary>The specification in short.</summary>
    public string Name { get; }

    /// <summary>Instruction sets it needs.</summary>
    public Isa Isa { get; }

    /// <summary>Lanes of its vectors.</summary>
    public int VectorWidth { get; }

    /// <summary>B in place.</summary>
    internal delegate*<GemmBlock*, void> Run { get; }

    /// <summary>B in panels of two vectors.</summary>
    internal delegate*<GemmBlock*, void> Panels { get; }

    /// <summary>Up to <see cref="GemvCompact.MostRows"/> rows and B in compact panels; null for single lanes.</summary>
    internal delegate*<GemmBlock*, void> Compact { get; }

    /// <summary>Makes compact panels plain; see <see cref="GemmBlock.PackB"/>. Null for single lanes.</summary>
    internal delegate*<void*, nint, nint, int, int, float*, int, void> Unpack { get; }
}

/// <summary>
/// Kernels for a single row times a matrix that is read once, in place and along its rows, or in panels: bound by memory. They add in the order of
/// k like the matrix kernels, and so give the same bits.
/// </summary>
public static unsafe class GemvTable
{
    /// <summary>The rows, best first.</summary>
    public static IReadOnlyList<GemvKernel> Rows { get; } =
    [
        new("gemv_f32_8rows_avx512", Isa.Avx512, 16, &Run<V16>, &GemvPanels.Run<V16>, &GemvCompact.Run<V16, Compact16>, &CompactPanels.Unpack<V16, Compact16>),
        new("gemv_f32_8rows_avx2", Isa.Avx2, 8, &Run<V8>, &GemvPanels.Run<V8>, &GemvCompact.Run<V8, Compact8>, &CompactPanels.Unpack<V8, Compact8>),
        new("gemv_f32_8rows_v128", Isa.None, 4, &Run<V4>, &GemvPanels.Run<V4>, &GemvCompact.Run<V4, Compact4>, &CompactPanels.Unpack<V4, Compact4>),
        new("gemv_f32_scalar", Isa.None, 1, &Run<V1>, &GemvPanels.Run<V1>, null, null),
    ];

    /// <summary>The row of a vector width, that of the matrix kernel it stands beside.</summary>
    public static GemvKernel For(int vectorWidth)
    {
        for (var i = 0; i < Rows.Count; i++)
            if (Rows[i].VectorWidth == vectorWidth) return Rows[i];
        return Rows[^1];
    }

    // Eight rows of B at a time: c += a[k]·b[k] + … + a[k+7]·b[k+7], so that c passes through the first-level cache once in eight rows.
    [MethodImpl(HotCode.Optimized)]
    private static void Run<T>(GemmBlock* g) where T : unmanaged, IVec<T>
    {
        var columns = g->Column1 - g->Column0;
        var c = g->C + g->Column0;
        var ldb = g->BDirectStride;
        float* a = g->A, b = g->BDirect + g->Column0;
        var step = g->AColumnStride;
        new Span<float>(c, columns).Clear();
        nint k = 0;
        for (; k <= g->K - 8; k += 8)
        {
            T a0 = T.Set(a[0]), a1 = T.Set(a[step]), a2 = T.Set(a[2 * step]), a3 = T.Set(a[3 * step]);
            T a4 = T.Set(a[4 * step]), a5 = T.Set(a[5 * step]), a6 = T.Set(a[6 * step]), a7 = T.Set(a[7 * step]);
            float* b3 = b + 3 * ldb, b6 = b + 6 * ldb;
            var j = 0;
            for (; j <= columns - T.Count; j += T.Count)
            {
                var v = T.FmaLoad(a0, b + j, T.Load(c + j));
                v = T.FmaLoad(a1, b + ldb + j, v);
                v = T.FmaLoad(a2, b + 2 * ldb + j, v);
                v = T.FmaLoad(a3, b3 + j, v);
                v = T.FmaLoad(a4, b3 + ldb + j, v);
                v = T.FmaLoad(a5, b3 + 2 * ldb + j, v);
                v = T.FmaLoad(a6, b6 + j, v);
                v = T.FmaLoad(a7, b6 + ldb + j, v);
                T.Store(c + j, v);
            }
            if (j < columns)
            {
                for (nint i = 0; i < 8; i++) AddRow<T>(a[i * step], b + i * ldb + j, c + j, columns - j);
            }
            a += 8 * step;
            b += 8 * ldb;
        }
        for (; k < g->K; k++)
        {
            AddRow<T>(*a, b, c, columns);
            a += step;
            b += ldb;
        }
        Conclude(g);
    }

    /// <summary>The epilogue over the rows' columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Conclude(GemmBlock* g)
    {
        if (!g->HasEpilogue) return;
        var e = g->Epilogue;
        e.Source = e.Destination = g->C + g->Row0 * g->Ldc + g->Column0;
        e.SourceStride = e.DestinationStride = g->Ldc;
        e.Rows = g->Row1 - g->Row0;
        e.Columns = g->Column1 - g->Column0;
        if (e.RowBias != null) e.RowBias += g->Row0 * e.RowBiasStride;
        if (e.ColumnBias != null) e.ColumnBias += g->Column0;
        if (e.Residual != null) e.Residual += g->Row0 * e.ResidualStride + g->Column0;
        g->Finish(&e);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void AddRow<T>(float a, float* b, float* c, int columns) where T : unmanaged, IVec<T>
    {
        var factor = T.Set(a);
        var j = 0;
        for (; j <= columns - T.Count; j += T.Count) T.Store(c + j, T.FmaLoad(factor, b + j, T.Load(c + j)));
        if (j < columns) T.StorePart(c + j, T.Fma(factor, T.LoadPart(b + j, columns - j), T.LoadPart(c + j, columns - j)), columns - j);
    }
}
