using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Fold;

/// <summary>Takes a Mul, Div, Add or Sub with a constant that is one number, or one per channel, into the weights and bias of the Conv or ConvTranspose before it.</summary>
public sealed class ChannelConstantFolding : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not (Mul or Div or Add or Sub)) return null;
        foreach (var (value, constant) in node.Orders())
        {
            if (node.Operator is Div or Sub && value != node.Inputs[0]) continue;
            if ((value.MadeOnlyFor<Conv>(node) ?? value.MadeOnlyFor<ConvTranspose>(node)) is not { } product) continue;
            if (!value.SameType(node.Output) || PerChannel(constant, value.Shape!) is not { } numbers) continue;
            var scale = node.Operator switch
            {
                Mul => numbers,
                Div => Array.ConvertAll(numbers, n => 1 / n),
                _ => null,
            };
            var shift = scale is not null ? null : node.Operator is Sub ? Array.ConvertAll(numbers, n => -n) : numbers;
            if (scale?.All(double.IsFinite) == false) continue;
            return ChannelAffine.Fold(product, node.Output, scale, shift, $"into {product}");
        }
        return null;
    }

    /// <summary>A constant spread over the channels (axis 1) of a shape, when it varies along no other axis.</summary>
    private static double[]? PerChannel(Value constant, SymbolicShape shape)
    {
        if (constant.Constant is not { } t || !Reals.CanWrite(t.DType) || shape[1].Constant is not { } channels || t.Shape.Rank > shape.Rank) return null;
        for (var i = 0; i < t.Shape.Rank; i++)
            if (t.Shape[i] != 1 && (i + shape.Rank - t.Shape.Rank != 1 || t.Shape[i] != channels)) return null;
        var values = Reals.Read(t);
        return values.Length == channels ? values : values.Length == 1 ? [.. Enumerable.Repeat(values[0], (int)channels)] : null;
    }
}
