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

    /// <summary>The operand with its last two axes exchanged.</summary>
    public StridedOperand Transposed(int rank)
    {
        var perm = Perm?.ToArray() ?? [.. Enumerable.Range(0, rank)];
        (perm[^1], perm[^2]) = (perm[^2], perm[^1]);
        return new(Slot, perm);
    }

    /// <summary>Extents and strides, in elements, once shapes are known.</summary>
    public (long[] Dims, long[] Strides) At(BindContext context)
    {
        var shape = context.Shape(Slot);
        var strides = shape.Strides();
        var dims = shape.Dims.ToArray();
        return Perm is null ? (dims, strides) : ([.. Perm.Select(p => dims[p])], [.. Perm.Select(p => strides[p])]);
    }
}
