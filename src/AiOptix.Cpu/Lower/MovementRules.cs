using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Copy;
using AiOptix.Runtime;
using AiOptix.Tensors;
using Broadcasting = AiOptix.Kernels.Loops.Broadcasting;

namespace AiOptix.Cpu.Lower;

/// <summary>Operators that move elements without changing them, for every type whose elements are whole bytes.</summary>
internal static class MovementRules
{
    /// <summary>The output is the input under another shape: no step at all.</summary>
    public static bool View(Lowering lowering, Node node)
    {
        lowering.Alias(node, node.Output, node.Inputs[0]!);
        return true;
    }

    public static bool Transpose(Lowering lowering, Node node)
    {
        var perm = ((Transpose)node.Operator).PermutationOf(node.Inputs[0]!.Shape!.Rank);
        return Move(lowering, node, [CopyForm.Transpose, CopyForm.Strided], (c, source) =>
        {
            var strides = c.Shape(source).Strides();
            return (c.Shape(lowering.Slot(node.Output)), [.. perm.Select(p => strides[p])], 0);
        });
    }

    public static bool Expand(Lowering lowering, Node node) => Move(lowering, node, [CopyForm.Fill], (c, source) =>
    {
        var target = c.Shape(lowering.Slot(node.Output));
        return (target, Broadcasting.Strides(c.Shape(source), target), 0);
    });

    public static bool Slice(Lowering lowering, Node node)
    {
        var rank = node.Inputs[0]!.Shape!.Rank;
        if (node.Inputs[1]!.Elements is not { } starts || node.Inputs[2]!.Elements is not { } ends) return false;
        if (node.Input(3) is { } a && a.Constant is null) return false;
        if (node.Input(4) is { } s && s.Constant is null) return false;
        var axes = node.Input(3)?.Constant!.ToInt64() ?? [.. Enumerable.Range(0, starts.Count).Select(i => (long)i)];
        var steps = node.Input(4)?.Constant!.ToInt64() ?? [.. axes.Select(_ => 1L)];
        return Move(lowering, node, [CopyForm.Strided], (c, source) =>
        {
            var shape = c.Shape(source);
            var strides = shape.Strides();
            var moved = strides.ToArray();
            long offset = 0;
            for (var i = 0; i < axes.Length; i++)
            {
                var axis = (int)(axes[i] < 0 ? axes[i] + rank : axes[i]);
                var (first, _) = Graphs.Ops.Slice.Bounds(shape[axis], c.Evaluate(starts[i]), c.Evaluate(ends[i]), steps[i]);
                offset += first * strides[axis];
                moved[axis] = strides[axis] * steps[i];
            }
            return (c.Shape(lowering.Slot(node.Output)), moved, offset);
        }, isShort: steps.Any(step => step != 1));
    }

    public static bool Concat(Lowering lowering, Node node)
    {
        if (!IsBytes(node.Output.DType)) return false;
        var output = lowering.Slot(node.Output);
        int[] inputs = [.. node.Inputs.Select(i => lowering.Slot(i!))];
        var size = node.Output.DType.Bits() / 8;
        var axis = Normal(((Concat)node.Operator).Axis, node.Output.Shape!.Rank);
        PrepareCopies(lowering, size, node.Inputs.Any(i => IsShort(i!, size)), CopyForm.Strided);
        lowering.Emit(new MoveStep(node.Name, inputs, [output], lowering.Target, c => Windows(c, inputs, output, axis, size, intoWhole: true))
        {
            Operation = node.Operator.Name,
            Origins = node.Origins,
        });
        return true;
    }

    public static bool Split(Lowering lowering, Node node)
    {
        if (!IsBytes(node.Output.DType)) return false;
        var input = lowering.Slot(node.Inputs[0]!);
        int[] outputs = [.. node.Outputs.Select(lowering.Slot)];
        var size = node.Output.DType.Bits() / 8;
        var axis = Normal(((Split)node.Operator).Axis, node.Output.Shape!.Rank);
        PrepareCopies(lowering, size, node.Outputs.Any(o => IsShort(o, size)), CopyForm.Strided);
        lowering.Emit(new MoveStep(node.Name, [input], outputs, lowering.Target, c => Windows(c, outputs, input, axis, size, intoWhole: false))
        {
            Operation = node.Operator.Name,
            Origins = node.Origins,
        });
        return true;
    }

    /// <summary>True when elements of the type are whole bytes.</summary>
    public static bool IsBytes(DType type) => type != DType.String && type.Bits() >= 8;

    /// <summary>An axis counted from the front.</summary>
    public static int Normal(long axis, int rank) => (int)(axis < 0 ? axis + rank : axis);

    /// <summary>Has the code of copies made ready: of runs, and of other forms that they may take. Forms that only rows of a few bytes take are left out where there are none.</summary>
    public static void PrepareCopies(Lowering lowering, int size, bool hasShortRows, params ReadOnlySpan<CopyForm> forms)
    {
        Prepare(CopyForm.Runs);
        foreach (var form in forms)
            if (hasShortRows || form is CopyForm.Transpose or CopyForm.Fill) Prepare(form);
        void Prepare(CopyForm form) => lowering.Prepare($"copy {form} {size} {hasShortRows}", () => CopyPlan.Rehearse(form, size, hasShortRows, lowering.Target));
    }

    /// <summary>True when a row along the last axis is, or may turn out to be, no longer than the widest element that a copy moves at once.</summary>
    public static bool IsShort(Value value, int size) => value.Shape!.Rank == 0 || value.Shape[-1].Constant is not { } n || n * size <= 16;

    /// <summary>Copies between parts and the whole that they make up along an axis.</summary>
    private static IEnumerable<Move> Windows(BindContext c, int[] parts, int whole, int axis, int size, bool intoWhole)
    {
        var strides = c.Shape(whole).Strides();
        long at = 0;
        foreach (var part in parts)
        {
            var shape = c.Shape(part);
            var own = shape.Strides();
            yield return intoWhole
                ? new(part, whole, new(size, shape.Dims.ToArray(), own, strides), 0, at * strides[axis])
                : new(whole, part, new(size, shape.Dims.ToArray(), strides, own), at * strides[axis], 0);
            at += shape[axis];
        }
        if (at != c.Shape(whole)[axis]) throw new InvalidInputException($"pieces of extent {at} do not make up {c.Shape(whole)[axis]} along axis {axis}");
    }

    private static bool Move(Lowering lowering, Node node, CopyForm[] forms, Func<BindContext, int, (Shape Dims, long[] Strides, long Offset)> read, bool isShort = false)
    {
        if (!IsBytes(node.Output.DType)) return false;
        var source = lowering.Slot(node.Inputs[0]!);
        var output = lowering.Slot(node.Output);
        var size = node.Output.DType.Bits() / 8;
        PrepareCopies(lowering, size, isShort || IsShort(node.Inputs[0]!, size) || IsShort(node.Output, size), forms);
        lowering.Emit(new MoveStep(node.Name, [source], [output], lowering.Target, c =>
        {
            var (dims, strides, offset) = read(c, source);
            return [new Move(source, output, new CopyDescriptor(size, dims.Dims.ToArray(), strides, dims.Strides()), offset)];
        })
        {
            Operation = node.Operator.Name,
            Origins = node.Origins,
        });
        return true;
    }
}
