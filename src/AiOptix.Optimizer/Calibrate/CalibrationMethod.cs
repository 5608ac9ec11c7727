namespace AiOptix.Optimization.Calibrate;

/// <summary>How the range of an activation is chosen from what was seen of it.</summary>
public enum CalibrationMethod
{
    /// <summary>All that was seen.</summary>
    MinMax,
    /// <summary>All but 0.01 % of the numbers, half at each end.</summary>
    Percentile,
    /// <summary>The range that keeps most of the distribution's information.</summary>
    Entropy,
    /// <summary>The range of least mean squared error.</summary>
    SquaredError,
}
