namespace AiOptix.Kernels.Choice;

internal static class KernelCosts
{
    public static IReadOnlyDictionary<string, KernelCost> Measured { get; } = new Dictionary<string, KernelCost>(StringComparer.Ordinal);
}
