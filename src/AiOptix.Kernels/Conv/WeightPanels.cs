using AiOptix.Kernels.Gemm;

namespace AiOptix.Kernels.Conv;

/// <summary>Weights [outputs, terms] as panels of a product's rows, group by group.</summary>
internal static unsafe class WeightPanels
{
    /// <summary>Floats of one group's panels.</summary>
    public static nint GroupFloats(in ConvShape shape, GemmKernel kernel) => ((nint)shape.GroupOutputs + kernel.Mr - 1) / kernel.Mr * kernel.Mr * shape.Terms;

    /// <summary>Packs all groups.</summary>
    public static void Pack(in ConvShape shape, GemmKernel kernel, float* weights, float* packed)
    {
        for (var group = 0; group < shape.Groups; group++)
        {
            var from = weights + (nint)group * shape.GroupOutputs * shape.Terms;
            var to = packed + group * GroupFloats(shape, kernel);
            for (var row = 0; row < shape.GroupOutputs; row += kernel.Mr)
                PanelPack.Run(from + (nint)row * shape.Terms, shape.Terms, 1, Math.Min(kernel.Mr, shape.GroupOutputs - row), kernel.Mr, shape.Terms, to + (nint)row * shape.Terms);
        }
    }
}
