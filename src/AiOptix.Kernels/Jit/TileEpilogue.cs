using At = AiOptix.Kernels.Jit.TileArguments.At;

namespace AiOptix.Kernels.Jit;

/// <summary>
/// The injector of what follows a product: activation(alpha·sum + row addend + column addend + residual) over accumulators, part by part, each skipped when its flag
/// is not set; then the store. The arithmetic is that of <see cref="Gemm.Epilogue"/>. Uses rax, rdx, rcx, r8 and the vector registers behind the accumulators.
/// </summary>
internal readonly struct TileEpilogue(X64Encoder code, TileCode tile, Gpr arguments)
{
    private const Gpr C = Gpr.Rax, Residual = Gpr.Rax, RowStride = Gpr.Rcx, Pointer = Gpr.Rdx;
    private const int TailMask = 1, SignMask = 2, LineBytes = 64;

    private bool IsWide => tile.VectorBytes == 64;

    /// <summary>Reads which lanes of the last vector count.</summary>
    public void LoadTail()
    {
        if (tile.HasTail && IsWide) code.LoadMask(TailMask, new(arguments, At.Tail));
    }

    /// <summary>Reads the sums so far.</summary>
    public void LoadSums()
    {
        LoadTailVector();
        code.Load(C, new(arguments, At.C));
        code.Load(RowStride, new(arguments, At.CStride));
        for (var row = 0; row < tile.Rows; row++)
        {
            for (var v = 0; v < tile.Vectors; v++) Load(row * tile.Vectors + v, v, new(C, v * tile.VectorBytes));
            if (row < tile.Rows - 1) code.Add(C, RowStride);
        }
    }

    /// <summary>Asks for the matrix to add, which the sums take a while to need.</summary>
    public void PrefetchResidual() => Part(TileFlags.Residual, AskForResidual);

    /// <summary>Writes all parts and the store.</summary>
    public void Write()
    {
        Part(~TileFlags.Accumulate, Parts);
        LoadTailVector();
        code.Load(C, new(arguments, At.C));
        code.Load(RowStride, new(arguments, At.CStride));
        for (var row = 0; row < tile.Rows; row++)
        {
            for (var v = 0; v < tile.Vectors; v++)
            {
                Mem to = new(C, v * tile.VectorBytes);
                if (!IsTail(v)) code.Vector(VectorOp.Store, row * tile.Vectors + v, 0, to);
                else if (IsWide) code.Vector(VectorOp.Store, row * tile.Vectors + v, 0, to, TailMask);
                else code.Vector(VectorOp.MaskedStore, row * tile.Vectors + v, TailVector, to);
            }
            if (row < tile.Rows - 1) code.Add(C, RowStride);
        }
    }

    private void Parts()
    {
        Part(TileFlags.Scale, Scale);
        Part(TileFlags.ColumnBias, AddColumns);
        Part(TileFlags.Residual, AddResidual);
        Part(TileFlags.Relu, Relu);
        Part(TileFlags.Leaky, Leaky);
        Part(TileFlags.Clip, Clip);
        if (IsWide) Part(TileFlags.Function, Call);
    }

    private int Free(int i) => tile.FirstFree + i;

    // 256-bit vectors have no mask registers: the lanes that count are signs in the last vector register.
    private static int TailVector => 15;

    private bool IsTail(int vector) => tile.HasTail && vector == tile.Vectors - 1;

    /// <summary>With 256-bit vectors: reads which lanes of the last vector count into the last vector register. Uses rdx.</summary>
    public void LoadTailVector()
    {
        if (!tile.HasTail || IsWide) return;
        code.Load(Pointer, new(arguments, At.Tail));
        code.Vector(VectorOp.Load, TailVector, 0, new Mem(Pointer));
    }

    /// <summary>Loads a vector of a row's columns, touching no memory beyond those that count.</summary>
    public void Load(int register, int vector, Mem from)
    {
        if (!IsTail(vector)) code.Vector(VectorOp.Load, register, 0, from);
        else if (IsWide) code.Vector(VectorOp.Load, register, 0, from, TailMask, isZeroing: true);
        else code.Vector(VectorOp.MaskedLoad, register, TailVector, from);
    }

    private void Part(TileFlags flag, Action write)
    {
        var skip = new Label();
        code.Test(new(arguments, At.Flags), (int)flag);
        code.JumpIfZero(skip);
        write();
        code.Set(skip);
    }

    private void AskForResidual()
    {
        code.Load(Residual, new(arguments, At.Residual));
        code.Load(RowStride, new(arguments, At.ResidualStride));
        for (var row = 0; row < tile.Rows; row++)
        {
            for (var line = 0; line < tile.Vectors * tile.VectorBytes; line += LineBytes) code.Prefetch(new(Residual, line));
            if (row < tile.Rows - 1) code.Add(Residual, RowStride);
        }
    }

    private void Scale()
    {
        int alpha = Free(0), addend = Free(1);
        code.Vector(VectorOp.Broadcast, alpha, 0, new Mem(arguments, At.Alpha));
        code.Load(Pointer, new(arguments, At.RowBias));
        code.Load(RowStride, new(arguments, At.RowBiasStride));
        for (var row = 0; row < tile.Rows; row++)
        {
            code.Vector(VectorOp.Broadcast, addend, 0, new Mem(Pointer));
            if (row < tile.Rows - 1) code.Add(Pointer, RowStride);
            for (var v = 0; v < tile.Vectors; v++) code.Vector(VectorOp.MultiplyAdd213, row * tile.Vectors + v, alpha, addend);
        }
    }

    private void AddColumns()
    {
        LoadTailVector();
        code.Load(Pointer, new(arguments, At.ColumnBias));
        for (var v = 0; v < tile.Vectors; v++)
        {
            Load(Free(0), v, new(Pointer, v * tile.VectorBytes));
            for (var row = 0; row < tile.Rows; row++) code.Vector(VectorOp.Add, row * tile.Vectors + v, row * tile.Vectors + v, Free(0));
        }
    }

    private void AddResidual()
    {
        LoadTailVector();
        code.Load(Residual, new(arguments, At.Residual));
        code.Load(RowStride, new(arguments, At.ResidualStride));
        for (var row = 0; row < tile.Rows; row++)
        {
            for (var v = 0; v < tile.Vectors; v++)
            {
                Load(Free(0), v, new(Residual, v * tile.VectorBytes));
                code.Vector(VectorOp.Add, row * tile.Vectors + v, row * tile.Vectors + v, Free(0));
            }
            if (row < tile.Rows - 1) code.Add(Residual, RowStride);
        }
    }

    // The operand that survives a NaN is the last one.
    private void Relu()
    {
        code.Vector(VectorOp.Xor, Free(0), Free(0), Free(0));
        for (var i = 0; i < tile.FirstFree; i++) code.Vector(VectorOp.Max, i, Free(0), i);
    }

    private void Clip()
    {
        code.Vector(VectorOp.Broadcast, Free(0), 0, new Mem(arguments, At.First));
        code.Vector(VectorOp.Broadcast, Free(1), 0, new Mem(arguments, At.Second));
        for (var i = 0; i < tile.FirstFree; i++)
        {
            code.Vector(VectorOp.Max, i, Free(0), i);
            code.Vector(VectorOp.Min, i, Free(1), i);
        }
    }

    private void Call()
    {
        code.Move(RowStride, tile.FirstFree - 1);
        code.Call(new(arguments, At.Function));
    }

    private void Leaky()
    {
        int zero = Free(0), factor = Free(1), product = Free(2), choice = Free(3);
        code.Vector(VectorOp.Xor, zero, zero, zero);
        code.Vector(VectorOp.Broadcast, factor, 0, new Mem(arguments, At.First));
        for (var i = 0; i < tile.FirstFree; i++)
        {
            if (IsWide)
            {
                code.CompareLess(SignMask, i, zero);
                code.Vector(VectorOp.Multiply, i, i, factor, SignMask);
                continue;
            }
            code.Vector(VectorOp.Multiply, product, i, factor);
            code.CompareLess(choice, i, zero);
            code.Blend(i, i, product, choice);
        }
    }
}
