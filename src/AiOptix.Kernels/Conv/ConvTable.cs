using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>A row of <see cref="ConvTable"/>: a way to convolve, the shapes it suits, the instruction sets it needs.</summary>
/// <param name="Name">The specification in short.</param>
/// <param name="Isa">Instruction sets it needs.</param>
/// <param name="Suits">Whether it can compute a shape.</param>
/// <param name="Plan">Plans a shape that it suits.</param>
public sealed record ConvKernel(string Name, Isa Isa, Predicate<ConvShape> Suits, Func<ConvShape, Target, ConvPlan> Plan)
{
    /// <summary>The micro-kernel, when it convolves by a product.</summary>
    internal GemmKernel? Product { get; init; }

    /// <summary>The rows and columns of that product.</summary>
    internal Func<ConvShape, (int Rows, int Columns)> ProductShape { get; init; } = static s => (s.GroupOutputs, s.OutputPixels);

    /// <summary>Makes the code ready that convolutions of a shape run, where a row has a way of its own: (shape, whether its spatial extents and batch are known, activation, target).</summary>
    internal Action<ConvShape, bool, Activation?, Target>? Code { get; init; }
}

/// <summary>Every float32 convolution, best first; the last row is the scalar reference.</summary>
public static class ConvTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<ConvKernel> Rows { get; } =
    [
        DepthwiseLast<V16>("conv_f32_last_depthwise_avx512", Isa.Avx512),
        DepthwiseLast<V8>("conv_f32_last_depthwise_avx2", Isa.Avx2),
        DepthwiseLast<V4>("conv_f32_last_depthwise_v128", Isa.None),
        Tiles("conv_f32_last_14x32_avx512_jit", PixelTiles.Rows[0]),
        Tiles("conv_f32_last_6x16_avx2_jit", PixelTiles.Rows[1]),
        Tiles("conv_f32_last_12x32_avx512", PixelTiles.Rows[2]),
        Tiles("conv_f32_last_6x16_avx2", PixelTiles.Rows[3]),
        Tiles("conv_f32_last_4x8_v128", PixelTiles.Rows[4]),
        Matrix("conv_f32_matrix_12x32_avx512", 0),
        Matrix("conv_f32_matrix_6x16_avx2", 1),
        Matrix("conv_f32_matrix_4x8_v128", 2),
        Depthwise<V16>("conv_f32_depthwise_avx512", Isa.Avx512),
        Depthwise<V8>("conv_f32_depthwise_avx2", Isa.Avx2),
        Depthwise<V4>("conv_f32_depthwise_v128", Isa.None),
        Direct("conv_f32_direct_12x32_avx512", 0),
        Direct("conv_f32_direct_6x16_avx2", 1),
        Direct("conv_f32_direct_4x8_v128", 2),
        Im2col("conv_f32_im2col_12x32_avx512", 0),
        Im2col("conv_f32_im2col_6x16_avx2", 1),
        Im2col("conv_f32_im2col_4x8_v128", 2),
        new("conv_f32_scalar", Isa.None, static _ => true, static (s, _) => new ScalarConv(s, "conv_f32_scalar")),
    ];

    /// <summary>The first row that suits the shape and that the target can run.</summary>
    public static ConvKernel Select(in ConvShape shape, Target target)
    {
        foreach (var row in Rows)
        {
            if (target.Has(row.Isa) && row.Suits(shape)) return row;
        }
        return Rows[^1];
    }

    private static ConvKernel Tiles(string name, PixelTiles tiles)
        => new(name, tiles.Isa, static s => s.Layout != ConvLayout.ChannelsFirst, (s, t) => new TileConv(s, t, name, tiles))
        {
            Code = (s, isKnown, activation, t) => TileConv.RehearseCode(s, isKnown, activation, t, name, tiles),
        };

    private static ConvKernel DepthwiseLast<T>(string name, Isa isa) where T : unmanaged, IVec<T>
        => new(name, isa, DepthwiseLastConv<T>.Suits, (s, t) => new DepthwiseLastConv<T>(s, t, name))
        {
            Code = (s, _, activation, t) => DepthwiseLastConv<T>.RehearseCode(s, activation, t, name),
        };

    private static ConvKernel Matrix(string name, int gemm)
        => new(name, GemmTable.Intrinsics[gemm].Isa, MatrixConv.Suits, (s, t) => new MatrixConv(s, t, name, GemmTable.Intrinsics[gemm]))
        {
            Product = GemmTable.Intrinsics[gemm],
            ProductShape = static s => (s.Batch, s.OutputChannels),
        };

    private static ConvKernel Direct(string name, int gemm)
        => new(name, GemmTable.Intrinsics[gemm].Isa, DirectConv.Suits, (s, t) => new DirectConv(s, t, name, GemmTable.Intrinsics[gemm]))
        {
            Product = GemmTable.Intrinsics[gemm],
            ProductShape = static s => (s.GroupOutputs, s.Width.Output),
        };

    private static ConvKernel Im2col(string name, int gemm)
        => new(name, GemmTable.Intrinsics[gemm].Isa, static s => s.Layout == ConvLayout.ChannelsFirst, (s, t) => new Im2colConv(s, t, name, GemmTable.Intrinsics[gemm])) { Product = GemmTable.Intrinsics[gemm] };

    private static ConvKernel Depthwise<T>(string name, Isa isa) where T : unmanaged, IVec<T>
        => new(name, isa, DepthwiseConv<T>.Suits, (s, t) => new DepthwiseConv<T>(s, t, name));
}
