namespace AiOptix.Kernels.Vectors;

/// <summary>The element-wise functions that a kernel can apply to its result before it stores it.</summary>
public enum Activation
{
    /// <summary>x.</summary>
    None,
    /// <summary>max(x, 0).</summary>
    Relu,
    /// <summary>x for x ≥ 0, otherwise <see cref="ActivationArgs.Alpha"/>·x.</summary>
    LeakyRelu,
    /// <summary>x limited to <see cref="ActivationArgs.Alpha"/>…<see cref="ActivationArgs.Beta"/>.</summary>
    Clip,
    /// <summary>1 / (1 + e⁻ˣ).</summary>
    Sigmoid,
    /// <summary>The hyperbolic tangent.</summary>
    Tanh,
    /// <summary>x·sigmoid(x), also called Swish.</summary>
    Silu,
    /// <summary>½·x·(1 + erf(x/√2)).</summary>
    Gelu,
    /// <summary>½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))).</summary>
    GeluTanh,
    /// <summary>x·max(0, min(1, x/6 + ½)).</summary>
    HardSwish,
    /// <summary>max(0, min(1, <see cref="ActivationArgs.Alpha"/>·x + <see cref="ActivationArgs.Beta"/>)).</summary>
    HardSigmoid,
    /// <summary>x for x ≥ 0, otherwise <see cref="ActivationArgs.Alpha"/>·(eˣ − 1).</summary>
    Elu,
    /// <summary><see cref="ActivationArgs.Beta"/>·x for x &gt; 0, otherwise <see cref="ActivationArgs.Beta"/>·<see cref="ActivationArgs.Alpha"/>·(eˣ − 1).</summary>
    Selu,
    /// <summary>log(1 + eˣ).</summary>
    Softplus,
    /// <summary>x·tanh(log(1 + eˣ)).</summary>
    Mish,
    /// <summary>x·sigmoid(<see cref="ActivationArgs.Alpha"/>·x); <see cref="Silu"/> is the one with 1.</summary>
    Swish,
}

/// <summary>The parameters of an <see cref="Activation"/>; which of them count depends on the function.</summary>
/// <param name="Alpha">The first parameter.</param>
/// <param name="Beta">The second parameter.</param>
public readonly record struct ActivationArgs(float Alpha, float Beta = 0f);

/// <summary>An element-wise function, written once for every vector width.</summary>
public interface IUnaryF32
{
    /// <summary>The function of each lane.</summary>
    static abstract T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>;
}
