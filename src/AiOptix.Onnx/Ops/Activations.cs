using AiOptix.Graphs;
using AiOptix.Graphs.Evaluate;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Activation functions. Those of newer opsets are decomposed for older ones.</summary>
internal static class Activations
{
    public static OnnxOperator[] Rows { get; } =
    [
        Functions.Row<Relu>("Relu", 6), Functions.Row<Sigmoid>("Sigmoid", 6), Functions.Row<Softplus>("Softplus", 1), Functions.Row<Softsign>("Softsign", 1),
        Row<LeakyRelu>("LeakyRelu", r => new(r.Float("alpha", 0.01f)), (w, op) => w.Emit("LeakyRelu", ("alpha", op.Alpha)), 6),
        Row<Elu>("Elu", r => new(r.Float("alpha", 1)), (w, op) => w.Emit("Elu", ("alpha", op.Alpha)), 6),
        Row<Selu>("Selu", r => new(r.Float("alpha", r.Opset < 6 ? 1.6732f : Selu.DefaultAlpha), r.Float("gamma", r.Opset < 6 ? 1.0507f : Selu.DefaultGamma)),
            (w, op) => w.Emit("Selu", ("alpha", op.Alpha), ("gamma", op.Gamma)), 6),
        Row<Celu>("Celu", r => new(r.Float("alpha", 1)), (w, op) => w.Emit("Celu", ("alpha", op.Alpha)), 12),
        Row<ThresholdedRelu>("ThresholdedRelu", r => new(r.Float("alpha", 1)), (w, op) => w.Emit("ThresholdedRelu", ("alpha", op.Alpha)), 10),
        Row<HardSigmoid>("HardSigmoid", r => new(r.Float("alpha", 0.2f), r.Float("beta", 0.5f)), (w, op) => w.Emit("HardSigmoid", ("alpha", op.Alpha), ("beta", op.Beta)), 6),
        Row<Shrink>("Shrink", r => new(r.Float("bias", 0), r.Float("lambd", 0.5f)), (w, op) => w.Emit("Shrink", ("bias", op.Bias), ("lambd", op.Lambda)), 9),
        Row<HardSwish>("HardSwish", _ => new(), WriteHardSwish, 7),
        Row<Mish>("Mish", _ => new(), WriteMish, 7),
        Row<Swish>("Swish", r => new(r.Float("alpha", 1)), WriteSwish, 7),
        Row<Gelu>("Gelu", r => new(r.String("approximate", "none") switch
        {
            "none" => false,
            "tanh" => true,
            var a => throw r.Error($"approximate '{a}' must be 'none' or 'tanh'"),
        }), WriteGelu, 9),
        OnnxOperator.Of<PRelu>("PRelu", ReadPRelu, (w, _) => w.Emit("PRelu"), 7),
        OnnxOperator.Of<Clip>("Clip", ReadClip, WriteClip, 8),
        OnnxOperator.Of<Dropout>("Dropout", ReadDropout, (w, op) => w.Emit("Dropout", ("seed", op.Seed)), 12),
    ];

    private static OnnxOperator Row<T>(string name, Func<NodeReader, T> read, Action<NodeWriter, T> write, long minOpset) where T : Operator => OnnxOperator.Of<T>(name, r =>
    {
        r.Ignore("consumed_inputs");
        r.Emit(read(r), r.Required(0));
    }, write, minOpset);

    private static void WriteHardSwish(NodeWriter w, HardSwish op)
    {
        if (w.Opset >= 14) w.Emit("HardSwish");
        else Multiply(w, w.Inputs[0], w.Step("HardSigmoid", w.Inputs, ("alpha", 1f / 6), ("beta", 0.5f)));
    }

    private static void WriteMish(NodeWriter w, Mish op)
    {
        if (w.Opset >= 18) w.Emit("Mish");
        else Multiply(w, w.Inputs[0], w.Step("Tanh", [w.Step("Softplus", w.Inputs)]));
    }

    private static void WriteSwish(NodeWriter w, Swish op)
    {
        if (w.Opset >= 24)
        {
            w.Emit("Swish", ("alpha", op.Alpha));
            return;
        }
        if (w.ForOnnxRuntime)
        {
            w.EmitMicrosoft("QuickGelu", ("alpha", op.Alpha));
            return;
        }
        var x = w.Inputs[0];
        Multiply(w, x, w.Step("Sigmoid", [op.Alpha == 1 ? x : w.Step("Mul", [x, Number(w, op.Alpha)])]));
    }

