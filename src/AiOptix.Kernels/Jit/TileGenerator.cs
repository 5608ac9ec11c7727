using At = AiOptix.Kernels.Jit.TileArguments.At;

namespace AiOptix.Kernels.Jit;

/// <summary>
/// Generates the tile of a batch-reduce product, C[rows, columns] = Σ A[row, step] · B[step, columns], with its epilogue.
/// Vector registers: one accumulator a row and vector from 0 upwards for the whole sum, then one a vector of B, then those that hold an element of A in every lane.
/// Each step loads the vectors of B once and broadcasts one element of A a row, in the multiplication itself where it is the only one; every product is added in the order of the steps with one rounding.
/// The last vector's unused lanes are neither read nor written, in no operand.
/// General registers beside those of A: rdx B, rbp its stride, r12 the pieces' offsets, r13 the pieces left, r14 what leads from B to the memory that is asked for ahead, r15 the panel that B is packed to.
/// </summary>
internal sealed class TileGenerator(TileCode tile) : RowTileGenerator(tile.VectorBytes, tile.Rows)
{
    private const Gpr B = Gpr.Rdx, BStride = Gpr.Rbp, Offsets = Gpr.R12, Pieces = Gpr.R13, Elsewhere = Gpr.R14, Panel = Gpr.R15;

    private readonly bool isStrided = tile.Form != TileForm.Adjacent;

    private readonly bool packs = tile.Form == TileForm.Packing;

    protected override ReadOnlySpan<Gpr> Saved => packs ? [Gpr.Rbx, Gpr.Rbp, Gpr.R12, Gpr.R13, Gpr.R14, Gpr.R15] : [Gpr.Rbx, Gpr.Rbp, Gpr.R12, Gpr.R13, Gpr.R14];

    protected override void Body()
    {
        Label nextTile = new(), accumulate = new(), start = new(), end = new();
        var epilogue = new TileEpilogue(Code, tile, Arguments);
        epilogue.LoadTail();
        Code.Set(nextTile);
        epilogue.PrefetchResidual();
        Code.Test(new(Arguments, At.Flags), (int)TileFlags.Accumulate);
        Code.JumpIfNotZero(accumulate);
        for (var i = 0; i < tile.Rows * tile.Vectors; i++) Code.Vector(VectorOp.Xor, i, i, i);
        Code.Set(start);
        Sum();
        epilogue.Write();
        foreach (var (field, step) in ((int, int)[])[(At.A, At.ATile), (At.C, At.CTile), (At.Residual, At.ResidualTile)])
        {
            Code.Load(A, new(Arguments, field));
            Code.Add(A, new Mem(Arguments, step));
            Code.Store(new(Arguments, field), A);
        }
        Code.Decrement(new Mem(Arguments, At.Tiles));
        Code.JumpIfNotZero(nextTile);
        Code.Jump(end);
        Code.Set(accumulate);
        epilogue.LoadSums();
        Code.Jump(start);
        Code.Set(end);
    }

    private void Sum()
    {
        Label piece = new(), end = new();
        new TileEpilogue(Code, tile, Arguments).LoadTailVector();
        Code.Load(B, new(Arguments, At.B));
        Code.Load(AStride, new(Arguments, At.AStride));
        Code.Load(BStride, new(Arguments, At.BStride));
        Code.Load(Offsets, new(Arguments, At.Offsets));
        Code.Load(Pieces, new(Arguments, At.Pieces));
        if (packs) Code.Load(Panel, new(Arguments, At.Panel));
        Code.Subtract(Pieces, 0);
        Code.JumpIfZero(end);
        Code.Set(piece);
        PlacePiece();
        StepsOfPiece(new(Arguments, At.Steps), Several);
        Code.Decrement(Pieces);
        Code.JumpIfNotZero(piece);
        Code.Set(end);
    }

    private void PlacePiece()
    {
        Code.LoadInt32(A, new(Offsets));
        Code.Add(Offsets, sizeof(int));
        Code.Load(Steps, new(Arguments, At.A));
        Code.Address(A, new(Steps) { Index = A, Scale = 2 });
        PlaceAhead();
        if (isStrided) PlaceRows();
    }

    private void PlaceAhead()
    {
        Label fromB = new(), known = new();
        Code.Load(Elsewhere, new(Arguments, At.AheadOfA));
        Code.Subtract(Elsewhere, 0);
        Code.JumpIfZero(fromB);
        Code.Add(Elsewhere, A);
        Code.Subtract(Elsewhere, B);
        Code.Jump(known);
        Code.Set(fromB);
        Code.Load(Elsewhere, new(Arguments, At.Elsewhere));
        Code.Set(known);
    }

    private void Several(int steps)
    {
        var epilogue = new TileEpilogue(Code, tile, Arguments);
        for (var step = 0; step < steps; step++)
        {
            for (var v = 0; v < tile.Vectors; v++) epilogue.Load(tile.FirstFree + v, v, new(B, v * tile.VectorBytes));
            PrefetchAhead(B, tile.Vectors * tile.VectorBytes, index: Elsewhere);
            // Rows that begin anywhere reach into one more line.
            if (packs) PrefetchAhead(B, 1, tile.Vectors * tile.VectorBytes - sizeof(float), Elsewhere);
            for (var v = 0; packs && v < tile.Vectors; v++) Code.Vector(VectorOp.Store, tile.FirstFree + v, 0, new Mem(Panel, step * PanelBytes + v * tile.VectorBytes));
            Code.Add(B, BStride);
            for (var row = 0; row < tile.Rows; row++) MultiplyAdd(row, isStrided ? Row(row, step * sizeof(float)) : new(A, row * sizeof(float)));
            if (!isStrided) Code.Add(A, AStride);
        }
        if (isStrided) AdvanceRows(steps * sizeof(float));
        if (packs) Code.Add(Panel, steps * PanelBytes);
    }

    private int PanelBytes => TileSet.Vectors * tile.VectorBytes;

    private void MultiplyAdd(int row, Mem element)
    {
        if (tile is { Vectors: 1, VectorBytes: 64 })
        {
            Code.Vector(VectorOp.MultiplyAdd231, row, tile.FirstFree, element, isBroadcast: true);
            return;
        }
        // With 256-bit vectors the last register may hold which lanes count.
        var spare = TileCode.Registers(tile.VectorBytes) - tile.FirstFree - tile.Vectors - (tile is { HasTail: true, VectorBytes: 32 } ? 1 : 0);
        var register = tile.FirstFree + tile.Vectors + row % spare;
        Code.Vector(VectorOp.Broadcast, register, 0, element);
        for (var v = 0; v < tile.Vectors; v++) Code.Vector(VectorOp.MultiplyAdd231, row * tile.Vectors + v, register, tile.FirstFree + v);
    }
}
