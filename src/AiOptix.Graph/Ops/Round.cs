namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Round: the nearest integer, halves to the even one.</summary>
public sealed record Round : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Round(x, MidpointRounding.ToEven);
}
