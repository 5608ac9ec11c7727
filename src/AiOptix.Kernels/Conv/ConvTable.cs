using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>A row of <see cref="ConvTable"/>: a way to convolve, the shapes it suits, the instruction sets it needs.</summary>
/// <param name="Name">The specification in short.</param>
/// <param name="Isa">Instruction sets it needs.</param>
/// <param name="Suits">Whether it can compute a shape.</param>
/// <param name="Plan">Plans a shape that it suits.</param>
/// <param name="Rehearse">
/// Makes the code ready that convolutions of a shape run, so that no run has to: (shape, with Batch 0 where it is not known; whether its spatial extents are known, or only stand for others; what is
/// applied last, null when the convolution is all; the machine).
/// </param>
public sealed record ConvKernel(string Name, Isa Isa, Predicate<ConvShape> Suits, Func<ConvShape, Target, ConvPlan> Plan, Action<ConvShape, bool, Activation?, Target> Rehearse)
{
    /// <summary>True when it adds the terms of an output as they stand, in the order of <see cref="ConvPlan"/>: rows that do give the same bits. The others hold the fp32 contract.</summary>
    public bool IsDirect { get; init; } = true;

    /// <summary>The micro-kernels of a row that is nothing but tiles; null for others.</summary>
    internal PixelTiles? Tiles { get; init; }

    /// <summary>How much it does for a shape that it suits, so that its cost can be told without planning it.</summary>
    public required Func<ConvShape, Target, KernelWork> Work { get; init; }
}

/// <summary>Every float32 convolution, best first; the last row is the scalar reference.</summary>
public static class ConvTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<ConvKernel> Rows { get; } =
    [
        GeneratedDepthwise("conv_f32_depthwise_14x16_avx512_jit", Isa.Avx512, GeneratedTiles.Avx512),
        GeneratedDepthwise("conv_f32_depthwise_8x8_avx2_jit", Isa.Avx2, GeneratedTiles.Avx2),
        Depthwise<V16>("conv_f32_depthwise_avx512", Isa.Avx512),
        Depthwise<V8>("conv_f32_depthwise_avx2", Isa.Avx2),
        Depthwise<V4>("conv_f32_depthwise_v128", Isa.None),
        Winograd<V16, Winograd4<V16>>("conv_f32_winograd4_14x32_avx512_jit", Isa.Avx512, GeneratedTiles.Avx512),
        Winograd<V16, Winograd2<V16>>("conv_f32_winograd2_14x32_avx512_jit", Isa.Avx512, GeneratedTiles.Avx512),
        Winograd<V8, Winograd4<V8>>("conv_f32_winograd4_6x16_avx2_jit", Isa.Avx2, GeneratedTiles.Avx2),
        Winograd<V8, Winograd2<V8>>("conv_f32_winograd2_6x16_avx2_jit", Isa.Avx2, GeneratedTiles.Avx2),
        FoldedLine("conv_f32_foldedline_14x32_avx512_jit", Isa.Avx512, GeneratedTiles.Avx512),
        FoldedLine("conv_f32_foldedline_6x16_avx2_jit", Isa.Avx2, GeneratedTiles.Avx2),
        Tiles("conv_f32_14x32_avx512_jit", PixelTiles.Rows[0]),
        Tiles("conv_f32_6x16_avx2_jit", PixelTiles.Rows[1]),
        Tiles("conv_f32_12x32_avx512", PixelTiles.Rows[2]),
        Tiles("conv_f32_6x16_avx2", PixelTiles.Rows[3]),
        Tiles("conv_f32_4x8_v128", PixelTiles.Rows[4]),
        new("conv_f32_scalar", Isa.None, static _ => true, static (s, _) => new ScalarConv(s, "conv_f32_scalar"), static (_, _, a, _) => ScalarConv.RehearseCode(a)) { Work = static (s, _) => ScalarConv.Work(s) },
    ];

    /// <summary>The row of that name.</summary>
    public static ConvKernel Named(string name) => Rows.First(r => r.Name == name);

    /// <summary>The row that costs least for the shape, of those that suit it and that the target can run.</summary>
    public static ConvKernel Select(in ConvShape shape, Target target) => Named(new ConvProblem(shape).Pick(target));

    private static ConvKernel Tiles(string name, PixelTiles tiles)
        => new(name, tiles.Isa, static _ => true, (s, t) => new TileConv(s, t, name, tiles), (s, isKnown, a, t) => TileConv.RehearseCode(s, isKnown, a, t, name, tiles)) { Tiles = tiles, Work = (s, t) => TileConv.Work(s, t, tiles) };

    private static ConvKernel Winograd<T, TForm>(string name, Isa isa, GeneratedTiles tiles) where T : unmanaged, IVec<T> where TForm : struct, IWinograd<T>
        => new(name, isa | Isa.Jit, WinogradConv<T, TForm>.Suits, (s, t) => new WinogradConv<T, TForm>(s, t, name, tiles), (s, isKnown, a, t) => WinogradConv<T, TForm>.RehearseCode(s, isKnown, a, t, name, tiles)) { IsDirect = false, Work = (s, t) => WinogradConv<T, TForm>.Work(s, t, tiles) };

    private static ConvKernel FoldedLine(string name, Isa isa, GeneratedTiles tiles)
        => new(name, isa | Isa.Jit, s => FoldedLineConv.Suits(s, tiles), (s, t) => new FoldedLineConv(s, t, name, tiles), (s, isKnown, a, t) => FoldedLineConv.RehearseCode(s, isKnown, a, t, name, tiles)) { IsDirect = false, Work = (s, t) => FoldedLineConv.Work(s, t, tiles) };

    private static ConvKernel GeneratedDepthwise(string name, Isa isa, GeneratedTiles tiles)
        => new(name, isa | Isa.Jit, s => DepthwiseTileConv.Suits(s, tiles), (s, t) => new DepthwiseTileConv(s, t, name, tiles), (s, isKnown, a, t) => DepthwiseTileConv.RehearseCode(s, isKnown, a, t, name, tiles)) { Work = (s, t) => DepthwiseTileConv.Work(s, t, tiles) };

    private static ConvKernel Depthwise<T>(string name, Isa isa) where T : unmanaged, IVec<T>
        => new(name, isa, DepthwiseConv<T>.Suits, (s, t) => new DepthwiseConv<T>(s, t, name), (s, _, a, t) => DepthwiseConv<T>.RehearseCode(s, a, t, name)) { Work = DepthwiseConv<T>.Work };
}
