using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Quantize;

/// <summary>
/// Lets a GlobalAveragePool, AveragePool or ReduceMean between DequantizeLinear and QuantizeLinear sum up whole steps: the operand's scale moves from its numbers into the
/// scale of the result. Sums of steps are exact, so that a mean which lies in the middle between two steps is rounded to the even one.
/// </summary>
public sealed class QuantizedAverage : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (QuantizedOperand.Behind(node) is not { } result || node.Input(0)?.Producer is not { Operator: GlobalAveragePool or AveragePool or ReduceMean } average) return null;
        if (average.Graph != graph || average.Output.SoleUser != node || QuantizedOperand.Before(average.Input(0), graph) is not { IsScalar: true } source) return null;
        var (from, to) = (source.Scale.Constant!.Span<float>()[0], result.Scale.Constant!.Span<float>()[0]);
        if (from == 1 || !float.IsNormal(to / from)) return null;
        var patch = new Patch(graph, $"{average.Operator.Name} of steps");
        var steps = patch.Add(new DequantizeLinear(), source.Bytes, patch.Constant(Tensor.Scalar(1f)), source.Zero is null ? null : patch.Constant(source.Zero.Constant!.Reshape(Shape.Scalar)));
        var mean = patch.Add(average.Operator, [steps, .. average.Inputs.Skip(1)]);
        return patch.Replace(node.Output, patch.Add(node.Operator, mean, patch.Constant(Tensor.Scalar(to / from)), result.Zero is null ? null : patch.Constant(result.Zero.Constant!.Reshape(Shape.Scalar))));
    }
}
