using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>Activations with a bias or a residual of <c>com.microsoft</c>.</summary>
internal static class FusedActivations
{
    private const float QuickGeluAlpha = 1.702f;

    public static OnnxOperator[] Rows { get; } =
    [
        Row("Gelu", r => r.Emit(new Gelu(), r.Required(0))),
        Row("BiasGelu", r => r.Emit(new Gelu(), r.Plus(r.Required(0), r.Required(1)))),
        Row("FastGelu", r => r.Emit(new Gelu(TanhApproximation: true), r.Plus(r.Required(0), r.Input(1)))),
        Row("QuickGelu", r => r.Emit(new Swish(r.Float("alpha", QuickGeluAlpha)), r.Required(0))),
        Row("BiasAdd", r => r.Emit(new Add(), r.Plus(r.Required(0), r.Required(1)), r.Required(2))),
        Row("BiasSplitGelu", ReadBiasSplitGelu),
    ];

    /// <summary>One half times the Gelu of the other.</summary>
    private static void ReadBiasSplitGelu(NodeReader r)
    {
        var halves = r.AddAll(new Split(-1), 2, r.Plus(r.Required(0), r.Required(1)));
        r.Emit(new Mul(), halves[0], r.Add(new Gelu(), halves[1]));
    }
}
