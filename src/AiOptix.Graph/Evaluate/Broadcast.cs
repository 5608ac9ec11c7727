using AiOptix.Tensors;

namespace AiOptix.Graphs.Evaluate;

/// <summary>
/// Multidirectional (NumPy) broadcasting: the common shape of several operands, and a walk over it row by row. In a row, operand k is read from
/// <see cref="Offset"/> on, <see cref="Step"/> elements apart (0 where the operand is spread).
/// </summary>
public sealed class Broadcast
{
    private readonly long[] extents;
    private readonly long[][] strides;
    private readonly long[] offsets;
    private readonly long[] at;
    private readonly long rows;
    private long row = -1;

    /// <summary>Starts before the first row.</summary>
    /// <param name="output">The common shape, as <see cref="Common(ReadOnlySpan{Shape})"/> gives it; operands may also be broadcast to a larger shape.</param>
    /// <param name="operands">The shapes of the operands; each extent is 1 or that of the output.</param>
    public Broadcast(Shape output, params ReadOnlySpan<Shape> operands)
    {
        extents = output.Rank == 0 ? [1] : output.Dims.ToArray();
        strides = new long[operands.Length][];
        for (var k = 0; k < operands.Length; k++)
        {
            var own = operands[k].Strides();
            strides[k] = new long[extents.Length];
            for (var i = 1; i <= own.Length; i++)
            {
                if (operands[k][-i] != 1 && operands[k][-i] != extents[^i]) throw new ArgumentException($"shape {operands[k]} does not broadcast to {output}", nameof(operands));
                strides[k][^i] = operands[k][-i] == 1 ? 0 : own[^i];
            }
        }
        offsets = new long[operands.Length];
        at = new long[extents.Length];
        RowLength = (int)Math.Min(extents[^1], int.MaxValue);
        rows = output.Count == 0 ? 0 : output.Count / extents[^1];
    }

    /// <summary>Elements in a row: the last extent.</summary>
    public int RowLength { get; }

    /// <summary>The position of the present row in the output.</summary>
    public int OutputOffset => checked((int)(row * RowLength));

    /// <summary>Where the present row of an operand begins.</summary>
    public int Offset(int operand) => checked((int)offsets[operand]);

    /// <summary>How far apart the elements of a row of an operand are: 0 or 1.</summary>
    public int Step(int operand) => (int)strides[operand][^1];

    /// <summary>Goes to the next row; false behind the last.</summary>
    public bool NextRow()
    {
        if (++row >= rows) return false;
        if (row == 0) return true;
        for (var axis = extents.Length - 2; axis >= 0; axis--)
        {
            at[axis]++;
            for (var k = 0; k < offsets.Length; k++) offsets[k] += strides[k][axis];
            if (at[axis] < extents[axis]) break;
            at[axis] = 0;
            for (var k = 0; k < offsets.Length; k++) offsets[k] -= strides[k][axis] * extents[axis];
        }
        return true;
    }

    /// <summary>The common shape of concrete shapes, or null when they do not fit.</summary>
    public static Shape? Common(params ReadOnlySpan<Shape> shapes)
    {
        var rank = 0;
        foreach (var s in shapes) rank = Math.Max(rank, s.Rank);
        var r = new long[rank];
        Array.Fill(r, 1);
        foreach (var s in shapes)
            for (var i = 1; i <= s.Rank; i++)
            {
                if (s[-i] == 1 || s[-i] == r[^i]) continue;
                if (r[^i] != 1) return null;
                r[^i] = s[-i];
            }
        return new Shape(r);
    }

    /// <summary>The common shape of a node's inputs.</summary>
    /// <exception cref="InvalidInputException">They do not fit; the message names the shapes.</exception>
    public static Shape Common(EvaluationContext context, params ReadOnlySpan<Tensor> operands)
    {
        var shapes = new Shape[operands.Length];
        for (var i = 0; i < shapes.Length; i++) shapes[i] = operands[i].Shape;
        return Common(shapes) ?? throw context.Error($"the shapes {string.Join(" and ", shapes)} do not broadcast: extents must be equal or 1");
    }

    /// <summary>The common symbolic shape of the node's inputs in a range; null when the rank of one is unknown.</summary>
    /// <exception cref="InvalidGraphException">Two do not fit; the message names both shapes.</exception>
    public static SymbolicShape? Infer(InferenceContext context, int first, int count)
    {
        var shape = new SymbolicShape();
        for (var i = first; i < first + count; i++)
        {
            if (context.Shape(i) is not { } s) return null;
            var common = SymbolicShape.Broadcast(shape, s)
                ?? throw context.Error($"input {i} ('{context.Node.Input(i)!.Name}') of shape {s} does not broadcast to {shape}: extents must be equal or 1");
            Assume(context, shape, common);
            Assume(context, s, common);
            shape = common;
        }
        return shape;
    }

    /// <summary>Records that an extent that is not known yet is 1 or the known common one.</summary>
    private static void Assume(InferenceContext context, SymbolicShape shape, SymbolicShape common)
    {
        for (var axis = 1; axis <= shape.Rank; axis++)
            if (common[-axis].IsConstant && !shape[-axis].IsConstant)
                context.AssumeEqual((shape[-axis] - 1) * (shape[-axis] - common[-axis]), Dim.Zero, $"shape {shape} broadcasts to {common}, so {shape[-axis]} is 1 or {common[-axis]}");
    }
}
