using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>
/// ONNX ML SVMRegressor: features [N, C] or [C] to float32 [N, 1]: the sum of coefficient times kernel over the support vectors, plus rho; without support vectors the
/// coefficients themselves are multiplied with the features.
/// </summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Coefficients">One a support vector.</param>
/// <param name="SupportVectors">The support vectors one after the other.</param>
/// <param name="Supports">How many there are.</param>
/// <param name="Rho">What is added.</param>
/// <param name="OneClass">Give 1 above 0 and otherwise -1.</param>
/// <param name="Transform">What becomes of the result.</param>
public sealed record SVMRegressor(SvmKernel Kernel, ValueList<float> Coefficients, ValueList<float> SupportVectors, long Supports, ValueList<float> Rho, bool OneClass = false,
    PostTransform Transform = PostTransform.None) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        FeatureRows.Require(context);
        if (Rho.Count == 0) throw context.Error("attribute 'rho' is required");
        context.Set(0, DType.Float32, new SymbolicShape(FeatureRows.Count(context), 1));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var (rows, features) = FeatureRows.Of(context, x.Shape);
        if (Supports > 0 ? Coefficients.Count < Supports || SupportVectors.Count != Supports * features : Coefficients.Count != features)
            throw context.Error($"{Coefficients.Count} coefficients and {Supports} support vectors of {SupportVectors.Count} numbers do not fit {features} features");
        var values = ElementTypes.ToFloat64(x);
        var scores = new double[rows];
        var plain = new SvmKernel();
        for (var row = 0; row < rows; row++)
        {
            var own = values.AsSpan(row * features, features);
            double sum = Rho[0];
            if (Supports == 0) sum += plain.Product(own, Coefficients.Span);
            else
                for (var v = 0; v < Supports; v++) sum += Coefficients[v] * Kernel.Product(own, SupportVectors.Span.Slice(v * features, features));
            scores[row] = OneClass ? sum > 0 ? 1 : -1 : sum;
            PostTransforms.Apply(Transform, scores.AsSpan(row, 1));
        }
        context.Allocate(0, DType.Float32, new Shape(rows, 1)).Store(scores);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (LinearScores.Rows(to) is not { } x || x.Shape![1].Constant is not { } features || Rho.Count == 0) return false;
        if (Supports > 0 ? Coefficients.Count < Supports || SupportVectors.Count != Supports * features : Coefficients.Count != features) return false;
        var products = Supports > 0 ? Kernel.Compose(to, x, SupportVectors, (int)Supports) : x;
        var weights = to.Constant(Tensor.From(Coefficients.Span[..(int)(Supports > 0 ? Supports : features)], new Shape(Supports > 0 ? Supports : features, 1)));
        var sums = to.Add(new Gemm(), products, weights, to.Constant(Tensor.Vector(Rho[0])));
        if (OneClass) sums = to.Add(new Where(), to.Add(new Greater(), sums, to.Scalar(0)), to.Scalar(1), to.Scalar(-1));
        return LinearScores.Compose(to, sums, Transform) is { } result && to.Set(0, result);
    }
}
