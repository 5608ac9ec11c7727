using System.Runtime.CompilerServices;
using AiOptix.Kernels.Jit;

namespace AiOptix.Kernels.Gemm;

/// <summary>
/// One worker's share of a product: a rectangle of C over all of K. Panels of B, packed once a K block, stay in the second-level cache; each
/// panel of A is packed (or found packed) once a K block and stays in the first-level cache while it meets all panels of B.
/// </summary>
internal unsafe struct GemmBlock
{
    public delegate*<GemmTile*, void> Tile;
    public delegate*<EpilogueTile*, void> Finish;
    /// <summary>Generated tiles in place of <see cref="Tile"/>, or none. They apply the epilogue themselves; <see cref="InTile"/> is how they apply its activation.</summary>
    public TileSet Generated;
    public TileActivation InTile;
    /// <summary>Applies an activation that is left to what generated tiles stored; or null.</summary>
    public delegate*<EpilogueTile*, void> FinishLeft;
    public int Mr, Nr, ColumnStep;
    public int Row0, Row1, Column0, Column1;
    public nint K, Kc;

    /// <summary>Panels of A over the whole K, or null: then A is packed from its strides.</summary>
    public float* APanels;
    public float* A;
    public nint ARowStride, AColumnStride;
    /// <summary>Floats between the rows of A after they are copied apart, 0 where tiles read them in place.</summary>
    public nint ACopyStride;

    /// <summary>See <see cref="GemmCall.Backwards"/>.</summary>
    public bool Backwards;

    /// <summary>Panels of B over the whole K, or null: then <see cref="PackB"/> makes them.</summary>
    public float* BPanels;
    /// <summary>Packs panels: (source, first k, steps, first column, end column, panels of steps × Nr, Nr).</summary>
    public delegate*<void*, nint, nint, int, int, float*, int, void> PackB;
    public void* BSource;
    /// <summary>Row-major B to read in place, or null; whole panels need no packing then.</summary>
    public float* BDirect;
    public nint BDirectStride;
    /// <summary>Row-major B, <see cref="BDirectStride"/> apart, that the first strip's generated tiles pack while they read it, or null.</summary>
    public float* BRows;

    /// <summary>What <see cref="PackB"/> reads for the first step of these columns, or null; <see cref="AheadAStep"/> bytes a step. Generated tiles ask for what it will read next while they compute.</summary>
    public byte* Ahead;
    public nint AheadAStep;

    public float* C;
    public nint Ldc;
    /// <summary>Bias, residual, factor, parameters; pointers to row 0 and column 0.</summary>
    public EpilogueTile Epilogue;
    public bool HasEpilogue;

    public float* BScratch, AScratch, Spill;

    /// <summary>Computes the rectangle.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Run(GemmBlock* g)
    {
        nint k0 = 0;
        do
        {
            var steps = Math.Min(g->Kc, g->K - k0);
            var isGenerated = g->Generated.Height > 0;
            var packs = g->BRows != null && g->APanels == null && g->AColumnStride == 1;
            if (g->BPanels == null && g->BDirect == null && !packs) g->PackB(g->BSource, k0, steps, g->Column0, g->Column1, g->BScratch, g->Nr);
            int rows;
            for (var row = g->Row0; row < g->Row1; row += rows)
            {
                rows = isGenerated && g->APanels == null ? GemmKernel.RowsAStrip(g->Row1 - row, g->Mr) : Math.Min(g->Mr, g->Row1 - row);
                float* a;
                if (isGenerated && g->APanels == null && (g->AColumnStride == 1 || g->ARowStride == 1))
                {
                    a = g->A + row * g->ARowStride + k0 * g->AColumnStride;
                    var form = packs && row == g->Row0 ? TileForm.Packing : TileForm.Strided;
                    if (g->AColumnStride == 1 && g->ACopyStride > 0)
                    {
                        Copy(a, g->ARowStride, g->AScratch, g->ACopyStride, rows, (int)steps);
                        GeneratedStrip.Run(g, form, g->AScratch, g->ACopyStride, row, rows, k0, steps);
                    }
                    else if (g->AColumnStride == 1) GeneratedStrip.Run(g, form, a, g->ARowStride, row, rows, k0, steps);
                    else GeneratedStrip.Run(g, TileForm.Adjacent, a, g->AColumnStride, row, rows, k0, steps);
                    continue;
                }
                if (g->APanels != null) a = g->APanels + row * g->K + k0 * g->Mr;
                else
                {
                    a = g->AScratch;
                    PanelPack.Run(g->A + row * g->ARowStride + k0 * g->AColumnStride, g->ARowStride, g->AColumnStride, rows, g->Mr, steps, a);
                }
                if (isGenerated) GeneratedStrip.Run(g, TileForm.Adjacent, a, g->Mr, row, rows, k0, steps);
                else Strip(g, a, row, rows, k0, steps);
            }
            k0 += g->Kc;
        }
        while (k0 < g->K);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Strip(GemmBlock* g, float* a, int row, int rows, nint k0, nint steps)
    {
        GemmTile tile;
        tile.A = a;
        tile.AStride = g->Mr;
        tile.K = steps;
        tile.Rows = rows;
        var last = k0 + steps >= g->K;
        var wholeRows = rows == g->Mr || rows == 1 || rows % 4 == 0;
        var packed = g->BScratch;
        for (var column = g->Column0; column < g->Column1; column += g->Nr)
        {
            var columns = Math.Min(g->Nr, g->Column1 - column);
            tile.BStride = g->Nr;
            if (g->BPanels != null) tile.B = g->BPanels + column * g->K + k0 * g->Nr;
            else if (g->BDirect == null)
            {
                tile.B = packed;
                packed += steps * g->Nr;
            }
            else if (columns == g->Nr)
            {
                tile.B = g->BDirect + k0 * g->BDirectStride + column;
                tile.BStride = g->BDirectStride;
            }
            else
            {
                PanelPack.Run(g->BDirect + k0 * g->BDirectStride + column, 1, g->BDirectStride, columns, g->Nr, steps, packed);
                tile.B = packed;
            }

            var c = g->C + row * g->Ldc + column;
            var whole = wholeRows && columns % g->ColumnStep == 0;
            tile.C = whole ? c : g->Spill;
            tile.Ldc = whole ? g->Ldc : g->Nr;
            tile.Columns = columns;
            tile.Accumulate = k0 > 0;
            if (!whole && k0 > 0) Copy(c, g->Ldc, g->Spill, g->Nr, rows, columns);
            g->Tile(&tile);
            if (last && g->HasEpilogue) Conclude(g, &tile, c, row, rows, column, columns);
            else if (!whole) Copy(g->Spill, g->Nr, c, g->Ldc, rows, columns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Conclude(GemmBlock* g, GemmTile* tile, float* c, int row, int rows, int column, int columns)
    {
        var e = g->Epilogue;
        e.Source = tile->C;
        e.SourceStride = tile->Ldc;
        e.Destination = c;
        e.DestinationStride = g->Ldc;
        if (e.RowBias != null) e.RowBias += row;
        if (e.ColumnBias != null) e.ColumnBias += column;
        if (e.Residual != null) e.Residual += row * e.ResidualStride + column;
        e.Rows = rows;
        e.Columns = columns;
        g->Finish(&e);
    }

    [MethodImpl(HotCode.Optimized)]
    internal static void Copy(float* from, nint fromStride, float* to, nint toStride, int rows, int columns)
    {
        for (var i = 0; i < rows; i++) Unsafe.CopyBlockUnaligned(to + i * toStride, from + i * fromStride, (uint)columns * sizeof(float));
    }
}
