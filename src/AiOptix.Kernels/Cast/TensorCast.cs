using AiOptix.Tensors;

namespace AiOptix.Kernels.Cast;

/// <summary>Converts tensors on the calling thread.</summary>
public static unsafe class TensorCast
{
    /// <summary>Converts every element.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    /// <exception cref="UnsupportedModelException">No kernel converts between the two types.</exception>
    public static void Run(Tensor from, Tensor to)
    {
        if (from.Shape != to.Shape) throw new ArgumentException($"{from} cannot be converted into {to}");
        var plan = new CastPlan(from.DType, to.DType, from.Count);
        plan.Run(from.Pointer, to.Pointer, 0, plan.Tasks);
        GC.KeepAlive(from);
        GC.KeepAlive(to);
    }
}
