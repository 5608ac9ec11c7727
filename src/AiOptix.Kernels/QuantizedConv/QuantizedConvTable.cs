using AiOptix.Tensors;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>A row of <see cref="QuantizedConvTable"/>.</summary>
/// <param name="Name">The specification.</param>
/// <param name="Isa">Instruction sets it needs.</param>
/// <param name="Suits">Whether it can compute a shape; looks at channels, groups and the layout only.</param>
/// <param name="Plan">Plans a shape that it suits.</param>
public sealed record QuantizedConvKernel(string Name, Isa Isa, Predicate<QuantizedShape> Suits, Func<QuantizedShape, QuantizedConvPlan> Plan);

/// <summary>Every quantised convolution, best first; the last row is the scalar reference.</summary>
public static unsafe class QuantizedConvTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<QuantizedConvKernel> Rows { get; } =
    [
        Depthwise<Pairs16>("qconv_u8s16s32_depthwise_avx512", Isa.Avx512),
        Depthwise<Pairs8>("qconv_u8s16s32_depthwise_avx2", Isa.Avx2),
        Depthwise<Pairs4>("qconv_u8s16s32_depthwise_v128", Isa.None),
        Tiled("qconv_u8s16s32_4x32_avx512", Isa.Avx512, 32, &QuantizedTile.Run<Pairs16>),
        Tiled("qconv_u8s16s32_4x16_avx2", Isa.Avx2, 16, &QuantizedTile.Run<Pairs8>),
        Tiled("qconv_u8s16s32_4x8_v128", Isa.None, 8, &QuantizedTile.Run<Pairs4>),
        new("qconv_u8s16s32_scalar", Isa.None, static _ => true, static s => new ScalarQuantizedConv(s, "qconv_u8s16s32_scalar")),
    ];

    /// <summary>The first row that suits the shape and that the target can run.</summary>
    public static QuantizedConvKernel Select(QuantizedShape shape, Target target)
    {
        foreach (var row in Rows)
            if (target.Has(row.Isa) && row.Suits(shape)) return row;
        return Rows[^1];
    }

    private static QuantizedConvKernel Depthwise<T>(string name, Isa isa) where T : unmanaged, IPairs<T> =>
        new(name, isa, static s => s is { IsChannelsLast: false, Conv: { GroupChannels: 1, Groups: > 1 } }, s => new DepthwiseQuantizedConv<T>(s, name));

    private static QuantizedConvKernel Tiled(string name, Isa isa, int columns, delegate*<int*, int*, nint, int*, void> tile)
    {
        var code = (nint)tile;
        return new(name, isa, static _ => true, s => new TiledQuantizedConv(s, name, columns, (delegate*<int*, int*, nint, int*, void>)code));
    }
}
