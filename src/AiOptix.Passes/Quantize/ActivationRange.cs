namespace AiOptix.Passes.Quantize;

/// <summary>The range of a value that its 256 steps are spread over.</summary>
/// <param name="Low">The least number; 0 is always inside.</param>
/// <param name="High">The largest number.</param>
public readonly record struct ActivationRange(float Low, float High)
{
    /// <summary>The range that holds both.</summary>
    public ActivationRange Join(ActivationRange other) => new(Math.Min(Low, other.Low), Math.Max(High, other.High));

    /// <summary>Scale and zero point of asymmetric uint8: 0 is a step, and so exact.</summary>
    public (float Scale, byte Zero) ToBytes()
    {
        double low = Math.Min(Low, 0), high = Math.Max(High, 0);
        var scale = (float)((high - low) / 255);
        if (!float.IsNormal(scale)) return (1, 0);
        return (scale, (byte)Math.Clamp(Math.Round(-low / scale, MidpointRounding.ToEven), 0, 255));
    }
}
