using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Det: the determinants of square matrices [*, M, M].</summary>
public sealed record Det : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "a floating-point type");
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, type, null);
            return;
        }
        if (s.Rank < 2) throw context.Error($"input 0 has shape {s}; expected [*, M, M]");
        context.Same(s[-1], s[-2], "rows and columns");
        context.Set(0, type, new(s.Dims[..^2]));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var n = (int)x.Shape[-1];
        if (x.Shape[-2] != n) throw context.Error($"input 0 has shape {x.Shape}; expected square matrices");
        var output = context.Allocate(0, x.DType, new Shape(x.Shape.Dims[..^2]));
        var values = x.ToReals();
        var results = new double[output.Count];
        for (var i = 0; i < results.Length; i++) results[i] = Of(values.AsSpan(i * n * n, n * n), n);
        output.Store(results);
    }

    /// <summary>By elimination with pivots; the matrix is used up.</summary>
    private static double Of(Span<double> m, int n)
    {
        double result = 1;
        for (var k = 0; k < n; k++)
        {
            var pivot = k;
            for (var i = k + 1; i < n; i++)
                if (Math.Abs(m[i * n + k]) > Math.Abs(m[pivot * n + k])) pivot = i;
            if (m[pivot * n + k] == 0) return 0;
            if (pivot != k)
            {
                for (var j = k; j < n; j++) (m[k * n + j], m[pivot * n + j]) = (m[pivot * n + j], m[k * n + j]);
                result = -result;
            }
            result *= m[k * n + k];
            for (var i = k + 1; i < n; i++)
            {
                var factor = m[i * n + k] / m[k * n + k];
                for (var j = k; j < n; j++) m[i * n + j] -= factor * m[k * n + j];
            }
        }
        return result;
    }
}
