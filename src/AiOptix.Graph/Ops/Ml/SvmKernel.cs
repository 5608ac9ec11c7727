using AiOptix.Tensors;
namespace AiOptix.Graphs.Ops.Ml;

/// <summary>The product of two vectors in a support vector machine.</summary>
public enum SvmKernelKind
{
    /// <summary>a·b</summary>
    Linear,
    /// <summary>(gamma a·b + coef0)^degree</summary>
    Poly,
    /// <summary>exp(-gamma |a - b|²)</summary>
    Rbf,
    /// <summary>tanh(gamma a·b + coef0)</summary>
    Sigmoid,
}

/// <summary>A kernel and its parameters.</summary>
/// <param name="Kind">The kernel.</param>
/// <param name="Gamma">Scales the product or the distance.</param>
/// <param name="Coef0">Is added to the product.</param>
/// <param name="Degree">The power.</param>
public sealed record SvmKernel(SvmKernelKind Kind = SvmKernelKind.Linear, float Gamma = 0, float Coef0 = 0, float Degree = 0)
{
    /// <summary>The product of a row of features and a vector.</summary>
    internal double Product(ReadOnlySpan<double> row, ReadOnlySpan<float> vector)
    {
        double sum = 0;
        if (Kind == SvmKernelKind.Rbf)
        {
            for (var i = 0; i < row.Length; i++) sum += (row[i] - vector[i]) * (row[i] - vector[i]);
            return Math.Exp(-Gamma * sum);
        }
        for (var i = 0; i < row.Length; i++) sum += row[i] * vector[i];
        return Kind switch
        {
            SvmKernelKind.Poly => Math.Pow(Gamma * sum + Coef0, Degree),
            SvmKernelKind.Sigmoid => Math.Tanh(Gamma * sum + Coef0),
            _ => sum,
        };
    }

    /// <summary>The products of rows [N, features] and vectors, [N, vectors], in more basic operators.</summary>
    internal Value Compose(Composition to, Value rows, ValueList<float> vectors, int count)
    {
        var features = vectors.Count / count;
        if (Kind == SvmKernelKind.Rbf)
        {
            var between = to.Add(new Sub(), to.Add(new Unsqueeze(), rows, to.Integers(1)), to.Constant(Tensor.From(vectors.Span, new Shape(1, count, features))));
            return to.Add(new Exp(), to.Add(new Mul(), to.Add(new ReduceSumSquare(KeepDims: false), between, to.Integers(2)), to.Scalar(-Gamma)));
        }
        var products = to.Add(new Gemm(TransB: true), rows, to.Constant(Tensor.From(vectors.Span, new Shape(count, features))));
        if (Kind == SvmKernelKind.Linear) return products;
        var scaled = to.Add(new Add(), to.Add(new Mul(), products, to.Scalar(Gamma)), to.Scalar(Coef0));
        return Kind == SvmKernelKind.Poly ? to.Add(new Pow(), scaled, to.Scalar(Degree)) : to.Add(new Tanh(), scaled);
    }
}
