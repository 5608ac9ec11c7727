using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Conv;

/// <summary>The operands of one run of a <see cref="ConvPlan"/>; no alignment is needed. Y must not overlap any other operand.</summary>
public unsafe struct ConvCall
{
    /// <summary>The input.</summary>
    public float* X;
    /// <summary>The weights as <see cref="ConvPlan.PackWeights"/> wrote them.</summary>
    public float* PackedWeights;
    /// <summary>One addend an output channel, or null.</summary>
    public float* Bias;
    /// <summary>A tensor of Y's shape to add before the activation, or null.</summary>
    public float* Residual;
    /// <summary>The output.</summary>
    public float* Y;
    /// <summary>Applied last.</summary>
    public Activation Activation;
    /// <summary>Parameters of the activation.</summary>
    public ActivationArgs Args;
}
