using System.Runtime.CompilerServices;
using AiOptix.Kernels.Jit;

namespace AiOptix.Kernels.Gemm;

/// <summary>A strip of rows of a <see cref="GemmBlock"/> by generated tiles: exact at every edge, with the epilogue inside, over rows of A in place or a panel of them.</summary>
internal static unsafe class GeneratedStrip
{
    /// <summary>Computes one K block of rows row…row + rows − 1.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Run(GemmBlock* g, TileForm form, float* a, nint aStride, int row, int rows, nint k0, nint steps)
    {
        var isLast = k0 + steps >= g->K;
        var hasEpilogue = isLast && g->HasEpilogue;
        TileArguments t = default;
        var nowhere = 0;
        t.Offsets = &nowhere;
        (t.AStride, t.CStride, t.Steps, t.Pieces) = (aStride * sizeof(float), g->Ldc * sizeof(float), steps, 1);
        var flags = k0 > 0 ? TileFlags.Accumulate : TileFlags.None;
        if (hasEpilogue)
        {
            flags |= Describe(&g->Epilogue, &t, row) | g->InTile.Flag;
            g->InTile.Describe(&t, g->Epilogue.Args);
        }
        t.Flags = (nint)flags;
        var packed = g->BScratch;
        for (var column = g->Column0; column < g->Column1; column += g->Nr)
        {
            var columns = Math.Min(g->Nr, g->Column1 - column);
            t.BStride = g->Nr * sizeof(float);
            if (g->BPanels != null) t.B = (byte*)(g->BPanels + column * g->K + k0 * g->Nr);
            else if (form == TileForm.Packing)
            {
                Read(g, g->BRows, k0, column, &t);
                t.Panel = (byte*)packed;
                packed += steps * g->Nr;
            }
            else if (g->BDirect == null)
            {
                t.B = (byte*)packed;
                packed += steps * g->Nr;
                if (g->Ahead != null) t.Elsewhere = (nint)(g->Ahead + (k0 + steps) * g->AheadAStep) - (nint)t.B - RowTileGenerator.Ahead;
            }
            else Read(g, g->BDirect, k0, column, &t);
            var c = g->C + row * g->Ldc + column;
            t.C = (byte*)c;
            if (hasEpilogue)
            {
                if (g->Epilogue.ColumnBias != null) t.ColumnBias = (byte*)(g->Epilogue.ColumnBias + column);
                if (g->Epilogue.Residual != null) t.Residual = (byte*)(g->Epilogue.Residual + row * g->Epilogue.ResidualStride + column);
            }
            t.Tiles = 1;
            t.A = (byte*)a;
            g->Generated.Run(form, rows, columns, &t);
            if (hasEpilogue && g->FinishLeft != null) TileActivation.Finish(c, g->Ldc, rows, columns, g->Epilogue.Args, g->FinishLeft);
        }
    }

    // B as it lies; the rows that come next are asked for, of which each may lie in another page.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Read(GemmBlock* g, float* b, nint k0, int column, TileArguments* t)
    {
        t->B = (byte*)(b + k0 * g->BDirectStride + column);
        t->BStride = g->BDirectStride * sizeof(float);
        t->Elsewhere = RowTileGenerator.RowsAhead(t->BStride);
    }

    private static TileFlags Describe(EpilogueTile* e, TileArguments* t, int row)
    {
        var flags = TileFlags.None;
        (t->Alpha, t->Nothing) = (e->Alpha, -0f);
        if (e->Alpha != 1f || e->RowBias != null)
        {
            flags |= TileFlags.Scale;
            t->RowBias = e->RowBias == null ? (byte*)&t->Nothing : (byte*)(e->RowBias + row * e->RowBiasStride);
            t->RowBiasStride = e->RowBias == null ? 0 : e->RowBiasStride * sizeof(float);
        }
        if (e->ColumnBias != null) flags |= TileFlags.ColumnBias;
        if (e->Residual != null)
        {
            flags |= TileFlags.Residual;
            t->ResidualStride = e->ResidualStride * sizeof(float);
        }
        return flags;
    }
}
