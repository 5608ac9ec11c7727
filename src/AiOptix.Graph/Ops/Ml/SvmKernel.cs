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
}
