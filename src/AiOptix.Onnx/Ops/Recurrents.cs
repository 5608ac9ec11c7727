using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Onnx;

/// <summary>Recurrent layers. Their opset 1 has an attribute 'output_sequence' that says whether Y is there, which the node's outputs say as well.</summary>
internal static class Recurrents
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<LSTM>("LSTM", r => Read(r, p => new LSTM(p.Direction, p.Activations, p.Clip, p.BatchFirst, r.Bool("input_forget", false)), 3),
            (w, op) => Write(w, "LSTM", op, ("input_forget", op.InputForget ? true : null)), op => op.BatchFirst ? 14 : 7),
        OnnxOperator.Of<GRU>("GRU", r => Read(r, p => new GRU(p.Direction, p.Activations, p.Clip, p.BatchFirst, r.Bool("linear_before_reset", false)), 2),
            (w, op) => Write(w, "GRU", op, ("linear_before_reset", op.LinearBeforeReset ? true : null)), op => op.BatchFirst ? 14 : 7),
        OnnxOperator.Of<RNN>("RNN", r => Read(r, p => new RNN(p.Direction, p.Activations, p.Clip, p.BatchFirst), 1),
            (w, op) => Write(w, "RNN", op), op => op.BatchFirst ? 14 : 7),
    ];

    private static void Read(NodeReader r, Func<Parts, Recurrent> make, int functions)
    {
        r.Ignore("output_sequence");
        if (r.OptionalInt("hidden_size") is { } size && r.Required(2).Shape is { Rank: 3 } s && s[2].Constant is { } hidden && hidden != size)
            throw r.Error($"hidden_size is {size}, but R has shape {s}");
        r.Emit(make(PartsOf(r, functions)), r.InputsFrom(0));
    }

    /// <summary>The LSTM that a node's attributes describe.</summary>
    public static LSTM Lstm(NodeReader r)
    {
        r.Ignore("hidden_size");
        var p = PartsOf(r, 3);
        return new(p.Direction, p.Activations, p.Clip, p.BatchFirst, r.Bool("input_forget", false));
    }

    private static Parts PartsOf(NodeReader r, int functions)
    {
        var direction = r.String("direction", "forward") switch
        {
            "forward" => RecurrentDirection.Forward,
            "reverse" => RecurrentDirection.Reverse,
            "bidirectional" => RecurrentDirection.Bidirectional,
            var d => throw r.Error($"direction '{d}' must be 'forward', 'reverse' or 'bidirectional'"),
        };
        var expected = functions * (direction == RecurrentDirection.Bidirectional ? 2 : 1);
        return new(direction, Activations(r, expected), r.OptionalFloat("clip"), r.Bool("layout", false));
    }

    /// <summary>The functions; parameters are taken in turn by those that have them.</summary>
    private static ValueList<RecurrentActivation> Activations(NodeReader r, int expected)
    {
        var (alphas, betas) = (r.OptionalFloats("activation_alpha") ?? [], r.OptionalFloats("activation_beta") ?? []);
        if (r.OptionalStrings("activations") is not { Length: > 0 } names) return default;
        if (names.Length != expected) throw r.Error($"{names.Length} activations are given; expected {expected}");
        var (alpha, beta) = (0, 0);
        return [.. names.Select(One)];

        RecurrentActivation One(string name)
        {
            if (!Enum.TryParse<RecurrentFunction>(name, ignoreCase: true, out var f) || char.IsAsciiDigit(name[0]))
                throw r.Error($"activation '{name}' must be one of {string.Join(", ", Enum.GetNames<RecurrentFunction>())}");
            return new(f, Take(RecurrentActivation.DefaultAlpha(f), alphas, ref alpha), Take(RecurrentActivation.DefaultBeta(f), betas, ref beta));
        }

        static float Take(float? otherwise, float[] given, ref int at) => otherwise is null ? 0 : at < given.Length ? given[at++] : otherwise.Value;
    }

    private static void Write(NodeWriter w, string name, Recurrent op, (string Name, object? Value) further = default)
    {
        var list = op.Activations.ToArray();
        float[] alphas = [.. list.Where(a => RecurrentActivation.DefaultAlpha(a.Function) is not null).Select(a => a.Alpha)];
        float[] betas = [.. list.Where(a => RecurrentActivation.DefaultBeta(a.Function) is not null).Select(a => a.Beta)];
        w.Emit(name,
            ("direction", op.Direction == RecurrentDirection.Forward ? null : op.Direction == RecurrentDirection.Reverse ? "reverse" : "bidirectional"),
            ("hidden_size", w.Node.Inputs[2]!.Shape?[2].Constant),
            ("activations", list.Length > 0 ? list.Select(a => a.Function.ToString()).ToArray() : null),
            ("activation_alpha", alphas.Length > 0 ? alphas : null), ("activation_beta", betas.Length > 0 ? betas : null),
            ("clip", op.Clip), ("layout", op.BatchFirst ? true : null), (further.Name ?? "", further.Value));
    }

    private sealed record Parts(RecurrentDirection Direction, ValueList<RecurrentActivation> Activations, float? Clip, bool BatchFirst);
}
