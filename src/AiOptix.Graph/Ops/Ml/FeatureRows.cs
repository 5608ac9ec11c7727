using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>What operators over rows of features share: the types of features, and rows of [N, C] inputs, of which [C] is one.</summary>
internal static class FeatureRows
{
    /// <summary>float32, float64, int64 and int32.</summary>
    public static bool IsFeature(DType type) => type is DType.Float32 or DType.Float64 or DType.Int64 or DType.Int32;

    /// <summary>Requires input 0 to hold features.</summary>
    public static DType Require(InferenceContext context) => context.Require(0, IsFeature, "float32, float64, int64 or int32");

    /// <summary>How many rows input 0 has.</summary>
    public static Dim Count(InferenceContext context) => context.Shape(0) switch
    {
        null => context.Fresh(),
        { Rank: 1 } => 1,
        { Rank: 2 } s => s[0],
        var s => throw context.Error($"input 0 has shape {s}; expected [N, C] or [C]"),
    };

    /// <summary>The rows of a shape and the features of each.</summary>
    public static (int Rows, int Features) Of(EvaluationContext context, Shape shape) => shape.Rank switch
    {
        1 => (1, (int)shape[0]),
        2 => ((int)shape[0], (int)shape[1]),
        _ => throw context.Error($"input 0 has shape {shape}; expected [N, C] or [C]"),
    };

    /// <summary>The value that belongs to a feature: one for all, or one each.</summary>
    public static T Pick<T>(EvaluationContext context, ValueList<T> values, long element, Shape shape, string what)
    {
        if (values.Count == 1) return values[0];
        var features = shape.Rank == 0 ? 1 : shape[-1];
        return values.Count == features ? values[(int)(element % features)] : throw context.Error($"{values.Count} values of {what} do not fit {features} features");
    }
}
