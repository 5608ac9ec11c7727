using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Quantisation, and products of quantised operands.</summary>
internal static class Quantizations
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.ByNode<QuantizeLinear>("QuantizeLinear", r => r.Emit(new QuantizeLinear(r.Int("axis", 1), r.Int("block_size", 0), r.Type("output_dtype"), r.Type("precision"),
                r.Bool("saturate", true)), r.InputsFrom(0)),
            (w, op) => w.Emit("QuantizeLinear", ("axis", Axis(w, op.Axis)), ("block_size", Block(op.BlockSize)), ("output_dtype", op.To), ("precision", op.Precision), ("saturate", op.Saturate ? null : 0L)),
            QuantizeOpset),
        OnnxOperator.ByNode<DequantizeLinear>("DequantizeLinear", r => r.Emit(new DequantizeLinear(r.Int("axis", 1), r.Int("block_size", 0), r.Type("output_dtype")), r.InputsFrom(0)),
            (w, op) => w.Emit("DequantizeLinear", ("axis", Axis(w, op.Axis)), ("block_size", Block(op.BlockSize)), ("output_dtype", op.To)),
            n => n.Operator is DequantizeLinear { To: not null } ? 23 : MinOpset(n, ((DequantizeLinear)n.Operator).BlockSize)),
        OnnxOperator.Of<DynamicQuantizeLinear>("DynamicQuantizeLinear", r => r.Emit(new DynamicQuantizeLinear(), r.Required(0)), (w, _) => w.Emit("DynamicQuantizeLinear"), 11),
        OnnxOperator.Of<MatMulInteger>("MatMulInteger", r => r.Emit(new MatMulInteger(), r.InputsFrom(0)), (w, _) => w.Emit("MatMulInteger"), 10),
        OnnxOperator.Of<QLinearMatMul>("QLinearMatMul", r => r.Emit(new QLinearMatMul(), r.InputsFrom(0)), WriteProduct, 10),
        OnnxOperator.ReadOnly("QLinearMatMul", r => r.Emit(new QLinearMatMul(), r.InputsFrom(0)), OnnxOperator.OwnDomain),
        OnnxOperator.Of<ConvInteger>("ConvInteger", r => r.Emit(new ConvInteger(Convolutions.Convolution(r)), r.InputsFrom(0)),
            (w, op) => w.Emit("ConvInteger", Convolutions.Attributes(op.Convolution)), 10),
        OnnxOperator.Of<QLinearConv>("QLinearConv", r => r.Emit(new QLinearConv(Convolutions.Convolution(r, 3)), r.InputsFrom(0)),
            (w, op) => w.Emit("QLinearConv", Convolutions.Attributes(op.Convolution)), 10),
    ];

    /// <summary>A bias is none of ONNX's: the sums are made, raised, scaled and rounded one by one, with the same bytes.</summary>
    private static void WriteProduct(NodeWriter w, QLinearMatMul op)
    {
        var x = w.Inputs;
        if (x.Length < 9) w.Emit("QLinearMatMul");
        else if (w.IsWhole) w.EmitOwn("QLinearMatMul");
        else
        {
            var sums = w.Step("Cast", [w.Step("Add", [w.Step("MatMulInteger", [x[0], x[3], x[2], x[5]]), x[8]])], ("to", DType.Float32));
            var scaled = w.Step("Mul", [sums, w.Step("Div", [w.Step("Mul", [x[1], x[4]]), x[6]])]);
            w.Emit("QuantizeLinear", [scaled, w.Constant(Tensor.Scalar(1f)), x[7]], w.Outputs);
        }
    }

    private static long? Axis(NodeWriter w, long axis) => w.Opset >= 13 ? axis : null;

    private static long? Block(long size) => size > 0 ? size : null;

    private static long QuantizeOpset(Node node)
    {
        var op = (QuantizeLinear)node.Operator;
        if (op.Precision is not null) return 23;
        return Math.Max(op.To is not null ? 21 : op.Saturate ? 10 : 19, MinOpset(node, op.BlockSize));
    }

    /// <summary>The first form has one scale for all; the second a scale a channel; the third blocks.</summary>
    private static long MinOpset(Node node, long block) => block > 0 ? 21 : node.Input(1)?.Shape is { } s && s.All(d => d.Constant == 1) ? 10 : 13;
}
