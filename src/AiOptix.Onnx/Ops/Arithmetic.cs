using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Onnx;

/// <summary>Arithmetic on two or more operands, and the broadcasting rules of old opsets.</summary>
internal static class Arithmetic
{
    public static OnnxOperator[] Rows { get; } =
    [
        Pair<Add>("Add", 7), Pair<Sub>("Sub", 7), Pair<Mul>("Mul", 7), Pair<Div>("Div", 7),
        OnnxOperator.Of<Pow>("Pow", r => EmitPair(r, new Pow()), WritePow, 7),
        OnnxOperator.Of<Mod>("Mod", r => EmitPair(r, new Mod(r.Bool("fmod", false))), (w, op) => w.Emit("Mod", ("fmod", op.Truncated ? 1L : null)), 10),
        Variadic<Min>("Min"), Variadic<Max>("Max"), Variadic<Sum>("Sum"), Variadic<Mean>("Mean"),
    ];

    /// <summary>An operator of two operands without attributes of its own.</summary>
    public static OnnxOperator Pair<T>(string name, long minOpset) where T : Operator, new() =>
        OnnxOperator.Of<T>(name, r => EmitPair(r, new T()), (w, _) => w.Emit(name), minOpset);

    /// <summary>Below opset 7 the right operand broadcasts only when asked to, and lies along the axes from <c>axis</c> on: it gets axes of extent 1 behind its own.</summary>
    public static void EmitPair(NodeReader r, Operator op)
    {
        r.Ignore("consumed_inputs");
        Value a = r.Required(0), b = r.Required(1);
        if (r.Opset < 7 && r.Bool("broadcast", false) && r.OptionalInt("axis") is { } axis)
        {
            if (a.Shape is not { } left || b.Shape is not { } right) throw r.Error("'axis' needs operands of known rank; convert the model to opset 7");
            if (axis < 0) axis += left.Rank;
            var behind = left.Rank - axis - right.Rank;
            if (axis < 0 || behind < 0) throw r.Error($"the right operand of shape {right} does not fit from axis {axis} of the left operand of shape {left} on");
            if (behind > 0) b = r.Add(new Unsqueeze(), b, r.Constant([.. Enumerable.Range(right.Rank, (int)behind).Select(i => (long)i)]));
        }
        r.Emit(op, a, b);
    }

    private static OnnxOperator Variadic<T>(string name) where T : Operator, new() => OnnxOperator.Of<T>(name, r =>
    {
        r.Ignore("consumed_inputs");
        if (r.InputCount == 0) throw r.Error("at least one input is required");
        r.Emit(new T(), r.InputsFrom(0));
    }, (w, _) => w.Emit(name), 8);

    /// <summary>Below opset 12 the exponent has the type of the base.</summary>
    private static void WritePow(NodeWriter w, Pow op)
    {
        var type = w.Node.Inputs[0]!.DType;
        if (w.Opset >= 12 || w.Node.Inputs[1]!.DType == type) w.Emit("Pow");
        else w.Emit("Pow", [w.Inputs[0], w.Step("Cast", [w.Inputs[1]], ("to", type))], w.Outputs);
    }
}
