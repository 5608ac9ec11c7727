using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Onnx;

/// <summary>The Reduce family.</summary>
internal static class Reductions
{
    public static OnnxOperator[] Rows { get; } =
    [
        Row<ReduceSum>(13, (k, n) => new(k, n)),
        Row<ReduceMean>(18, (k, n) => new(k, n)),
        Row<ReduceProd>(18, (k, n) => new(k, n)),
        Row<ReduceMax>(18, (k, n) => new(k, n)),
        Row<ReduceMin>(18, (k, n) => new(k, n)),
        Row<ReduceL1>(18, (k, n) => new(k, n)),
        Row<ReduceL2>(18, (k, n) => new(k, n)),
        Row<ReduceLogSum>(18, (k, n) => new(k, n)),
        Row<ReduceLogSumExp>(18, (k, n) => new(k, n)),
        Row<ReduceSumSquare>(18, (k, n) => new(k, n)),
    ];

    /// <param name="axesAreInput">The version from which on the axes are an input; before, they are an attribute.</param>
    /// <param name="make">Makes the operator from keepdims and noop_with_empty_axes.</param>
    private static OnnxOperator Row<T>(long axesAreInput, Func<bool, bool, T> make) where T : Reduction =>
        OnnxOperator.ByNode<T>(typeof(T).Name, r =>
            {
                var op = make(r.Bool("keepdims", true), r.Bool("noop_with_empty_axes", false));
                var axes = r.Opset >= axesAreInput ? r.Input(1) : r.OptionalInts("axes") is { Length: > 0 } given ? r.Constant(given) : null;
                if (axes is null) r.Emit(op, r.Required(0));
                else r.Emit(op, r.Required(0), axes);
            },
            (w, op) =>
            {
                if (w.Opset >= axesAreInput) w.Emit(op.Name, ("keepdims", op.KeepDims), ("noop_with_empty_axes", op.NoopWithEmptyAxes ? true : null));
                else w.Emit(op.Name, [w.Inputs[0]], w.Outputs, ("axes", w.Integers(1)), ("keepdims", op.KeepDims));
            },
            node => AxesFitAnAttribute(node) ? 11 : axesAreInput);

    /// <summary>Whether the axes are left out or a constant that names some, which an attribute can say as well (from version 11 on negative ones, too).</summary>
    private static bool AxesFitAnAttribute(Node node) =>
        !((Reduction)node.Operator).NoopWithEmptyAxes && (node.Input(1) is not { } axes || axes.Constant is { Count: > 0 });
}
