using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Transpose: output axis i is input axis <c>Perm[i]</c>.</summary>
/// <param name="Perm">A permutation of the axes; empty reverses them.</param>
public sealed record Transpose(ValueList<long> Perm = default) : Operator
{
    /// <summary>The permutation for an input of a rank.</summary>
    /// <exception cref="InvalidGraphException">It is none.</exception>
    public int[] PermutationOf(int rank)
    {
        var p = new int[rank];
        var isTaken = new bool[rank];
        if (Perm.Count != 0 && Perm.Count != rank) throw new InvalidGraphException($"perm {Perm} is no permutation of {rank} axes");
        for (var i = 0; i < rank; i++)
        {
            var axis = Perm.Count == 0 ? rank - 1 - i : Perm[i] < 0 ? Perm[i] + rank : Perm[i];
            if (axis < 0 || axis >= rank || isTaken[axis]) throw new InvalidGraphException($"perm {Perm} is no permutation of {rank} axes");
            isTaken[axis] = true;
            p[i] = (int)axis;
        }
        return p;
    }

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        int[] p;
        try
        {
            p = PermutationOf(shape?.Rank ?? Perm.Count);
        }
        catch (InvalidGraphException e)
        {
            throw context.Error(e.Message);
        }
        if (shape is not { } s)
        {
            context.Set(0, context.DType(0), Perm.Count > 0 ? context.FreshShape(Perm.Count) : null);
            return;
        }
        context.Set(0, context.DType(0), new([.. p.Select(a => s[a])]));
        context.SetElements(0, context.Elements(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var p = PermutationOf(input.Shape.Rank);
        var output = context.Allocate(0, input.DType, new Shape([.. p.Select(a => input.Shape[a])]), zeroed: input.DType.IsPacked());
        var steps = input.Shape.Strides();
        new ElementMover(input, output).CopyBox(output.Shape.Dims, 0, [.. p.Select(a => steps[a])], 0, output.Shape.Strides());
    }
}
