using At = AiOptix.Kernels.Jit.DotArguments.At;

namespace AiOptix.Kernels.Jit;

/// <summary>
/// Generates the tile of an int8 product, C[rows, columns] = epilogue(bias[columns] + Σ A[row, term] · B[term, columns]), exact in int32.
/// Vector registers: one accumulator a row and vector from 0 upwards. With VNNI then the vectors of B of a step and those that hold four terms of A in every lane; otherwise the even and the odd
/// bytes of A as 16-bit numbers and two products. 256-bit code keeps its two constants in the last registers.
/// In the columnwise form a step multiplies the vectors of B with as many vectors of A a row.
/// General registers beside those of A: rdx B, r12 the pieces' offsets, r13 the pieces left, r14 what will be read soon.
/// </summary>
internal sealed class DotGenerator(DotCode tile) : RowTileGenerator(tile.VectorBytes, tile.Rows)
{
    private const Gpr B = Gpr.Rdx, Offsets = Gpr.R12, Pieces = Gpr.R13, Next = Gpr.R14;
    private const int FlipVector = 15, EvenVector = 14, Ymm = 32, LineBytes = 64;

    private bool IsNarrow => tile.VectorBytes == Ymm;

    private int StepBytes => tile.Vectors * tile.VectorBytes * (tile.Method == DotMethod.Pairs ? 2 : 1);

    protected override ReadOnlySpan<Gpr> Saved => [Gpr.Rbx, Gpr.R12, Gpr.R13, Gpr.R14];

    protected override void Body()
    {
        var nextTile = new Label();
        var epilogue = new DotEpilogue(Code, tile, Arguments);
        if (tile.HasTail) Code.LoadLongMask(DotEpilogue.TailMask, new(Arguments, At.Tail));
        Code.Set(nextTile);
        if (IsNarrow && tile.Form.IsFlipped) Code.Vector(VectorOp.Broadcast, FlipVector, 0, new Mem(Arguments, At.Flip));
        if (IsNarrow && tile.Method == DotMethod.Pairs) Code.Vector(VectorOp.Broadcast, EvenVector, 0, new Mem(Arguments, At.EvenBytes));
        Begin();
        if (!tile.Form.IsColumnwise) Code.Load(Next, new(Arguments, At.Next));
        Sum();
        if (!tile.Form.IsColumnwise) KeepNext();
        epilogue.Write();
        foreach (var (field, step) in ((int, int)[])[(At.A, At.ATile), (At.C, At.CTile)])
        {
            Code.Load(A, new(Arguments, field));
            Code.Add(A, new Mem(Arguments, step));
            Code.Store(new(Arguments, field), A);
        }
        Code.Decrement(new Mem(Arguments, At.Tiles));
        Code.JumpIfNotZero(nextTile);
    }

    // Behind the end it is asked for from the beginning again, which costs little once it is there.
    private void KeepNext()
    {
        var within = new Label();
        Code.Compare(Next, new Mem(Arguments, At.NextEnd));
        Code.JumpIfLess(within);
        Code.Load(Next, new(Arguments, At.NextBegin));
        Code.Set(within);
        Code.Store(new(Arguments, At.Next), Next);
    }

    private void Begin()
    {
        Code.Load(A, new(Arguments, At.Bias));
        for (var v = 0; v < tile.Vectors; v++) Code.Vector(VectorOp.Load, v, 0, new Mem(A, v * tile.VectorBytes));
        for (var i = tile.Vectors; i < tile.FirstFree; i++) Code.Vector(VectorOp.Move, i, 0, i % tile.Vectors);
    }

    private void Sum()
    {
        var piece = new Label();
        Code.Load(B, new(Arguments, At.B));
        Code.Load(AStride, new(Arguments, At.AStride));
        Code.Load(Offsets, new(Arguments, At.Offsets));
        Code.Load(Pieces, new(Arguments, At.Pieces));
        Code.Set(piece);
        PlacePiece();
        if (tile.Form.IsColumnwise) Step(0);
        else StepsOfPiece(new(Arguments, At.Steps), Several);
        Code.Decrement(Pieces);
        Code.JumpIfNotZero(piece);
    }

