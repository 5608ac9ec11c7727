using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// Which scale belongs to which element (ONNX QuantizeLinear, "granularities"): one for all, one for each entry of an axis, or one for each block along an axis.
/// </summary>
/// <param name="Extent">The extent of the axis; 0 when one scale serves all.</param>
/// <param name="Inner">Elements behind one entry of the axis.</param>
/// <param name="Block">How many entries of the axis share a scale; 0 when the scales are a vector over the axis.</param>
internal readonly record struct ScaleGrid(long Extent, long Inner, long Block)
{
    private long Blocks => (Extent + Block - 1) / Block;

    /// <summary>The index of the scale of an element.</summary>
    public long At(long element)
    {
        if (Extent == 0) return 0;
        var entry = element / Inner % Extent;
        return Block == 0 ? entry : (element / Inner / Extent * Blocks + entry / Block) * Inner + element % Inner;
    }

    /// <summary>The grid for concrete shapes.</summary>
    /// <exception cref="InvalidInputException">The shape of the scales fits no granularity.</exception>
    public static ScaleGrid Of(EvaluationContext context, Shape data, Shape scale, long axis, long block)
    {
        if (scale.Count == 1 && block == 0) return default;
        if (scale.Count == 1 && scale.Rank == 0) return default;
        if (data.Rank == 0) throw context.Error($"scales of shape {scale} do not fit a scalar");
        var at = context.Axis(axis, data.Rank);
        var inner = data.Product(at + 1, data.Rank);
        if (block == 0 && scale.Rank == 1)
            return scale[0] == data[at] ? new(data[at], inner, 0) : throw context.Error($"{scale[0]} scales do not fit axis {at} of data of shape {data}");
        if (scale.Rank != data.Rank) throw context.Error($"scales of shape {scale} do not fit data of shape {data}: expected a scalar, a vector over axis {at}, or as many axes");
        var size = block > 0 ? block : scale[at] == 0 ? 1 : (data[at] + scale[at] - 1) / scale[at];
        for (var i = 0; i < data.Rank; i++)
            if (scale[i] != (i == at ? (data[i] + size - 1) / size : data[i])) throw context.Error($"scales of shape {scale} do not fit data of shape {data} in blocks of {size} along axis {at}");
        return new(data[at], inner, size);
    }

    /// <summary>Checks what can be told of the shapes before a run.</summary>
    public static void Check(InferenceContext context, int scale, int zero, long axis, long block)
    {
        if (block < 0) throw context.Error($"block size {block} must not be negative");
        if (context.Has(zero) && context.Shape(scale) is { } a && context.Shape(zero) is { } b && !(a.Rank <= 1 && b.Rank <= 1)) context.Merge(a, b, "scale and zero point");
        if (context.Shape(0) is not { Rank: > 0 } s || context.Shape(scale) is not { Rank: > 0 } g || g.Concrete?.Count == 1) return;
        var at = context.Axis(axis, s.Rank);
        if (block == 0 && g.Rank == 1)
        {
            if (g[0].IsConstant) context.Same(s[at], g[0], $"axis {at} of data of shape {s} and its scales");
        }
        else if (g.Rank != s.Rank) throw context.Error($"scales of shape {g} do not fit data of shape {s}: expected a scalar, a vector over axis {at}, or as many axes");
    }
}
