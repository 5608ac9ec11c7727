using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>An operand read with strides: a slot, and the permutation of a Transpose that is read through instead of run.</summary>
/// <param name="Slot">The slot.</param>
/// <param name="Perm">Axis i of the operand is axis Perm[i] of the slot; null for none.</param>
internal sealed record StridedOperand(int Slot, int[]? Perm)
{
    /// <summary>The operand that stands for a value.</summary>
    public static StridedOperand Of(Lowering lowering, Value value) =>
        value.Producer is { Operator: Transpose t } p && p.Graph == lowering.Graph && p.Inputs[0] is { Shape: { } s } source && lowering.IsKnown(source)
            ? new(lowering.Slot(source), t.PermutationOf(s.Rank))
            : new(lowering.Slot(value), null);

    /// <summary>
    /// Whether a node turns a constant matrix that others read as it is, for products alone: the table of a language model that is its last layer too. Products read through it, so that
    /// the matrix is there once.
    /// </summary>
    public static bool IsTiedMatrix(Node node) =>
        node is { Operator: Transpose transpose, Inputs: [{ IsConstant: true, DType: DType.Float32, Shape.Rank: 2, Users.Count: > 1 }], Output: { OutputUses: 0, Users.Count: > 0 } turned }
        && turned.Users.All(u => u is { Operator: MatMul, Inputs: [{ Shape.Rank: > 1 } left, { } right] } && u.Graph == node.Graph && left != turned && right == turned)
        && transpose.PermutationOf(2) is [1, 0];

    /// <summary>The constant matrix that a value is, and whether it is read turned; null for any other value.</summary>
    public static (Tensor Matrix, bool IsTurned)? Matrix(Value value) => value switch
    {
        { Constant: { Shape.Rank: 2 } matrix } => (matrix, false),
        { Producer: { Operator: Transpose, Inputs: [{ Constant: { } tied }] } p } when IsTiedMatrix(p) => (tied, true),
        _ => null,
    };

    /// <summary>The operand with its last two axes exchanged.</summary>
    public StridedOperand Transposed(int rank)
    {
        var perm = new int[rank];
        for (var i = 0; i < rank; i++) perm[i] = Perm is null ? i : Perm[i];
        (perm[^1], perm[^2]) = (perm[^2], perm[^1]);
        return new(Slot, perm);
    }

    /// <summary>Extents and strides, in elements, once shapes are known.</summary>
    public (long[] Dims, long[] Strides) At(BindContext context)
    {
        var shape = context.Shape(Slot);
        var strides = shape.Strides();
        var dims = shape.Dims.ToArray();
        return Perm is null ? (dims, strides) : (Array.ConvertAll(Perm, p => dims[p]), Array.ConvertAll(Perm, p => strides[p]));
    }
}
