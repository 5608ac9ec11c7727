using AiOptix.Kernels.Choice;
using AiOptix.Tensors;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>A row of <see cref="QuantizedConvTable"/>.</summary>
/// <param name="Name">The specification.</param>
/// <param name="Isa">Instruction sets it needs.</param>
/// <param name="Suits">Whether it can compute a shape; looks at channels, groups and the layout only.</param>
/// <param name="Plan">Plans a shape that it suits.</param>
/// <param name="Rehearse">Makes the code ready that convolutions of a shape run: (shape, with Batch 0 where it is not known; whether its spatial extents are known, or only stand for others; the machine).</param>
public sealed record QuantizedConvKernel(string Name, Isa Isa, Predicate<QuantizedShape> Suits, Func<QuantizedShape, Target, QuantizedConvPlan> Plan, Action<QuantizedShape, bool, Target> Rehearse)
{
    /// <summary>How much it does for a shape that it suits, so that its cost can be told without planning it.</summary>
    public required Func<QuantizedShape, Target, KernelWork> Work { get; init; }
}

/// <summary>Every quantised convolution and product, best first; the last row is the scalar reference.</summary>
public static class QuantizedConvTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<QuantizedConvKernel> Rows { get; } =
    [
        Depthwise("conv_u8s8s32_depthwise_6x64_avx512vnni_jit", DotTiles.Rows[0]),
        Depthwise("conv_u8s8s32_depthwise_2x32_avxvnni_jit", DotTiles.Rows[1]),
        Depthwise("conv_u8s8s32_depthwise_6x64_avx512_jit", DotTiles.Rows[2]),
        Depthwise("conv_u8s8s32_depthwise_2x32_avx2_jit", DotTiles.Rows[3]),
        Depthwise("conv_u8s8s32_depthwise_4x32_avx512", DotTiles.Rows[4]),
        Depthwise("conv_u8s8s32_depthwise_4x16_avx2", DotTiles.Rows[5]),
        Depthwise("conv_u8s8s32_depthwise_4x8_v128", DotTiles.Rows[6]),
        Tiles("gemm_u8s8s32_6x64_avx512vnni_jit", DotTiles.Rows[0]),
        Tiles("gemm_u8s8s32_2x32_avxvnni_jit", DotTiles.Rows[1]),
        Tiles("gemm_u8s8s32_6x64_avx512_jit", DotTiles.Rows[2]),
        Tiles("gemm_u8s8s32_2x32_avx2_jit", DotTiles.Rows[3]),
        Tiles("gemm_u8s8s32_4x32_avx512", DotTiles.Rows[4]),
        Tiles("gemm_u8s8s32_4x16_avx2", DotTiles.Rows[5]),
        Tiles("gemm_u8s8s32_4x8_v128", DotTiles.Rows[6]),
        new("gemm_u8s8s32_scalar", Isa.None, static _ => true, static (s, _) => new ScalarQuantizedConv(s, "gemm_u8s8s32_scalar"), static (_, _, _) => { }) { Work = static (s, _) => ScalarQuantizedConv.Work(s) },
    ];

    /// <summary>The row of that name.</summary>
    public static QuantizedConvKernel Named(string name) => Rows.First(r => r.Name == name);


    /// <summary>The row that costs least for the shape, of those that suit it and that the target can run.</summary>
    public static QuantizedConvKernel Select(QuantizedShape shape, Target target) => Named(new QuantizedProblem(shape).Pick(target));

    private static QuantizedConvKernel Depthwise(string name, DotTiles tiles) =>
        new(name, tiles.Isa, DepthwiseDotConv.Suits, (s, t) => new DepthwiseDotConv(s, t, name, tiles), (s, isKnown, t) => DepthwiseDotConv.RehearseCode(s, isKnown, t, name, tiles)) { Work = (s, t) => DepthwiseDotConv.Work(s, t, tiles) };

    private static QuantizedConvKernel Tiles(string name, DotTiles tiles) =>
        new(name, tiles.Isa, static _ => true, (s, t) => new DotConv(s, t, name, tiles), (s, isKnown, t) => DotConv.RehearseCode(s, isKnown, t, name, tiles)) { Work = (s, t) => DotConv.Work(s, t, tiles) };
}
