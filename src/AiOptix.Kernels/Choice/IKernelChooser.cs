using AiOptix.Tensors;

namespace AiOptix.Kernels.Choice;

/// <summary>Chooses kernels in place of the cost model.</summary>
public interface IKernelChooser
{
    /// <summary>The candidate for a problem; null leaves it to the cost model, and so does one that the problem does not have.</summary>
    string? Choose(KernelProblem problem, Target target);
}
