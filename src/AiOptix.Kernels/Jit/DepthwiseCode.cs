using System.Globalization;

namespace AiOptix.Kernels.Jit;

/// <summary>Everything that the code of a depthwise tile depends on: the key by which it is shared.</summary>
/// <param name="VectorBytes">Bytes of a vector: 64 (AVX-512) or 32 (AVX2).</param>
/// <param name="Pixels">Adjacent output pixels of a line.</param>
/// <param name="HasTail">Whether the vector of channels is partly used.</param>
/// <param name="Taps">Taps of a kernel line.</param>
/// <param name="Stride">Input positions from an output pixel to the next.</param>
/// <param name="Dilation">Input positions from a tap to the next.</param>
/// <param name="First">The first position that lies in the input, counted from the first tap of the first pixel.</param>
/// <param name="End">The end of those that do.</param>
internal readonly record struct DepthwiseCode(int VectorBytes, int Pixels, bool HasTail, int Taps, int Stride, int Dilation, int First, int End) : IKernelCode
{
    /// <inheritdoc/>
    public string Name => string.Create(CultureInfo.InvariantCulture,
        $"tile_f32_depthwise_{Pixels}x{VectorBytes / sizeof(float)}{(HasTail ? "tail" : "")}_{Taps}taps{(Stride > 1 ? $"_stride{Stride}" : "")}{(Dilation > 1 ? $"_dilation{Dilation}" : "")}_{First}to{End}_{(VectorBytes == 64 ? "avx512" : "avx2")}_jit");

    /// <summary>Pixels of the longest tile of a width.</summary>
    public static int Height(int vectorBytes) => vectorBytes == 64 ? 14 : 8;

    /// <inheritdoc/>
    public KernelGenerator Generator() => new DepthwiseGenerator(this);
}
