using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes;

/// <summary>A Reshape whose target is a constant.</summary>
/// <param name="Operator">The operator.</param>
/// <param name="Extents">Its second input.</param>
internal sealed record ReshapeTarget(Reshape Operator, Tensor Extents)
{
    /// <summary>
    /// The constant target that makes one shape of another in every run, or null when there is none. Extents that are not known are copied from the same
    /// axis (0) or, if there is one and all others are known, left over (-1), so that empty tensors work as well.
    /// </summary>
    public static ReshapeTarget? Of(SymbolicShape from, SymbolicShape to)
    {
        if (to.Concrete is { } known) return new(new Reshape(AllowZero: known.Any(d => d == 0)), Tensor.Vector(known.Dims));
        var extents = new long[to.Rank];
        for (var i = 0; i < extents.Length; i++)
        {
            if (to[i].Constant == 0) return null;
            extents[i] = to[i].Constant ?? (i < from.Rank && from[i].Equals(to[i]) ? 0 : -1);
        }
        var open = extents.Count(e => e == -1);
        return open > 1 || (open == 1 && extents.Contains(0)) ? null : new(new Reshape(), Tensor.Vector<long>(extents));
    }
}
