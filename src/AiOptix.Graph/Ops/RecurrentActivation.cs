namespace AiOptix.Graphs.Ops;

/// <summary>The functions that gates and states of recurrent layers go through.</summary>
public enum RecurrentFunction
{
    /// <summary>1 / (1 + e⁻ˣ).</summary>
    Sigmoid,
    /// <summary>The hyperbolic tangent.</summary>
    Tanh,
    /// <summary>max(x, 0).</summary>
    Relu,
    /// <summary>α·x + β.</summary>
    Affine,
    /// <summary>x for x ≥ 0, otherwise α·x.</summary>
    LeakyRelu,
    /// <summary>x for x ≥ α, otherwise 0.</summary>
    ThresholdedRelu,
    /// <summary>α·tanh(β·x).</summary>
    ScaledTanh,
    /// <summary>max(0, min(1, α·x + β)).</summary>
    HardSigmoid,
    /// <summary>x for x ≥ 0, otherwise α·(eˣ − 1).</summary>
    Elu,
    /// <summary>x / (1 + |x|).</summary>
    Softsign,
    /// <summary>log(1 + eˣ).</summary>
    Softplus,
}

/// <summary>A function with its parameters.</summary>
/// <param name="Function">The function.</param>
/// <param name="Alpha">α; functions without one ignore it.</param>
/// <param name="Beta">β; functions without one ignore it.</param>
public readonly record struct RecurrentActivation(RecurrentFunction Function, float Alpha = 0, float Beta = 0)
{
    /// <summary>1 / (1 + e⁻ˣ).</summary>
    public static RecurrentActivation Sigmoid => new(RecurrentFunction.Sigmoid);

    /// <summary>The hyperbolic tangent.</summary>
    public static RecurrentActivation Tanh => new(RecurrentFunction.Tanh);

    /// <summary>The function's default α, or null when it has none.</summary>
    public static float? DefaultAlpha(RecurrentFunction function) => function switch
    {
        RecurrentFunction.Affine or RecurrentFunction.ThresholdedRelu or RecurrentFunction.ScaledTanh or RecurrentFunction.Elu => 1f,
        RecurrentFunction.LeakyRelu => 0.01f,
        RecurrentFunction.HardSigmoid => 0.2f,
        _ => null,
    };

    /// <summary>The function's default β, or null when it has none.</summary>
    public static float? DefaultBeta(RecurrentFunction function) => function switch
    {
        RecurrentFunction.Affine => 0f,
        RecurrentFunction.ScaledTanh => 1f,
        RecurrentFunction.HardSigmoid => 0.5f,
        _ => null,
    };

    /// <summary>The value at x.</summary>
    public double Apply(double x) => Function switch
    {
        RecurrentFunction.Sigmoid => 1 / (1 + Math.Exp(-x)),
        RecurrentFunction.Tanh => Math.Tanh(x),
        RecurrentFunction.Relu => x < 0 ? 0 : x,
        RecurrentFunction.Affine => Alpha * x + Beta,
        RecurrentFunction.LeakyRelu => x < 0 ? Alpha * x : x,
        RecurrentFunction.ThresholdedRelu => x < Alpha ? 0 : x,
        RecurrentFunction.ScaledTanh => Alpha * Math.Tanh(Beta * x),
        RecurrentFunction.HardSigmoid => Math.Max(0, Math.Min(1, Alpha * x + Beta)),
        RecurrentFunction.Elu => x < 0 ? Alpha * (Math.Exp(x) - 1) : x,
        RecurrentFunction.Softsign => x / (1 + Math.Abs(x)),
        _ => x > 30 ? x : Math.Log(1 + Math.Exp(x)),
    };
}
