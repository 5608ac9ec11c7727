using At = AiOptix.Kernels.Jit.TileArguments.At;

namespace AiOptix.Kernels.Jit;

/// <summary>
/// Generates the tile of a convolution with one channel a group: some pixels of an output line by a vector of channels, with its epilogue; then the next vectors of channels of the same pixels.
/// Vector registers: one accumulator a pixel from 0 upwards for the whole sum, then the weights of a kernel line, then an input pixel. Each kernel line loads its weights and every input pixel once, and
/// adds it to all pixels that see it; so the terms of a pixel come in the order of the taps, with one rounding each. Where a kernel line has more taps than there are registers, weights come
/// straight from memory. Positions outside the input are no code.
/// A points to the first position inside the input, positions are AStride apart; a piece is a kernel line: where it lies behind A and its weights behind B, in floats. BStride leads to the weights of the next
/// vector of channels, of which there are Tiles.
/// General registers: rax input pixels, r8 their distance, r9 and r10 its triple and quadruple, rdx weights, rcx bases, r12 the pieces' offsets, r13 the pieces left.
/// </summary>
internal sealed class DepthwiseGenerator(DepthwiseCode tile) : KernelGenerator(tile.VectorBytes)
{
    private const Gpr A = Gpr.Rax, AStride = Gpr.R8, Triple = Gpr.R9, Quadruple = Gpr.R10, B = Gpr.Rdx, Base = Gpr.Rcx, Offsets = Gpr.R12, Pieces = Gpr.R13;

    private int Input => HoldsWeights ? tile.Pixels + tile.Taps : tile.Pixels;

    // With 256-bit vectors the last register may hold which lanes count.
    private bool HoldsWeights => tile.Pixels + tile.Taps < TileCode.Registers(tile.VectorBytes) - (tile is { HasTail: true, VectorBytes: 32 } ? 1 : 0);

    protected override ReadOnlySpan<Gpr> Saved => [Gpr.R12, Gpr.R13];

    protected override void Body()
    {
        Label nextVector = new(), line = new(), summed = new();
        var epilogue = new TileEpilogue(Code, new(tile.VectorBytes, tile.Pixels, 1, tile.HasTail, TileForm.Strided), Arguments);
        epilogue.LoadTail();
        Code.Set(nextVector);
        epilogue.PrefetchResidual();
        for (var i = 0; i < tile.Pixels; i++) Code.Vector(VectorOp.Xor, i, i, i);
        epilogue.LoadTailVector();
        Code.Load(AStride, new(Arguments, At.AStride));
        Code.Address(Triple, new(AStride) { Index = AStride, Scale = 1 });
        Code.Address(Quadruple, new(Triple) { Index = AStride, Scale = 0 });
        Code.Load(Offsets, new(Arguments, At.Offsets));
        Code.Load(Pieces, new(Arguments, At.Pieces));
        Code.Subtract(Pieces, 0);
        Code.JumpIfZero(summed);
        Code.Set(line);
        Place(A, At.A, 0);
        Place(B, At.B, sizeof(int));
        Code.Add(Offsets, 2 * sizeof(int));
        KernelLine(epilogue);
        Code.Decrement(Pieces);
        Code.JumpIfNotZero(line);
        Code.Set(summed);
        epilogue.Write();
        Advance(At.B, At.BStride);
        foreach (var field in (int[])[At.A, At.C, At.Residual, At.ColumnBias]) Advance(field);
        Code.Decrement(new Mem(Arguments, At.Tiles));
        Code.JumpIfNotZero(nextVector);
    }

    private void KernelLine(TileEpilogue epilogue)
    {
        for (var tap = 0; HoldsWeights && tap < tile.Taps; tap++) Code.Vector(VectorOp.Load, tile.Pixels + tap, 0, Weights(tap));
        var at = tile.First;
        for (var position = tile.First; position < tile.End; position++)
        {
            // The taps that see the position, each from a pixel of its own, the last one first.
            var taps = new List<int>();
            for (var t = tile.Taps - 1; t >= 0; t--)
                if ((position - t * tile.Dilation) % tile.Stride == 0 && Pixel(position, t) >= 0 && Pixel(position, t) < tile.Pixels) taps.Add(t);
            if (taps.Count == 0) continue;
            for (; position - at >= 4; at += 4) Code.Add(A, Quadruple);
            epilogue.Load(Input, 0, (position - at) switch
            {
                0 => new(A),
                3 => new(A) { Index = Triple },
                var strides => new(A) { Index = AStride, Scale = strides - 1 },
            });
            foreach (var tap in taps)
            {
                if (HoldsWeights) Code.Vector(VectorOp.MultiplyAdd231, Pixel(position, tap), Input, tile.Pixels + tap);
                else Code.Vector(VectorOp.MultiplyAdd231, Pixel(position, tap), Input, Weights(tap));
            }
        }
    }

    // Which pixel sees a position through a tap.
    private int Pixel(int position, int tap) => position < tap * tile.Dilation ? -1 : (position - tap * tile.Dilation) / tile.Stride;

    private Mem Weights(int tap) => new(B, tap * tile.VectorBytes);

    private void Place(Gpr to, int field, int offset)
    {
        Code.LoadInt32(to, new(Offsets, offset));
        Code.Load(Base, new(Arguments, field));
        Code.Address(to, new(Base) { Index = to, Scale = 2 });
    }

    private void Advance(int field, int step = -1)
    {
        Code.Load(A, new(Arguments, field));
        if (step < 0) Code.Add(A, tile.VectorBytes);
        else Code.Add(A, new Mem(Arguments, step));
        Code.Store(new(Arguments, field), A);
    }
}
