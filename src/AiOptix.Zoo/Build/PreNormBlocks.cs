using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>Transformer layers that normalise first, with LayerNormalization as one node, as PyTorch exports them from operator set 17 on.</summary>
internal static class PreNormBlocks
{
    /// <summary>LayerNormalization over the last axis.</summary>
    public static Value LayerNorm17(this Module module, Value x, int width, float epsilon, string? output = null) =>
        module.Output(output, new LayerNormalization(-1, epsilon), x, module.Weight("weight", new Shape(width), 0.1, mean: 1), module.Weight("bias", new Shape(width), 0.05));

    /// <summary>A product without bias.</summary>
    public static Value Product(this Module module, Value x, int from, int to, double gain = 1) =>
        module.Add(new MatMul(), x, module.Weight("weight", new Shape(from, to), gain / Math.Sqrt(from)));

    /// <summary>Two linear layers with the exact Gaussian error linear unit between them.</summary>
    public static Value Inner(this Module module, Value x, int width, string first, string second, Module activation)
    {
        var inner = activation.Gelu(module[first].Linear(x, width, 4 * width));
        return module[second].Linear(inner, 4 * width, width, 0.8);
    }
}
