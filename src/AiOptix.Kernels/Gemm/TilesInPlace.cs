using System.Runtime.CompilerServices;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Gemm;

/// <summary>
/// Products by generated tiles that have nothing to pack, copy or spill: A is read where it lies, B too or in panels, and all of K is one block of which a panel of B stays in the first-level cache.
/// A column of tiles is one line of generated code, so that a small product spends little beside its sums.
/// </summary>
internal sealed unsafe class TilesInPlace
{
    private readonly GemmShape shape;
    private readonly GemmTasks tasks;
    private readonly TileSet tiles;
    private readonly Target target;
    private readonly int rowsATask;
    private readonly bool isTall;
    private readonly (int Count, int Height, int Higher) whole, last;

    private TilesInPlace(in GemmShape shape, in GemmSplit split, TileSet tiles, Target target)
    {
        (this.shape, this.tiles, this.target, rowsATask) = (shape, tiles, target, split.RowsATask);
        tasks = new(shape, split);
        isTall = RowTileGenerator.IsFar(sizeof(float) * (double)shape.M * shape.K, target);
        (whole, last) = (tiles.Cut(rowsATask), shape.M % rowsATask is > 0 and var rest ? tiles.Cut(rest) : default);
    }

    /// <summary>The product's tiles when its shape allows for it; B comes in panels or is read in place.</summary>
    public static TilesInPlace? For(in GemmShape shape, in GemmSplit split, GemmKernel kernel, bool isDirectB, Target target) =>
        kernel.Generated is { } generated && !shape.PackedA && !shape.CompactB && (shape.PackedB || isDirectB) && shape.K <= split.Kc && (long)shape.K * kernel.Nr * sizeof(float) <= target.L1Bytes / 2
            ? new(shape, split, generated.Set, target) : null;

    /// <summary>Whether operands lie so that tiles can read them, and the epilogue is one that tiles hold for a line of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Suits(in GemmCall call) =>
        (call.AColumnStride == 1 ? !CacheSets.MustCopy(call.ARowStride, target) : call.ARowStride == 1) && (shape.PackedB || call.BColumnStride == 1) && call.RowBias == null
        && (call.Activation == Activation.None || !TileActivation.Of(call.Activation, tiles.Lanes).IsLeft(call.Activation));

    /// <summary>Computes tasks, see <see cref="GemmPlan.Run"/>.</summary>
    [SkipLocalsInit]
    [MethodImpl(HotCode.Optimized)]
    public void Run(in GemmCall call, int firstTask, int endTask)
    {
        TileArguments t;
        var nowhere = 0;
        t.Offsets = &nowhere;
        (t.Pieces, t.Steps) = (1, shape.K);
        var (form, aRow, aStride) = call.AColumnStride == 1 ? (TileForm.Strided, call.ARowStride, call.ARowStride) : (TileForm.Adjacent, 1, call.AColumnStride);
        (t.AStride, t.BStride, t.CStride) = (aStride * sizeof(float), (shape.PackedB ? tiles.Width : call.BRowStride) * sizeof(float), call.CRowStride * sizeof(float));
        t.Elsewhere = shape.PackedB ? 0 : RowTileGenerator.RowsAhead(t.BStride);
        t.Flags = (nint)Describe(call, &t);
        if (tasks.Count == 1)
        {
            // Where operands begin is known: of a small product the way there would be a good part.
            if (firstTask < endTask) Rectangle(call, &t, form, aRow, shape.M, 0, shape.N, call.A, call.B, call.C, call.Residual);
            return;
        }
        for (var next = firstTask; next < endTask; next++)
        {
            var part = tasks.At(next, firstTask, endTask, call.Backwards);
            Rectangle(call, &t, form, aRow, part.Row1 - part.Row0, part.Column0, part.Column1,
                call.A + part.Outer * call.ABatchStride1 + part.Inner * call.ABatchStride2 + part.Row0 * aRow,
                call.B + part.Outer * call.BBatchStride1 + part.Inner * call.BBatchStride2,
                call.C + part.Outer * call.CBatchStride1 + part.Inner * call.CBatchStride2 + part.Row0 * call.CRowStride,
                call.Residual + part.Outer * call.ResidualBatchStride1 + part.Inner * call.ResidualBatchStride2 + part.Row0 * call.ResidualRowStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Rectangle(in GemmCall call, TileArguments* t, TileForm form, nint aRow, int rows, int column0, int column1, float* a, float* b, float* c, float* residual)
    {
        nint bColumn = shape.PackedB ? shape.K : 1;
        var (count, height, higher) = rows == rowsATask ? whole : last;
        t->AheadOfA = isTall && form == TileForm.Strided && aRow == shape.K ? RowTileGenerator.AheadOfA(height * t->AStride) : 0;
        for (var column = column0; column < column1; column += tiles.Width)
        {
            var columns = Math.Min(tiles.Width, column1 - column);
            t->A = (byte*)a;
            t->B = (byte*)(b + column * bColumn);
            t->C = (byte*)(c + column);
            t->ColumnBias = (byte*)(call.ColumnBias + column);
            t->Residual = (byte*)(residual + column);
            if (higher > 0) Line(form, higher, height + 1, columns, aRow, t);
            if (count > higher) Line(form, count - higher, height, columns, aRow, t);
            t->AheadOfA = 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Line(TileForm form, int count, int rows, int columns, nint aRow, TileArguments* t)
    {
        t->Tiles = count;
        (t->ATile, t->CTile, t->ResidualTile) = (rows * aRow * sizeof(float), rows * t->CStride, rows * t->ResidualStride);
        tiles.Run(form, rows, columns, t);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TileFlags Describe(in GemmCall call, TileArguments* t)
    {
        t->ResidualStride = call.ResidualRowStride * sizeof(float);
        var flags = (call.ColumnBias == null ? TileFlags.None : TileFlags.ColumnBias) | (call.Residual == null ? TileFlags.None : TileFlags.Residual);
        if (call.Alpha != 1f)
        {
            flags |= TileFlags.Scale;
            (t->Alpha, t->Nothing, t->RowBiasStride) = (call.Alpha, -0f, 0);
            t->RowBias = (byte*)&t->Nothing;
        }
        if (call.Activation == Activation.None) return flags;
        var activation = TileActivation.Of(call.Activation, tiles.Lanes);
        activation.Describe(t, call.Args);
        return flags | activation.Flag;
    }
}
