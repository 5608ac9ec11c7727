using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Fuse;

/// <summary>
/// Finds e / ReduceSum(e) with e = Exp(x - ReduceMax(x)) along one axis, axes kept, and makes it a Softmax. Without the maximum it is not the same: large x
/// overflow there.
/// </summary>
public sealed class SoftmaxFusion : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not Div || node.Input(0).MadeBy<Exp>(graph) is not { } exp || node.Input(1).MadeBy<ReduceSum>(graph) is not { } sum) return null;
        if (sum.Input(0) != exp.Output || exp.Input(0).MadeBy<Sub>(graph) is not { } difference) return null;
        if (difference.Input(1).MadeBy<ReduceMax>(graph) is not { } max || max.Input(0) != difference.Input(0)) return null;
        if (!((Reduction)sum.Operator).KeepDims || !((Reduction)max.Operator).KeepDims) return null;
        if (max.AxesOf() is not [var axis] || sum.AxesOf() is not [var other] || axis != other) return null;
        if (!Patterns.IsClosed([max, difference, exp, sum, node], node)) return null;
        var patch = new Patch(graph, $"along axis {axis}");
        return patch.Replace(node.Output, patch.Add(new Softmax(axis), difference.Inputs[0]));
    }
}
