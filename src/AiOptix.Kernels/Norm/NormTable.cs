using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Norm;

/// <summary>A row of the table of normalisations.</summary>
public readonly unsafe struct NormKernel
{
    internal NormKernel(string name, Isa needs, delegate*<NormArgs*, long, long, long, float, bool, void> layer,
        delegate*<NormArgs*, long, long, long, long, long, float, void> group, delegate*<float*, float*, float*, float*, long, void> channelRow,
        delegate*<float*, float, float, float*, long, void> channelSpan, delegate*<float*, long, long, long, float*, float*, void> channelSums,
        delegate*<float*, long, long, long, float*, float*, float*, float*, void> channelScale)
    {
        Name = name;
        Needs = needs;
        Layer = layer;
        Group = group;
        ChannelRow = channelRow;
        ChannelSpan = channelSpan;
        ChannelSums = channelSums;
        ChannelScale = channelScale;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>LayerNorm and RMSNorm: pointers, first row, end row, length, epsilon, centred.</summary>
    public readonly delegate*<NormArgs*, long, long, long, float, bool, void> Layer;
    /// <summary>GroupNorm: pointers, first row, end row, groups, channels of a group, elements of a channel, epsilon.</summary>
    public readonly delegate*<NormArgs*, long, long, long, long, long, float, void> Group;
    /// <summary>x·scale + bias, element by element: x, scale, bias, y, elements.</summary>
    public readonly delegate*<float*, float*, float*, float*, long, void> ChannelRow;
    /// <summary>x·scale + bias with one scale and bias: x, scale, bias, y, elements.</summary>
    public readonly delegate*<float*, float, float, float*, long, void> ChannelSpan;
    /// <summary>Sums of channels that lie last, or of squared differences from their means: x, floats from pixel to pixel, pixels, channels, means or null, sums.</summary>
    public readonly delegate*<float*, long, long, long, float*, float*, void> ChannelSums;
    /// <summary>(x − mean)·factor + bias of channels that lie last: x, floats from pixel to pixel, pixels, channels, means, factors, biases, y.</summary>
    public readonly delegate*<float*, long, long, long, float*, float*, float*, float*, void> ChannelScale;
}

/// <summary>The table of normalisations, best first, the scalar reference last; all rows give the same bits.</summary>
public static class NormTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<NormKernel> Rows { get; } =
    [
        Row<V16, V16>("norm_f32_avx512", Isa.Avx512),
        Row<Pair<V8>, V8>("norm_f32_avx2", Isa.Avx2),
        Row<Pair<Pair<V4>>, V4>("norm_f32_vector128", Isa.None),
        Row<Pair<Pair<Pair<Pair<V1>>>>, V1>("norm_f32_scalar", Isa.None),
    ];

    /// <summary>The first row that the target can run.</summary>
    public static NormKernel Select(Target target) => Rows.First(row => target.Has(row.Needs));

    private static unsafe NormKernel Row<T, TLane>(string name, Isa needs) where T : unmanaged, IVec<T> where TLane : unmanaged, IVec<TLane> =>
        new(name, needs, &NormLoop.Layer<T>, &NormLoop.Group<T>, &NormLoop.ChannelRow<T>, &NormLoop.ChannelSpan<T>, &ChannelLoop.Sums<TLane>, &ChannelLoop.Scale<TLane>);
}
