using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Elementwise;

/// <summary>Functions of one argument. Those from <see cref="None"/> to <see cref="Swish"/> are <see cref="Activation"/> under the same names and numbers.</summary>
public enum UnaryKind
{
    /// <summary>x.</summary>
    None,
    /// <summary>See <see cref="Activation.Relu"/>.</summary>
    Relu,
    /// <summary>See <see cref="Activation.LeakyRelu"/>.</summary>
    LeakyRelu,
    /// <summary>See <see cref="Activation.Clip"/>.</summary>
    Clip,
    /// <summary>See <see cref="Activation.Sigmoid"/>.</summary>
    Sigmoid,
    /// <summary>See <see cref="Activation.Tanh"/>.</summary>
    Tanh,
    /// <summary>See <see cref="Activation.Silu"/>.</summary>
    Silu,
    /// <summary>See <see cref="Activation.Gelu"/>.</summary>
    Gelu,
    /// <summary>See <see cref="Activation.GeluTanh"/>.</summary>
    GeluTanh,
    /// <summary>See <see cref="Activation.HardSwish"/>.</summary>
    HardSwish,
    /// <summary>See <see cref="Activation.HardSigmoid"/>.</summary>
    HardSigmoid,
    /// <summary>See <see cref="Activation.Elu"/>.</summary>
    Elu,
    /// <summary>See <see cref="Activation.Selu"/>.</summary>
    Selu,
    /// <summary>See <see cref="Activation.Softplus"/>.</summary>
    Softplus,
    /// <summary>See <see cref="Activation.Mish"/>.</summary>
    Mish,
    /// <summary>See <see cref="Activation.Swish"/>.</summary>
    Swish,
    /// <summary>eˣ.</summary>
    Exp,
    /// <summary>The natural logarithm.</summary>
    Log,
    /// <summary>The square root.</summary>
    Sqrt,
    /// <summary>1 / √x.</summary>
    ReciprocalSqrt,
    /// <summary>1 / x.</summary>
    Reciprocal,
    /// <summary>The magnitude.</summary>
    Abs,
    /// <summary>−x.</summary>
    Neg,
    /// <summary>The next integer below.</summary>
    Floor,
    /// <summary>The next integer above.</summary>
    Ceil,
    /// <summary>The nearest integer, ties to even.</summary>
    Round,
    /// <summary>−1, 0 or 1; NaN stays.</summary>
    Sign,
    /// <summary>x².</summary>
    Square,
    /// <summary>x³.</summary>
    Cube,
    /// <summary>The error function.</summary>
    Erf,
    /// <summary>Alpha·x + Beta, rounded once where the machine has fused multiply-add.</summary>
    Affine,
    /// <summary>x / (1 + |x|).</summary>
    Softsign,
    /// <summary>x where x &gt; Alpha, otherwise 0.</summary>
    ThresholdedRelu,
    /// <summary>max(x, 0) + min(0, Alpha·(e^(x/Alpha) − 1)).</summary>
    Celu,
    /// <summary>The sine, lane by lane from the base library.</summary>
    Sin,
    /// <summary>The cosine, lane by lane from the base library.</summary>
    Cos,
    /// <summary>The tangent, lane by lane from the base library.</summary>
    Tan,
    /// <summary>The arc sine, lane by lane from the base library.</summary>
    Asin,
    /// <summary>The arc cosine, lane by lane from the base library.</summary>
    Acos,
    /// <summary>The arc tangent, lane by lane from the base library.</summary>
    Atan,
    /// <summary>The hyperbolic sine, lane by lane from the base library.</summary>
    Sinh,
    /// <summary>The hyperbolic cosine, lane by lane from the base library.</summary>
    Cosh,
    /// <summary>The inverse hyperbolic sine, lane by lane from the base library.</summary>
    Asinh,
    /// <summary>The inverse hyperbolic cosine, lane by lane from the base library.</summary>
    Acosh,
    /// <summary>The inverse hyperbolic tangent, lane by lane from the base library.</summary>
    Atanh,
    /// <summary>Logical negation of booleans; all bits flipped for integers.</summary>
    Not,
}

/// <summary>Relations between kinds.</summary>
public static class UnaryKinds
{
    /// <summary>The kind of an activation.</summary>
    public static UnaryKind Of(Activation activation) => (UnaryKind)(int)activation;

    /// <summary>The function that stands in for a power with a constant exponent, or null when the general power is needed.</summary>
    public static UnaryKind? OfPower(float exponent) => exponent switch
    {
        1f => UnaryKind.None,
        2f => UnaryKind.Square,
        3f => UnaryKind.Cube,
        0.5f => UnaryKind.Sqrt,
        -0.5f => UnaryKind.ReciprocalSqrt,
        -1f => UnaryKind.Reciprocal,
        _ => null,
    };
}
