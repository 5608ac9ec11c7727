using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx.Microsoft;

/// <summary>
/// Constant weights of 4 or 8 bits that a DequantizeLinear makes numbers in blocks of a product's terms: what ONNX Runtime's MatMulNBits stores as one operator. That takes the weights row by row of the
/// results, each row in whole blocks, unsigned, low bits first; a zero point that is left out is the middle of the type. Signed integers become such by adding the middle to them and to
/// their zero points, which changes no difference between the two.
/// </summary>
/// <param name="Integers">[K,N], or [N,K].</param>
/// <param name="Scales">A scale for each block of each result, in the same order of axes.</param>
/// <param name="Zeros">Of the scales' shape, or null.</param>
/// <param name="IsTransposed">[N,K].</param>
/// <param name="Size">The terms of a block; the last one may be shorter.</param>
internal sealed record BlockedWeights(Tensor Integers, Tensor Scales, Tensor? Zeros, bool IsTransposed, long Size)
{
    private const int LeastSize = 16;

    private int Bits => Integers.DType.Bits();

    /// <summary>Toggles between a signed type and the unsigned one around its middle.</summary>
    private int Flip => Integers.DType is DType.Int4 or DType.Int8 ? Middle : 0;

    private int Middle => 1 << (Bits - 1);

    private long Terms => Integers.Shape[IsTransposed ? 1 : 0];

    private long Results => Integers.Shape[IsTransposed ? 0 : 1];

    private long Count => (Terms + Size - 1) / Size;

    /// <summary>The weights of a MatMul; null where MatMulNBits cannot hold them.</summary>
    public static BlockedWeights? Of(Node product)
    {
        if (product is not { Operator: MatMul, Inputs: [{ DType: DType.Float32 or DType.Float16, Shape: { Rank: >= 2 } x } left, { Producer: { } producer }] }) return null;
        var isTransposed = producer.Operator is Transpose;
        if (isTransposed)
        {
            if (!((Transpose)producer.Operator).Perm.SequenceEqual([1, 0]) || producer.Inputs[0]!.Producer is not { } before) return null;
            producer = before;
        }
        if (producer is not { Operator: DequantizeLinear op, Inputs: [{ Constant: { Shape.Rank: 2, DType: DType.Int4 or DType.UInt4 or DType.Int8 or DType.UInt8 } integers }, { Constant: { Shape.Rank: 2 } scales }, ..] }) return null;
        if (scales.DType != left.DType || op.To is { } to && to != left.DType || producer.Input(2) is { IsConstant: false }) return null;
        var axis = isTransposed ? 1 : 0;
        if ((op.Axis < 0 ? op.Axis + 2 : op.Axis) != axis || op.BlockSize < LeastSize || !long.IsPow2(op.BlockSize) || !x[-1].Equals(integers.Shape[axis])) return null;
        return integers.Count > 0 ? new(integers, scales, producer.Input(2)?.Constant, isTransposed, op.BlockSize) : null;
    }

    /// <summary>Whether a node only makes numbers of such weights, for products that all take them as they are stored.</summary>
    public static bool AreMadeBy(Node node) => node.Operator is DequantizeLinear or Transpose && node.Output is { OutputUses: 0, Users: { Count: > 0 } users }
        && users.All(u => u.Operator is Transpose && node.Operator is DequantizeLinear ? AreMadeBy(u) : u.Operator is MatMul && u.Inputs[1] == node.Output && u.Inputs[0] != node.Output && Of(u) is not null);

    /// <summary>Writes the product.</summary>
    public void Write(NodeWriter w)
    {
        var rows = Laid((bytes, i) => Field(bytes, i) ^ Flip, Integers, Terms, Count * Size, Middle);
        string[] inputs = [w.Inputs[0], w.Constant(Tensor.From<byte>(rows, new Shape(Results, Count, Size * Bits / 8))), w.Constant(RowByRow(Scales))];
        if (Zeros is not null || Flip == 0)
        {
            var zeros = Laid((bytes, i) => Zeros is null ? 0 : Field(bytes, i) ^ Flip, Zeros ?? Scales, Count, PaddedCount, 0);
            inputs = [.. inputs, w.Constant(Tensor.From<byte>(zeros, new Shape(Results, PaddedCount * Bits / 8)))];
        }
        w.EmitMicrosoft("MatMulNBits", inputs, ("K", Terms), ("N", Results), ("block_size", Size), ("bits", (long)Bits));
    }

    /// <summary>The zero points of a row fill whole bytes.</summary>
    private long PaddedCount => (Count * Bits + 7) / 8 * 8 / Bits;

    private int Field(ReadOnlySpan<byte> bytes, long i) => Bits == 8 ? bytes[(int)i] : bytes[(int)(i / 2)] >> (4 * (int)(i & 1)) & 15;

    private delegate int Read(ReadOnlySpan<byte> bytes, long i);

    /// <summary>Bit fields row by row of the results, each row filled up.</summary>
    private byte[] Laid(Read read, Tensor from, long length, long padded, int filling)
    {
        var to = new byte[Results * padded * Bits / 8];
        var bytes = from.Bytes;
        for (long row = 0; row < Results; row++)
            for (long i = 0; i < padded; i++)
            {
                var field = i < length ? read(bytes, IsTransposed ? row * length + i : i * Results + row) : filling;
                var at = row * padded + i;
                if (Bits == 8) to[at] = (byte)field;
                else to[at / 2] |= (byte)(field << (4 * (int)(at & 1)));
            }
        GC.KeepAlive(from);
        return to;
    }

    private Tensor RowByRow(Tensor scales)
    {
        if (IsTransposed) return scales;
        var to = Tensor.Allocate(scales.DType, new Shape(Results, Count));
        var size = scales.DType.Bits() / 8;
        for (long row = 0; row < Results; row++)
            for (long i = 0; i < Count; i++) scales.Bytes.Slice((int)(i * Results + row) * size, size).CopyTo(to.Bytes[((int)(row * Count + i) * size)..]);
        return to;
    }
}
