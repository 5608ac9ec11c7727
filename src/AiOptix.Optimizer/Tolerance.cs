namespace AiOptix.Optimization;

/// <summary>How far an answer may be from what is expected: |a − b| ≤ atol + scaled-atol · max|finite expected| + rtol · |expected|.</summary>
/// <param name="Relative">Factor of each expected element.</param>
/// <param name="Absolute">Added as it is.</param>
/// <param name="ScaledAbsolute">Factor of the largest finite magnitude among the expected elements.</param>
public sealed record Tolerance(double Relative = 1e-3, double Absolute = 1e-7, double ScaledAbsolute = 0)
{
    /// <summary>What conformance cases are held to.</summary>
    public static Tolerance Conformance { get; } = new();

    /// <summary>What a healthy fp32 implementation of a real model keeps: 1e-3 relative plus 1e-4 of the output's largest magnitude.</summary>
    public static Tolerance Model { get; } = new(1e-3, 1e-7, 1e-4);
}