    private void PlacePiece()
    {
        Code.LoadInt32(A, new(Offsets));
        if (tile.Form.IsColumnwise)
        {
            Code.LoadInt32(B, new(Offsets, sizeof(int)));
            Code.Add(B, new Mem(Arguments, At.B));
        }
        Code.Add(Offsets, tile.Form.IsColumnwise ? 2 * sizeof(int) : sizeof(int));
        Code.Add(A, new Mem(Arguments, At.A));
        PlaceRows();
    }

    private void Several(int steps)
    {
        for (var step = 0; step < steps; step++) Step(step);
        Code.Add(B, steps * StepBytes);
        Code.Add(Next, steps * LineBytes);
        AdvanceRows(steps * sizeof(int));
    }

    private void Step(int step)
    {
        if (!tile.Form.IsColumnwise)
        {
            PrefetchAhead(B, StepBytes, step * StepBytes);
            Code.PrefetchFar(new(Next, step * LineBytes));
        }
        if (tile.Method == DotMethod.Quads) QuadStep(step);
        else PairStep(step);
    }

    private void QuadStep(int step)
    {
        var spare = (IsNarrow ? FlipVector : 32) - tile.FirstFree - tile.Vectors;
        var next = 0;
        for (var v = 0; v < tile.Vectors; v++) Code.Vector(VectorOp.Load, tile.FirstFree + v, 0, new Mem(B, step * StepBytes + v * tile.VectorBytes));
        for (var row = 0; row < tile.Rows; row++)
            for (var v = 0; v < tile.Vectors; v++)
            {
                if (v == 0 || tile.Form.IsColumnwise) LoadA(tile.FirstFree + tile.Vectors + (next = (next + 1) % spare), row, step, v);
                Code.Vector(VectorOp.DotBytes, row * tile.Vectors + v, tile.FirstFree + tile.Vectors + next, tile.FirstFree + v);
            }
    }

    private void PairStep(int step)
    {
        int even = tile.FirstFree, odd = even + 1, product = even + 2;
        for (var row = 0; row < tile.Rows; row++)
            for (var v = 0; v < tile.Vectors; v++)
            {
                if (v == 0 || tile.Form.IsColumnwise)
                {
                    LoadA(even, row, step, v);
                    Code.ShiftWordsRight(odd, even, 8);
                    if (IsNarrow) Code.Vector(VectorOp.AndBits, even, even, EvenVector);
                    else Code.Vector(VectorOp.AndBits, even, even, new Mem(Arguments, At.EvenBytes), isBroadcast: true);
                }
                for (var half = 0; half < 2; half++)
                {
                    Code.Vector(VectorOp.DotWords, product + half, half == 0 ? even : odd, new Mem(B, step * StepBytes + (half * tile.Vectors + v) * tile.VectorBytes));
                    Code.Vector(VectorOp.AddInts, row * tile.Vectors + v, row * tile.Vectors + v, product + half);
                }
            }
    }

    // Four terms of a row in every lane, or in the columnwise form those of as many columns.
    private void LoadA(int register, int row, int step, int vector)
    {
        var from = Row(row, tile.Form.IsColumnwise ? vector * tile.VectorBytes : step * sizeof(int));
        Code.Vector(tile.Form.IsColumnwise ? VectorOp.Load : VectorOp.Broadcast, register, 0, from);
        if (!tile.Form.IsFlipped) return;
        if (IsNarrow) Code.Vector(VectorOp.XorBits, register, register, FlipVector);
        else Code.Vector(VectorOp.XorBits, register, register, new Mem(Arguments, At.Flip), isBroadcast: true);
    }
}
