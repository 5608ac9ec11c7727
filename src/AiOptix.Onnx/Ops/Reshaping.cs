using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Operators that change a shape and keep the elements.</summary>
internal static class Reshaping
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<Reshape>("Reshape", ReadReshape, (w, op) => w.Emit("Reshape", ("allowzero", op.AllowZero ? 1L : null)), op => op.AllowZero ? 14 : 5),
        OnnxOperator.Of<Flatten>("Flatten", r => r.Emit(new Flatten(r.Int("axis", 1)), r.Required(0)), (w, op) => w.Emit("Flatten", ("axis", op.Axis)), op => op.Axis < 0 ? 11 : 1),
        OnnxOperator.Of<Transpose>("Transpose", r => r.Emit(new Transpose([.. r.OptionalInts("perm") ?? []]), r.Required(0)),
            (w, op) => w.Emit("Transpose", ("perm", op.Perm.Count > 0 ? op.Perm : null)), 1),
        OnnxOperator.Of<Squeeze>("Squeeze", r => r.Emit(new Squeeze(), AxesAsInput(r)), (w, _) => w.Emit("Squeeze"), 13),
        OnnxOperator.Of<Unsqueeze>("Unsqueeze", r => r.Emit(new Unsqueeze(), AxesAsInput(r)), (w, _) => w.Emit("Unsqueeze"), 13),
        OnnxOperator.Of<ShapeOf>("Shape", r => r.Emit(new ShapeOf(r.Int("start", 0), r.OptionalInt("end")), r.Required(0)),
            (w, op) => w.Emit("Shape", ("start", op.Start != 0 ? op.Start : null), ("end", op.End)), op => op.Start != 0 || op.End is not null ? 15 : 1),
        OnnxOperator.Of<Size>("Size", r => r.Emit(new Size(), r.Required(0)), (w, _) => w.Emit("Size"), 1),
        OnnxOperator.Of<Expand>("Expand", r => r.Emit(new Expand(), r.Required(0), r.Required(1)), (w, _) => w.Emit("Expand"), 8),
        OnnxOperator.Of<Tile>("Tile", ReadTile, (w, _) => w.Emit("Tile"), 6),
        OnnxOperator.Of<DepthToSpace>("DepthToSpace", r => r.Emit(new DepthToSpace(r.Int("blocksize", 1), r.String("mode", "DCR") switch
            {
                "DCR" => DepthOrder.DepthColumnRow,
                "CRD" => DepthOrder.ColumnRowDepth,
                var m => throw r.Error($"mode '{m}' must be 'DCR' or 'CRD'"),
            }), r.Required(0)),
            (w, op) => w.Emit("DepthToSpace", ("blocksize", op.BlockSize), ("mode", op.Order == DepthOrder.ColumnRowDepth ? "CRD" : null)),
            op => op.Order == DepthOrder.ColumnRowDepth ? 11 : 1),
        OnnxOperator.Of<SpaceToDepth>("SpaceToDepth", r => r.Emit(new SpaceToDepth(r.Int("blocksize", 1)), r.Required(0)),
            (w, op) => w.Emit("SpaceToDepth", ("blocksize", op.BlockSize)), 1),
    ];

    /// <summary>The inputs of an operator whose axes are an attribute below opset 13 and input 1 from there on.</summary>
    private static Graphs.Value?[] AxesAsInput(NodeReader r)
    {
        if (r.Opset >= 13) return r.InputsFrom(0);
        return r.OptionalInts("axes") is { } axes ? [r.Required(0), r.Constant(axes)] : [r.Required(0)];
    }

    private static void ReadReshape(NodeReader r)
    {
        r.Ignore("consumed_inputs");
        var shape = r.Opset < 5 ? r.Constant(r.Ints("shape").Span) : r.Required(1);
        r.Emit(new Reshape(r.Bool("allowzero", false)), r.Required(0), shape);
    }

    /// <summary>Opset 1 repeats one axis, both given as scalars.</summary>
    private static void ReadTile(NodeReader r)
    {
        if (r.Opset >= 6)
        {
            r.Emit(new Tile(), r.Required(0), r.Required(1));
            return;
        }
        // Tiles and axis are numbers of the input's type: 1 for every axis but one.
        Graphs.Value Whole(int input) => r.Add(new Cast(DType.Int64), r.Add(new Reshape(), r.Required(input), r.Constant([])));
        var rank = r.Add(new Size(), r.Add(new ShapeOf(), r.Required(0)));
        var places = r.Add(new NumericRange(), r.Constant(Tensor.Scalar(0L)), rank, r.Constant(Tensor.Scalar(1L)));
        r.Emit(new Tile(), r.Required(0), r.Add(new Where(), r.Add(new Equal(), places, Whole(2)), Whole(1), r.Constant(Tensor.Scalar(1L))));
    }
}
