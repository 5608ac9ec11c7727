using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What <see cref="Pad"/> puts around its input.</summary>
public enum PadMode
{
    /// <summary>One value.</summary>
    Constant,
    /// <summary>The mirror image, the edge itself not repeated.</summary>
    Reflect,
    /// <summary>The edge.</summary>
    Edge,
    /// <summary>The other end.</summary>
    Wrap,
}

/// <summary>
/// ONNX Pad: inputs data, pads (all begins, then all ends; negative ones crop), value (default 0), axes (default all). Cropping comes before padding, so
/// that the mirrored or repeated part is what is left.
/// </summary>
/// <param name="Mode">What is put around.</param>
public sealed record Pad(PadMode Mode = PadMode.Constant) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.DType(0);
        context.Require(1, t => t == DType.Int64, "int64");
        if (context.Has(2)) context.RequireSame(0, 2);
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, type, null);
            return;
        }
        var axes = context.Has(3) ? context.Integers(3) : Queries.Each(s.Rank, i => (long)i);
        if (axes is not null && context.Length(1) is { } n && n != 2 * axes.Length) throw context.Error($"{n} pads are given for {axes.Length} axes; expected {2 * axes.Length}");
        if (axes is null || context.Elements(1) is not { } pads)
        {
            context.Set(0, type, context.FreshShape(s.Rank));
            return;
        }
        var at = context.Axes(axes, s.Rank);
        var result = s;
        for (var i = 0; i < at.Length; i++)
        {
            var extent = s[at[i]] + pads[i] + pads[i + at.Length];
            if (extent.Constant < 0) throw context.Error($"pads crop more than axis {at[i]} of shape {s} has");
            result = result.With(at[i], extent);
        }
        context.Set(0, type, result);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var s = input.Shape;
        var pads = context.RequiredIntegers(1);
        var axes = context.Axes(context.Integers(3) ?? Queries.Each(s.Rank, i => (long)i), s.Rank);
        if (pads.Length != 2 * axes.Length) throw context.Error($"{pads.Length} pads are given for {axes.Length} axes; expected {2 * axes.Length}");
        var sources = s.Select(d => Identity(d)).ToArray();
        for (var i = 0; i < axes.Length; i++) sources[axes[i]] = Sources(context, s[axes[i]], pads[i], pads[i + axes.Length]);
        var shape = new Shape([.. sources.Select(m => (long)m.Length)]);
        var output = context.Allocate(0, input.DType, shape, zeroed: true);
        if (Mode == PadMode.Constant && context.OptionalInput(2) is { } value)
        {
            if (value.Count != 1) throw context.Error($"the padding value must have one element, found {value}");
            new ElementMover(value, output).Fill(0, output.Count);
        }
        if (output.Count > 0) new ElementMover(input, output).CopyMapped(sources, 0, s.Strides(), 0, shape.Strides());
    }

    /// <summary>An axis that stays as it is.</summary>
    internal static long[] Identity(long extent)
    {
        var r = new long[extent];
        for (long i = 0; i < extent; i++) r[i] = i;
        return r;
    }

    /// <summary>For every position of a padded axis the input position that it shows, -1 for the padding value.</summary>
    private long[] Sources(EvaluationContext context, long extent, long begin, long end)
    {
        var low = Math.Max(0, -begin);
        var kept = extent - low - Math.Max(0, -end);
        if (kept < 0 || kept + Math.Max(0, begin) + Math.Max(0, end) > int.MaxValue) throw context.Error($"pads {begin} and {end} do not fit an axis of extent {extent}");
        var before = Math.Max(0, begin);
        var map = new long[kept + before + Math.Max(0, end)];
        if (kept == 0 && Mode != PadMode.Constant && map.Length > 0) throw context.Error($"mode {Mode} has nothing to repeat on an axis of extent {extent}");
        for (long i = 0; i < map.Length; i++)
        {
            var at = i - before;
            if (at < 0 || at >= kept)
                at = Mode switch
                {
                    PadMode.Constant => -1 - low,
                    PadMode.Edge => Math.Clamp(at, 0, kept - 1),
                    PadMode.Wrap => (at % kept + kept) % kept,
                    _ => Mirror(at, kept),
                };
            map[i] = at + low;
        }
        return map;
    }

    private static long Mirror(long at, long extent)
    {
        if (extent == 1) return 0;
        var period = 2 * (extent - 1);
        at = (at % period + period) % period;
        return at < extent ? at : period - at;
    }
}
