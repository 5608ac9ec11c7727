using System.Globalization;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Graph operators that kernels can apply to their result before they store it.</summary>
internal static class Activations
{
    /// <summary>An activation as part of a name.</summary>
    public static string Label(Activation? activation) => activation is { } a ? ((int)a).ToString(CultureInfo.InvariantCulture) : "";

    /// <summary>The activation that a float32 node computes, or null.</summary>
    public static (Activation Activation, ActivationArgs Args)? Of(Node node)
    {
        if (node.Output.DType != DType.Float32 || node.Inputs[0]!.DType != DType.Float32) return null;
        return node.Operator switch
        {
            Relu => (Activation.Relu, default),
            LeakyRelu l => (Activation.LeakyRelu, new(l.Alpha)),
            Clip => Range(node),
            Sigmoid => (Activation.Sigmoid, default),
            Tanh => (Activation.Tanh, default),
            Swish { Alpha: 1 } => (Activation.Silu, default),
            Swish s => (Activation.Swish, new(s.Alpha)),
            Gelu g => (g.TanhApproximation ? Activation.GeluTanh : Activation.Gelu, default),
            HardSwish => (Activation.HardSwish, default),
            HardSigmoid h => (Activation.HardSigmoid, new(h.Alpha, h.Beta)),
            Elu e => (Activation.Elu, new(e.Alpha)),
            Selu s => (Activation.Selu, new(s.Alpha, s.Gamma)),
            Softplus => (Activation.Softplus, default),
            Mish => (Activation.Mish, default),
            _ => null,
        };
    }

    private static (Activation, ActivationArgs)? Range(Node node)
    {
        if (node.Input(1) is { IsConstant: false } || node.Input(2) is { IsConstant: false }) return null;
        return (Activation.Clip, new(Bound(node.Input(1), float.NegativeInfinity), Bound(node.Input(2), float.PositiveInfinity)));
    }

    private static float Bound(Value? value, float otherwise)
    {
        if (value?.Constant is not { } t) return otherwise;
        var bound = t.Span<float>()[0];
        GC.KeepAlive(t);
        return bound;
    }
}
