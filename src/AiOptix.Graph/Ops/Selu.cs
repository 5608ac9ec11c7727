using AiOptix.Graphs.Evaluate;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Selu: gamma times x, or gamma alpha (exp(x) - 1) where x is not positive.</summary>
/// <param name="Alpha">The scale of the exponential part.</param>
/// <param name="Gamma">The scale of the whole.</param>
public sealed record Selu(float Alpha = Selu.DefaultAlpha, float Gamma = Selu.DefaultGamma) : UnaryFloat
{
    /// <summary>The alpha of the paper (Klambauer et al. 2017).</summary>
    public const float DefaultAlpha = 1.67326319217681884765625f;

    /// <summary>The gamma (there: lambda) of the paper.</summary>
    public const float DefaultGamma = 1.05070102214813232421875f;

    /// <inheritdoc/>
    protected override double Apply(double x) => Gamma * (x > 0 || double.IsNaN(x) ? x : Alpha * SpecialFunctions.ExpM1(x));
}
