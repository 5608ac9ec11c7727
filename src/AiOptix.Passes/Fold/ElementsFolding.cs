using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fold;

/// <summary>Makes a constant of an integer scalar or vector whose elements shape inference knows: a Shape of a known shape, and the arithmetic behind it.</summary>
public sealed class ElementsFolding : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        foreach (var output in node.Outputs)
        {
            if (output.IsUnused || output.OutputUses > 0 || output.Shape is not { Rank: <= 1 } shape || output.Elements is not { } elements) continue;
            if (output.DType is not (DType.Int64 or DType.Int32) || !elements.All(e => e.IsConstant)) continue;
            if (shape.Count.Constant is { } count && count != elements.Count) continue;
            var numbers = elements.Select(e => e.Constant!.Value).ToArray();
            var extents = shape.Rank == 0 ? Shape.Scalar : new Shape(numbers.Length);
            var tensor = output.DType == DType.Int64
                ? Tensor.From<long>(numbers, extents)
                : Tensor.From<int>([.. numbers.Select(n => unchecked((int)n))], extents);
            var patch = new Patch(graph, $"'{output.Name}' is [{string.Join(",", numbers)}]");
            return patch.Replace(output, patch.Constant(tensor, output.Name));
        }
        return null;
    }
}
