using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Fold;

/// <summary>Takes a Pad with zeros around the image into the pads of the Conv that reads it.</summary>
public sealed class PadFolding : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not Conv { AutoPad: AutoPad.NotSet or AutoPad.Valid } conv || node.Input(0).MadeBy<Pad>(graph) is not { Operator: Pad { Mode: PadMode.Constant } } pad) return null;
        if (pad.Inputs[0] is not { Shape: { Rank: > 2 } shape } x || pad.Input(1).Integers() is not { } given || given.Any(p => p < 0)) return null;
        if (pad.Input(2) is { } value && value.Number() is not 0) return null;
        if (pad.Input(3) is { } named && named.Integers() is null) return null;
        var axes = pad.Input(3).Integers() ?? [.. Enumerable.Range(0, shape.Rank).Select(i => (long)i)];
        if (given.Length != 2 * axes.Length) return null;
        var image = shape.Rank - 2;
        var pads = conv.AutoPad == AutoPad.Valid || conv.Pads.Count == 0 ? new long[2 * image] : conv.Pads.ToArray();
        if (pads.Length != 2 * image) return null;
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = Patterns.AxisOf(axes[i], shape.Rank) - 2;
            var (begin, end) = (given[i], given[i + axes.Length]);
            if (axis < 0 && (begin, end) != (0, 0)) return null;
            if (axis < 0) continue;
            pads[axis] += begin;
            pads[axis + image] += end;
        }
        var patch = new Patch(graph, $"into the pads of {node}");
        return patch.Replace(node.Output, patch.Add(conv with { Pads = [.. pads], AutoPad = AutoPad.NotSet }, [x, .. node.Inputs.Skip(1)]));
    }
}
