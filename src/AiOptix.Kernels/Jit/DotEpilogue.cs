using At = AiOptix.Kernels.Jit.DotArguments.At;

namespace AiOptix.Kernels.Jit;

/// <summary>
/// The injector of what follows an int8 product: scaling, rounding, the zero point, the cut at the type's range, and the store. Uses rax, rcx, rdx and the vector registers behind the
/// accumulators; sums are overwritten. All steps give the bits of <see cref="QuantizedConv.QuantizedStore"/>.
/// </summary>
internal readonly struct DotEpilogue(X64Encoder code, DotCode tile, Gpr arguments)
{
    /// <summary>The mask register of the columns that are written.</summary>
    public const int TailMask = 1;

    private const Gpr C = Gpr.Rax, RowStride = Gpr.Rcx, Pointer = Gpr.Rdx;
    private const int Ymm = 32;

    private bool IsNarrow => tile.VectorBytes == Ymm;

    /// <summary>Writes it.</summary>
    public void Write()
    {
        if (tile.Form.Store != DotStore.Int32) Scale();
        if (tile.Form.StoresBytes) Bytes();
        else Numbers();
    }

    private int Free(int i) => tile.FirstFree + i;

    private void Scale()
    {
        int factor = Free(0), most = Free(1), least = Free(2);
        if (tile.Form.IsLimited)
        {
            Broadcast(most, At.Most);
            Broadcast(least, At.Least);
        }
        code.Load(Pointer, new(arguments, At.Factors));
        for (var v = 0; v < tile.Vectors; v++)
        {
            code.Vector(VectorOp.Load, factor, 0, new Mem(Pointer, v * tile.VectorBytes));
            for (var i = v; i < tile.FirstFree; i += tile.Vectors)
            {
                code.Vector(VectorOp.ToFloats, i, 0, i);
                code.Vector(VectorOp.Multiply, i, i, factor);
                if (!tile.Form.StoresBytes) continue;
                if (tile.Form.IsLimited)
                {
                    code.Vector(VectorOp.Max, i, i, least);
                    code.Vector(VectorOp.Min, i, i, most);
                }
                code.Vector(VectorOp.ToInts, i, 0, i);
            }
        }
        if (!tile.Form.HasAddends) return;
        code.Load(Pointer, new(arguments, At.Addends));
        for (var v = 0; v < tile.Vectors; v++)
        {
            code.Vector(VectorOp.Load, factor, 0, new Mem(Pointer, v * tile.VectorBytes));
            for (var i = v; i < tile.FirstFree; i += tile.Vectors) code.Vector(VectorOp.Add, i, i, factor);
        }
    }

    private void Bytes()
    {
        int zero = Free(0), low = Free(1), high = Free(2);
        var isSingle = tile.Vectors == 1;
        // Packing four vectors to bytes cuts off at the type's range by itself; storing the lower bytes of lanes does not.
        var isCut = tile.Form.IsClipped || (tile.Vectors < 4 && !IsNarrow);
        Broadcast(zero, isSingle ? At.Zero : At.ZeroWords);
        if (isCut)
        {
            Broadcast(low, isSingle ? At.Low : At.LowWords);
            Broadcast(high, isSingle ? At.High : At.HighWords);
        }
        var (add, max, min) = isSingle ? (VectorOp.AddInts, VectorOp.MaxInts, VectorOp.MinInts) : (VectorOp.AddWordsSaturated, VectorOp.MaxWords, VectorOp.MinWords);
        code.Load(C, new(arguments, At.C));
        code.Load(RowStride, new(arguments, At.CStride));
        for (var row = 0; row < tile.Rows; row++)
        {
            var first = row * tile.Vectors;
            for (var i = first; i < first + tile.Vectors; i += 2)
            {
                if (!isSingle) code.Vector(VectorOp.PackInts, i, i, i + 1);
                code.Vector(add, i, i, zero);
                if (!isCut) continue;
                code.Vector(max, i, i, low);
                code.Vector(min, i, i, high);
            }
            StoreBytes(first);
            if (row < tile.Rows - 1) code.Add(C, RowStride);
        }
    }

    private void StoreBytes(int first)
    {
        var mask = tile.HasTail ? TailMask : 0;
        if (tile.Vectors == 1) code.Vector(VectorOp.StoreBytesOfInts, first, 0, new Mem(C), mask);
        else if (tile.Vectors == 2 && !IsNarrow) code.Vector(VectorOp.StoreBytesOfWords, first, 0, new Mem(C), mask);
        else
        {
            code.Vector(tile.Form.Store == DotStore.Int8 ? VectorOp.PackWordsSigned : VectorOp.PackWordsUnsigned, first, first, first + (tile.Vectors == 4 ? 2 : 0));
            if (tile.Vectors == 4) code.Vector(tile.HasTail ? VectorOp.StoreBytes : VectorOp.Store, first, 0, new Mem(C), mask);
            else
            {
                code.JoinEvenQuarters(first, first);
                code.Lower(VectorOp.Store, first, new(C));
            }
        }
    }

    // 32-bit lanes: only the last vector's may be left out, so the mask is shifted to them by the caller.
    private void Numbers()
    {
        code.Load(C, new(arguments, At.C));
        code.Load(RowStride, new(arguments, At.CStride));
        for (var row = 0; row < tile.Rows; row++)
        {
            for (var v = 0; v < tile.Vectors; v++)
                code.Vector(VectorOp.Store, row * tile.Vectors + v, 0, new Mem(C, v * tile.VectorBytes), tile.HasTail && v == tile.Vectors - 1 ? TailMask : 0);
            if (row < tile.Rows - 1) code.Add(C, RowStride);
        }
    }

    private void Broadcast(int register, int field) => code.Vector(VectorOp.Broadcast, register, 0, new Mem(arguments, field));
}