    private static void WriteGelu(NodeWriter w, Gelu op)
    {
        if (w.Opset >= 20)
        {
            w.Emit("Gelu", ("approximate", op.TanhApproximation ? "tanh" : null));
            return;
        }
        if (w.ForOnnxRuntime)
        {
            w.EmitMicrosoft(op.TanhApproximation ? "FastGelu" : "Gelu");
            return;
        }
        var x = w.Inputs[0];
        string curve;
        if (op.TanhApproximation)
        {
            var cubic = w.Step("Mul", [w.Step("Mul", [w.Step("Mul", [x, x]), x]), Number(w, 0.044715)]);
            curve = w.Step("Tanh", [w.Step("Mul", [w.Step("Add", [x, cubic]), Number(w, Math.Sqrt(2 / Math.PI))])]);
        }
        else curve = w.Step("Erf", [w.Step("Mul", [x, Number(w, Math.Sqrt(0.5))])]);
        Multiply(w, w.Step("Mul", [x, Number(w, 0.5)]), w.Step("Add", [curve, Number(w, 1)]));
    }

    private static void Multiply(NodeWriter w, string a, string b) => w.Emit("Mul", [a, b], w.Outputs);

    private static string Number(NodeWriter w, double value) => w.Constant(ElementTypes.From([value], w.Node.Output.DType, Shape.Scalar));

    /// <summary>Below opset 7 a slope of rank 1 goes along axis 1 instead of the last one.</summary>
    private static void ReadPRelu(NodeReader r)
    {
        r.Ignore("consumed_inputs");
        Value x = r.Required(0), slope = r.Required(1);
        if (r.Opset < 7 && slope.Shape is { Rank: 1 } s && s[0].Constant != 1)
        {
            var rank = x.Shape?.Rank ?? throw r.Error("this version needs an input of known rank; convert the model to opset 7");
            if (rank > 2) slope = r.Add(new Unsqueeze(), slope, r.Constant([.. Enumerable.Range(1, rank - 2).Select(a => (long)a)]));
        }
        r.Emit(new PRelu(), x, slope);
    }

    private static void ReadClip(NodeReader r)
    {
        r.Ignore("consumed_inputs");
        var x = r.Required(0);
        if (r.Opset >= 11) r.Emit(new Clip(), x, r.Input(1), r.Input(2));
        else r.Emit(new Clip(), x, Bound(r.OptionalFloat("min")), Bound(r.OptionalFloat("max")));

        Value? Bound(float? bound) => bound is { } b ? r.Constant(ElementTypes.From([b], x.DType == DType.Undefined ? DType.Float32 : x.DType, Shape.Scalar)) : null;
    }

    /// <summary>Below opset 11 constant bounds are attributes; others become Max and Min.</summary>
    private static void WriteClip(NodeWriter w, Clip op)
    {
        Tensor? min = w.Node.Input(1)?.Constant, max = w.Node.Input(2)?.Constant;
        if (w.Opset >= 11) w.Emit("Clip");
        else if ((w.Node.Input(1) is null || min is not null) && (w.Node.Input(2) is null || max is not null))
            w.Emit("Clip", [w.Inputs[0]], w.Outputs, ("min", Float(min)), ("max", Float(max)));
        else if (w.Node.Input(1) is null) w.Emit("Min", [w.Inputs[0], w.Inputs[2]], w.Outputs);
        else if (w.Node.Input(2) is null) w.Emit("Max", [w.Inputs[0], w.Inputs[1]], w.Outputs);
        else w.Emit("Min", [w.Step("Max", [w.Inputs[0], w.Inputs[1]]), w.Inputs[2]], w.Outputs);

        static object? Float(Tensor? bound) => bound is null ? null : (float)ElementTypes.ToFloat64(bound)[0];
    }

    /// <summary>Without a training mode to ask for, and without its mask, it is the identity. Before version 10 the mask has the type of the data.</summary>
    private static void ReadDropout(NodeReader r)
    {
        r.Ignore("consumed_inputs", "is_test", "ratio");
        var x = r.Required(0);
        var seed = r.OptionalInt("seed");
        if (!r.HasOutput(1) && r.Input(2) is null) r.Emit(new Identity(), x);
        else if (r.Opset >= 10) r.Emit(new Dropout(seed), [.. r.InputsFrom(0)]);
        else
        {
            var all = r.AddAll(new Dropout(seed), 2, x);
            r.Bind(0, all[0]);
            r.EmitOutput(1, new Cast(x.DType), all[1]);
        }
    }
}
