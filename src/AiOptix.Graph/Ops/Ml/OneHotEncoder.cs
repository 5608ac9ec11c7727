using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>ONNX ML OneHotEncoder: a new last axis over the categories, with float32 1 at the element's category. Floats are cut off to integers first.</summary>
/// <param name="Categories">The categories.</param>
/// <param name="Zeros">Whether an element of no category gives zeros; otherwise it is an error.</param>
public sealed record OneHotEncoder(ClassLabels Categories, bool Zeros = true) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var strings = Categories.Strings.Count > 0;
        context.Require(0, t => strings ? t == DType.String : FeatureRows.IsFeature(t), strings ? "string, the type of the categories" : "a numeric type");
        context.Set(0, DType.Float32, context.Shape(0) is { } s ? new([.. s, Categories.Count]) : null);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var output = context.Allocate(0, DType.Float32, new Shape([.. x.Shape.Dims, Categories.Count]), zeroed: true).Span<float>();
        var numbers = x.DType == DType.String ? null : Numbers.IsReal(x.DType) ? Array.ConvertAll(x.ToReals(), v => (long)v) : x.ToInt64();
        for (var i = 0; i < x.Count; i++)
        {
            var place = numbers is null ? Categories.Strings.Span.IndexOf(x.Strings[i]) : Categories.Integers.Span.IndexOf(numbers[i]);
            if (place >= 0) output[i * Categories.Count + place] = 1;
            else if (!Zeros) throw context.Error($"element {i} ({(numbers is null ? x.Strings[i] : numbers[i])}) is in no category");
        }
    }
}
