using AiOptix.Graphs;
using AiOptix.Graphs.Evaluate;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>Embeddings that are stored quantised: GatherBlockQuantized gathers entries with the scales and zero points of their blocks, and makes them numbers then.</summary>
internal static class QuantizedRows
{
    public static OnnxOperator[] Rows { get; } = [Row("GatherBlockQuantized", Read)];

    private static void Read(NodeReader r)
    {
        var (data, indices, scales, zeros) = (r.Required(0), r.Required(1), r.Required(2), r.Input(3));
        var (rank, bits, block) = (r.RankOf(data), r.Int("bits", 4), r.Int("block_size", 128));
        long Axis(string name, long otherwise) => r.Int(name, otherwise) is var a && a < 0 ? a + rank : a;
        var (gathered, quantised) = (Axis("gather_axis", 0), Axis("quantize_axis", 1));
        if (bits is not (2 or 4 or 8)) throw r.Error($"bits {bits} must be 2, 4 or 8");
        var isPacked = data.DType == DType.UInt8 && bits < 8;
        if (isPacked && gathered == rank - 1) throw r.Error("packed elements cannot be gathered along the axis that they are packed along");
        Value Entries(Value v) => r.Add(new Gather(gathered), v, indices);
        Value Whole(Value v) => isPacked ? Unpacked(r, v, bits) : v;
        var (values, factors) = (Whole(Entries(data)), Entries(scales));
        var centre = zeros is not null ? r.Add(new Slice(), Whole(Entries(zeros)), r.Constant(0L), r.Extents(factors, -1, long.MaxValue), r.Constant(-1L))
            : r.Add(new ConstantOfShape(ElementTypes.From([data.DType == DType.UInt8 ? 1 << ((int)bits - 1) : 0], data.DType, new Shape(1))), r.Add(new ShapeOf(), factors));
        r.Emit(new DequantizeLinear(quantised + (gathered < quantised ? r.RankOf(indices) - 1 : 0), block), values, factors, centre);
    }

    /// <summary>Bytes [..., n] as the bit fields in them [..., fields · n], the lowest first.</summary>
    private static Value Unpacked(NodeReader r, Value bytes, long bits)
    {
        Value Bytes(params double[] values) => r.Constant(ElementTypes.From(values, DType.UInt8, values.Length == 1 ? Shape.Scalar : new Shape(values.Length)));
        var shifts = Bytes([.. Enumerable.Range(0, 8 / (int)bits).Select(i => (double)(i * bits))]);
        var fields = r.Add(new BitwiseAnd(), r.Add(new BitShift(Left: false), r.Unsqueezed(bytes, r.RankOf(bytes)), shifts), Bytes((1 << (int)bits) - 1));
        return r.Add(new Reshape(), fields, r.Joined(0, r.Extents(bytes, 0, r.RankOf(bytes) - 1), r.Constant(-1L)));
    }
}
