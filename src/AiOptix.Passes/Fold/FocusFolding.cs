using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fold;

/// <summary>
/// Takes a focus (every second pixel, beginning with each of them, side by side as channels; as YOLOv5 and YOLOX write it) into the Conv that reads it, which then slides over the image itself
/// with a kernel and steps as many times as large. For few channels only: those of a wider one may be filtered minimally.
/// </summary>
public sealed class FocusFolding : IPass
{
    private const long MostChannels = 16;

    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not Conv { Group: 1, AutoPad: AutoPad.NotSet or AutoPad.Valid } conv || conv.Dilations.Any(d => d != 1)) return null;
        if (node.Input(1)?.Constant is not { } weights || !Reals.CanWrite(weights.DType) || weights.Shape.Rank < 3) return null;
        if (node.Input(0).MadeOnlyFor<Concat>(node) is not { Operator: Concat concat } focus || Patterns.AxisOf(concat.Axis, weights.Shape.Rank) != 1) return null;
        var parts = focus.Inputs.Select(v => v is null ? null : Sampled.Of(v)).ToArray();
        if (parts is not [{ } first, _, ..] || parts.Any(p => p is null || p.Source != first.Source || !p.Steps.SequenceEqual(first.Steps))) return null;
        if (first.Source.Shape is not { } image || image[1].Constant is not { } channels || channels * parts.Length > MostChannels) return null;
        if (parts.Length != first.Steps.Aggregate(1L, (a, b) => a * b) || parts.Select(p => string.Join(' ', p!.Starts)).Distinct().Count() != parts.Length) return null;
        for (var axis = 0; axis < first.Steps.Length; axis++)
            if (image[axis + 2].Constant is not { } extent || extent % first.Steps[axis] != 0 || parts.Any(p => p!.Value.Shape![axis + 2].Constant != extent / first.Steps[axis])) return null;
        var patch = new Patch(graph, $"into {node}");
        var spread = patch.Constant(Spread(weights, channels, [.. parts.Select(p => p!.Starts)], first.Steps));
        var wider = new Conv([.. Times(conv.Strides, 1)], [.. Times(conv.AutoPad == AutoPad.Valid ? default : conv.Pads, 0)]);
        return patch.Replace(node.Output, patch.Add(wider, [first.Source, spread, .. node.Inputs.Skip(2)]));

        IEnumerable<long> Times(ValueList<long> given, long standard) =>
            Enumerable.Range(0, first.Steps.Length * (standard == 0 ? 2 : 1)).Select(i => (given.Count == 0 ? standard : given[i]) * first.Steps[i % first.Steps.Length]);
    }

    /// <summary>Weights [M, parts · C, kernel…] as [M, C, kernel · steps…]: a part's taps go where its pixels are.</summary>
    private static Tensor Spread(Tensor weights, long channels, long[][] starts, long[] steps)
    {
        var from = weights.Shape;
        var to = new Shape([from[0], channels, .. steps.Select((s, i) => s * from[i + 2])]);
        var (values, spread, strides) = (Reals.Read(weights), new double[to.Count], to.Strides());
        long taps = from.Product(2, from.Rank), at = 0;
        for (long output = 0; output < from[0]; output++)
            foreach (var start in starts)
                for (long channel = 0; channel < channels; channel++)
                    for (long tap = 0; tap < taps; tap++, at++)
                    {
                        var place = output * strides[0] + channel * strides[1];
                        for (var (axis, rest) = (steps.Length - 1, tap); axis >= 0; rest /= from[axis + 2], axis--) place += (rest % from[axis + 2] * steps[axis] + start[axis]) * strides[axis + 2];
                        spread[place] = values[at];
                    }
        return Reals.Write(spread, weights.DType, to);
    }

    /// <summary>A value that holds every so many pixels of an image.</summary>
    /// <param name="Value">The value.</param>
    /// <param name="Source">The image.</param>
    /// <param name="Starts">The first pixel, by axis of the image.</param>
    /// <param name="Steps">From a pixel to the next.</param>
    private sealed record Sampled(Value Value, Value Source, long[] Starts, long[] Steps)
    {
        public static Sampled? Of(Value value)
        {
            if (value.Shape is not { Rank: > 2 } shape) return null;
            var (source, starts, steps) = (value, new long[shape.Rank - 2], Enumerable.Repeat(1L, shape.Rank - 2).ToArray());
            while (source.MadeBy<Slice>(value.Graph) is { } slice)
            {
                if (slice.Input(1).Integers() is not { } begins || (slice.Input(3) is { } a ? a.Integers() : [.. Enumerable.Range(0, begins.Length).Select(i => (long)i)]) is not { } axes) return null;
                if ((slice.Input(4) is { } s ? s.Integers() : [.. begins.Select(_ => 1L)]) is not { } every || axes.Length != begins.Length || every.Length != begins.Length) return null;
                for (var i = 0; i < axes.Length; i++)
                {
                    var axis = Patterns.AxisOf(axes[i], shape.Rank) - 2;
                    if (axis < 0 || begins[i] < 0 || every[i] < 1) return null;
                    starts[axis] = begins[i] + starts[axis] * every[i];
                    steps[axis] *= every[i];
                }
                source = slice.Inputs[0]!;
            }
            return starts.Zip(steps).All(p => p.First < p.Second) ? new(value, source, starts, steps) : null;
        }
    }
}
