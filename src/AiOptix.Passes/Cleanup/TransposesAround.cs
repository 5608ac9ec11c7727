using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Cleanup;

/// <summary>
/// Merges a Transpose with those before it when what stands between works element by element, or along axes that can be named anew: arithmetic with numbers and between
/// operands that are transposed alike, activations, Clip, Cast, Concat, Softmax, reductions that keep their axes. What is between is done before the permutation, so at
/// least one Transpose less remains. Values that others read stay where they are.
/// </summary>
public sealed class TransposesAround : IPass
{
    private const int MaxNodes = 16;

    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not Transpose outer || node.Input(0) is not { Shape: { } s } value || value.MadeBy<Transpose>(graph) is not null) return null;
        if (Permutation(value, node, MaxNodes) is not { } inner || inner.Length != s.Rank) return null;
        var patch = new Patch(graph, "around what works in any order");
        var left = MaxNodes;
        if (Untransposed(value, node, inner, patch, ref left) is { } source)
        {
            var merged = outer.PermutationOf(s.Rank).Select(a => (long)inner[a]).ToArray();
            var isIdentity = merged.Select((a, i) => a == i).All(same => same);
            if (!isIdentity) return patch.Replace(node.Output, patch.Add(new Transpose(new(merged)), source));
            if (Patch.CanReplace(node.Output, source)) return patch.Replace(node.Output, source);
        }
        patch.Discard();
        return null;
    }

    /// <summary>The permutation of the first Transpose above a value, through nodes that only their reader reads.</summary>
    private static int[]? Permutation(Value? value, Node reader, int left)
    {
        if (left == 0 || value?.Producer is not { } node || node.Graph != reader.Graph) return null;
        if (node.Operator is Transpose t) return value.Shape is { } s ? t.PermutationOf(s.Rank) : null;
        if (!IsBetween(node) || !ReadOnlyBy(value, reader)) return null;
        foreach (var input in node.Inputs)
            if (Permutation(input, node, left - 1) is { } found) return found;
        return null;
    }

    private static bool IsBetween(Node node) => node.Operator switch
    {
        PRelu => false,
        UnaryFloat or UnaryNumeric or BinaryNumeric or Clip or Cast or Concat or Softmax or LogSoftmax => true,
        Reduction { KeepDims: true } => node.AxesOf() is not null,
        _ => false,
    };

    private static bool ReadOnlyBy(Value value, Node reader) => value.OutputUses == 0 && value.Users.All(u => u == reader);

    /// <summary>The value that a permutation makes this one of, with nodes of the patch; null when there is none.</summary>
    private static Value? Untransposed(Value? value, Node reader, int[] permutation, Patch patch, ref int left)
    {
        if (value?.Producer is not { } node || node.Graph != reader.Graph) return null;
        if (node.Operator is Transpose t) return value.Shape is { } s && t.PermutationOf(s.Rank).AsSpan().SequenceEqual(permutation) ? node.Input(0) : null;
        if (left-- == 0 || !IsBetween(node) || !ReadOnlyBy(value, reader) || value.Shape?.Rank != permutation.Length) return null;
        var inputs = new Value?[node.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
        {
            var input = node.Input(i);
            if (i > 0 && node.Operator is Clip) inputs[i] = input;
            else if (i > 0 && node.Operator is Reduction) inputs[i] = patch.Constant(Tensor.Vector<long>([.. node.AxesOf()!.Select(a => (long)permutation[a])]));
            else if (input is { IsConstant: true }) inputs[i] = node.Operator is BinaryNumeric ? Permuted(input, permutation, patch) : null;
            else inputs[i] = Untransposed(input, node, permutation, patch, ref left);
            if (inputs[i] is null && input is not null) return null;
        }
        return patch.Add(node.Operator switch
        {
            Concat c => new Concat(permutation[Patterns.AxisOf(c.Axis, permutation.Length)]),
            Softmax x => new Softmax(permutation[Patterns.AxisOf(x.Axis, permutation.Length)]),
            LogSoftmax x => new LogSoftmax(permutation[Patterns.AxisOf(x.Axis, permutation.Length)]),
            var op => op,
        }, inputs);
    }

    /// <summary>A constant operand before the permutation: a number as it is, otherwise small, with its axes put back.</summary>
    private static Value? Permuted(Value constant, int[] permutation, Patch patch)
    {
        var tensor = constant.Constant!;
        if (tensor.Count == 1 && tensor.Shape.Rank <= permutation.Length) return constant;
        var width = tensor.DType.Bits() / 8;
        if (tensor.Shape.Rank > permutation.Length || tensor.ByteLength > Fold.ConstantFolding.MaxBytes || tensor.DType.IsPacked() || tensor.DType == DType.String) return null;
        var missing = permutation.Length - tensor.Shape.Rank;
        long Extent(int axis) => axis < missing ? 1 : tensor.Shape[axis - missing];
        var back = Enumerable.Range(0, permutation.Length).Select(a => Array.IndexOf(permutation, a)).ToArray();
        var result = Tensor.Allocate(tensor.DType, new Shape([.. back.Select(Extent)]));
        var at = new long[permutation.Length];
        for (var i = 0; i < tensor.Count; i++)
        {
            long from = 0;
            for (var a = 0; a < permutation.Length; a++) from = from * Extent(a) + at[permutation[a]];
            tensor.Bytes.Slice((int)(from * width), width).CopyTo(result.Bytes[(i * width)..]);
            for (var a = at.Length - 1; a >= 0 && ++at[a] == result.Shape[a]; a--) at[a] = 0;
        }
        return patch.Constant(result, constant.Name);
    }
}
