using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>ONNX ML FeatureVectorizer: inputs [N, C] ([C] counts as one row) side by side as float32. An input with more features than stated is cut off, one with less filled up with 0.</summary>
/// <param name="Dimensions">How many features each input gives; empty for all it has.</param>
public sealed record FeatureVectorizer(ValueList<long> Dimensions = default) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (Dimensions.Count > 0 && Dimensions.Count != context.InputCount) throw context.Error($"{Dimensions.Count} dimensions do not fit {context.InputCount} inputs");
        Dim? rows = null, columns = Dim.Zero;
        for (var i = 0; i < context.InputCount; i++)
        {
            context.Require(i, FeatureRows.IsFeature, "float32, float64, int64 or int32");
            var s = context.Shape(i);
            if (s is { Rank: not (1 or 2) }) throw context.Error($"input {i} has shape {s}; expected [N, C] or [C]");
            if (s is not null) rows = rows is null ? s.Rank == 1 ? 1 : s[0] : context.Same(rows, s.Rank == 1 ? 1 : s[0], "rows of the inputs");
            columns = columns is null ? null : Dimensions.Count > 0 ? columns + Dimensions[i] : s is null ? null : columns + s[-1];
        }
        context.Set(0, DType.Float32, new SymbolicShape(rows ?? context.Fresh(), columns ?? context.Fresh()));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var widths = new int[context.InputCount];
        for (var i = 0; i < widths.Length; i++) widths[i] = Dimensions.Count > 0 ? (int)Dimensions[i] : FeatureRows.Of(context, context.Input(i).Shape).Features;
        var rows = FeatureRows.Of(context, context.Input(0).Shape).Rows;
        var output = context.Allocate(0, DType.Float32, new Shape(rows, widths.Sum()));
        var values = new double[output.Count];
        var from = 0;
        for (var i = 0; i < widths.Length; i++)
        {
            var own = ElementTypes.ToFloat64(context.Input(i));
            var (count, features) = FeatureRows.Of(context, context.Input(i).Shape);
            if (count != rows) throw context.Error($"input {i} has {count} rows; expected {rows}");
            var n = Math.Min(features, widths[i]);
            for (var row = 0; row < rows; row++) own.AsSpan(row * features, n).CopyTo(values.AsSpan(row * (int)output.Shape[1] + from));
            from += widths[i];
        }
        output.Store(values);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        var parts = new List<Value>();
        for (var i = 0; i < to.Node.Inputs.Count; i++)
        {
            if (to[i].Shape is not { Rank: 1 or 2 } s) return false;
            var x = to[i].DType == DType.Float32 ? to[i] : to.Add(new Cast(DType.Float32), to[i].DType == DType.Int64 ? to.Add(new Cast(DType.Float64), to[i]) : to[i]);
            if (s.Rank == 1) x = to.Add(new Unsqueeze(), x, to.Integers(0));
            if (Dimensions.Count > 0)
            {
                if (s[-1].Constant is not { } features) return false;
                if (features != Dimensions[i]) x = to.Add(new Pad(), x, to.Integers(0, 0, 0, Dimensions[i] - features));
            }
            parts.Add(x);
        }
        return parts.Count > 0 && to.Set(0, to.Add(new Concat(1), [.. parts]));
    }
}
