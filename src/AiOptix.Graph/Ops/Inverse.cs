using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>The inverses of square matrices [*, M, M], as <c>com.microsoft</c> has them. A matrix that has none gives infinities or NaN.</summary>
public sealed record Inverse : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "a floating-point type");
        if (context.Shape(0) is { } s)
        {
            if (s.Rank < 2) throw context.Error($"input 0 has shape {s}; expected [*, M, M]");
            context.Same(s[-1], s[-2], "rows and columns");
        }
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var n = (int)x.Shape[-1];
        if (x.Shape[-2] != n) throw context.Error($"input 0 has shape {x.Shape}; expected square matrices");
        var values = x.ToReals();
        var size = n * n;
        for (var at = 0; at < values.Length; at += size) Invert(values.AsSpan(at, size), n);
        context.Allocate(0, x.DType, x.Shape).Store(values);
    }

    /// <summary>By Gauss and Jordan with pivots, in place.</summary>
    private static void Invert(Span<double> m, int n)
    {
        var result = new double[n * n];
        for (var i = 0; i < n; i++) result[i * n + i] = 1;
        for (var k = 0; k < n; k++)
        {
            var pivot = k;
            for (var i = k + 1; i < n; i++)
                if (Math.Abs(m[i * n + k]) > Math.Abs(m[pivot * n + k])) pivot = i;
            if (pivot != k)
                for (var j = 0; j < n; j++)
                {
                    (m[k * n + j], m[pivot * n + j]) = (m[pivot * n + j], m[k * n + j]);
                    (result[k * n + j], result[pivot * n + j]) = (result[pivot * n + j], result[k * n + j]);
                }
            var inverse = 1 / m[k * n + k];
            for (var j = 0; j < n; j++)
            {
                m[k * n + j] *= inverse;
                result[k * n + j] *= inverse;
            }
            for (var i = 0; i < n; i++)
            {
                if (i == k) continue;
                var factor = m[i * n + k];
                for (var j = 0; j < n; j++)
                {
                    m[i * n + j] -= factor * m[k * n + j];
                    result[i * n + j] -= factor * result[k * n + j];
                }
            }
        }
        result.CopyTo(m);
    }
}
