using AiOptix.Cpu.Layout;
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
        var shape = node.Inputs[0]!.Shape!;
        var perm = ((Transpose)node.Operator).PermutationOf(shape.Rank);
        // Where only axes of one element move, the elements stay.
        var (last, moves) = (-1, false);
        foreach (var axis in perm)
        {
            if (shape[axis].Constant == 1) continue;
            moves |= axis < last;
            last = axis;
        }
        if (!moves) return View(lowering, node);
        return Move(lowering, node, [CopyForm.Transpose, CopyForm.Strided], (c, source) =>
        {
            var strides = c.Shape(source).Strides();
            return (c.Shape(lowering.Slot(node.Output)), [.. Array.ConvertAll(perm, p => strides[p])], 0);
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
        var axes = node.Input(3)?.Constant!.ToInt64() ?? Queries.Each(starts.Count, i => (long)i);
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

    public static bool Tile(Lowering lowering, Node node)
    {
        if (node.Inputs[1]!.Elements is null) return false;
        return Move(lowering, node, [CopyForm.Strided, CopyForm.Fill], (c, source) =>
        {
            var (shape, result) = (c.Shape(source), c.Shape(lowering.Slot(node.Output)));
            var strides = shape.Strides();
            return (new Shape([.. shape.SelectMany((d, i) => new[] { d == 0 ? 0 : result[i] / d, d })]), [.. strides.SelectMany(s => new[] { 0L, s })], 0);
        }, isShort: true);
    }

    public static bool DepthToSpace(Lowering lowering, Node node)
    {
        var (b, order) = (((DepthToSpace)node.Operator).BlockSize, ((DepthToSpace)node.Operator).Order);
        return Move(lowering, node, [CopyForm.Strided, CopyForm.Transpose], (c, source) =>
        {
            var s = c.Shape(source);
            if (s[1] % (b * b) != 0) throw new InvalidInputException($"node {node}: {s[1]} channels do not divide by {b * b}");
            var (channels, h, w) = (s[1] / (b * b), s[2], s[3]);
            var (channel, row, column) = order == DepthOrder.DepthColumnRow ? (h * w, b * channels * h * w, channels * h * w) : (b * b * h * w, b * h * w, h * w);
            return (new Shape(s[0], channels, h, b, w, b), [s[1] * h * w, channel, w, row, 1, column], 0);
        }, isShort: true);
    }

    /// <summary>The same with the channels last in both: each pixel's channels go to a block of pixels.</summary>
    public static bool DepthToSpaceLast(Lowering lowering, Node node, DepthToSpace op)
    {
        if (!IsBytes(node.Output.DType)) return false;
        var (source, shape, b, size) = (node.Inputs[0]!, node.Inputs[0]!.Shape!, op.BlockSize, node.Output.DType.Bits() / 8);
        var (from, to) = (lowering.Read(source), lowering.Place(node.Output));
        PrepareCopies(lowering, size, hasShortRows: true, CopyForm.Strided, CopyForm.Transpose);
        lowering.Emit(new MoveStep(node.Name, [from.Slot], [to.Slot], lowering.Target, context =>
        {
            var s = new Shape([.. shape.Select(context.Evaluate)]);
            if (s[3] % (b * b) != 0) throw new InvalidInputException($"node {node}: {s[3]} channels do not divide by {b * b}");
            var channels = s[3] / (b * b);
            var (x, y) = (from.Strides(s), to.Strides(new Shape(s[0], s[1] * b, s[2] * b, channels)));
            var (row, column, channel) = op.Order == DepthOrder.DepthColumnRow ? (b * channels, channels, 1L) : (b, 1L, b * b);
            return [new Move(from.Slot, to.Slot, new(size, [s[0], s[1], b, s[2], b, channels], [x[0], x[1], row, x[2], column, channel], [y[0], b * y[1], y[1], b * y[2], y[2], 1]), from.Offset, to.Offset)];
        })
        {
            Operation = node.Operator.Name,
            Origins = node.Origins,
        });
        return true;
    }

    public static bool SpaceToDepth(Lowering lowering, Node node)
    {
        var b = ((SpaceToDepth)node.Operator).BlockSize;
        return Move(lowering, node, [CopyForm.Strided, CopyForm.Transpose], (c, source) =>
        {
            var s = c.Shape(source);
            if (s[2] % b != 0 || s[3] % b != 0) throw new InvalidInputException($"node {node}: shape {s} does not divide into blocks of {b}");
            var strides = s.Strides();
            return (new Shape(s[0], b, b, s[1], s[2] / b, s[3] / b), [strides[0], strides[2], 1, strides[1], strides[2] * b, b], 0);
        }, isShort: true);
    }

    public static bool Concat(Lowering lowering, Node node)
    {
        if (!IsBytes(node.Output.DType)) return false;
        var axis = Normal(((Concat)node.Operator).Axis, node.Output.Shape!.Rank);
        var whole = new ChannelSlice(lowering.Slot(node.Output), 0, 0);
        var parts = Queries.Each(node.Inputs.Count, i => (Value: node.Inputs[i]!, Slice: lowering.Read(node.Inputs[i]!)));
        Copies(lowering, node, parts, whole, axis, intoWhole: true);
        return true;
    }

    public static bool Split(Lowering lowering, Node node)
    {
        if (!IsBytes(node.Output.DType)) return false;
        var axis = Normal(((Split)node.Operator).Axis, node.Output.Shape!.Rank);
        var whole = lowering.Read(node.Inputs[0]!);
        if (AreSlices(node, axis))
        {
            var at = whole.Offset;
            foreach (var o in node.Outputs)
            {
                lowering.Slice(o, new(whole.Slot, at, whole.Pitch == 0 ? (int)node.Inputs[0]!.Shape![-1].Constant!.Value : whole.Pitch));
                at += (int)o.Shape![-1].Constant!.Value;
            }
            return true;
        }
        Copies(lowering, node, Queries.Each(node.Outputs.Count, i => (node.Outputs[i], new ChannelSlice(lowering.Slot(node.Outputs[i]), 0, 0))), whole, axis, intoWhole: false);
        return true;
    }

    /// <summary>The copy of a value that lies among the channels of another into a slot of its own.</summary>
    public static MoveStep Gather(Lowering lowering, Value value, ChannelSlice slice, int slot)
    {
        var size = value.DType.Bits() / 8;
        PrepareCopies(lowering, size, IsShort(value, size), CopyForm.Strided);
        return new(value.Name, [slice.Slot], [slot], lowering.Target, c =>
        {
            var shape = c.Shape(slot);
            return [new Move(slice.Slot, slot, new(size, shape.Dims.ToArray(), slice.Strides(shape), shape.Strides()), slice.Offset)];
        })
        {
            Operation = "Slice",
            Origins = value.Producer?.Origins ?? [],
        };
    }

    // Pieces of channels, last, of which at least one is read where it lies.
    private static bool AreSlices(Node node, int axis) =>
        node.Output is { DType: DType.Float32 or DType.Int8 or DType.UInt8, Shape.Rank: >= 3 and var rank } && axis == rank - 1 && node.Inputs[0]!.Shape![-1].Constant is <= int.MaxValue
        && node.Outputs.All(o => o.OutputUses == 0 && o.Shape![-1].Constant is not null)
        && node.Outputs.Any(o => o.Users.Any(u => u.Operator is ChannelsLast { Inner: Conv or QLinearConv or Pool } or Graphs.Ops.Concat));

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
        void Prepare(CopyForm form) => lowering.Prepare($"copy {(int)form} {size} {hasShortRows}", () => CopyPlan.Rehearse(form, size, hasShortRows, lowering.Target));
    }

    /// <summary>True when a row along the last axis is, or may turn out to be, no longer than the widest element that a copy moves at once.</summary>
    public static bool IsShort(Value value, int size) => value.Shape!.Rank == 0 || value.Shape[-1].Constant is not { } n || n * size <= 16;

    /// <summary>A step that copies between parts and the whole that they make up along an axis; parts that lie in their place already are left out.</summary>
    private static void Copies(Lowering lowering, Node node, (Value Value, ChannelSlice Slice)[] parts, ChannelSlice whole, int axis, bool intoWhole)
    {
        var all = intoWhole ? node.Output : node.Inputs[0]!;
        var size = all.DType.Bits() / 8;
        var isThere = Array.ConvertAll(parts, p => p.Slice.Slot == whole.Slot);
        var left = new List<int>();
        foreach (var (_, slice) in parts)
            if (slice.Slot != whole.Slot && !left.Contains(slice.Slot)) left.Add(slice.Slot);
        if (left.Count == 0) return;
        PrepareCopies(lowering, size, Array.Exists(parts, p => IsShort(p.Value, size)), CopyForm.Strided);
        var shapes = Array.ConvertAll(parts, p => p.Value.Shape!);
        lowering.Emit(new MoveStep(node.Name, intoWhole ? left : [whole.Slot], intoWhole ? [whole.Slot] : left, lowering.Target, Windows)
        {
            Operation = node.Operator.Name,
            Origins = node.Origins,
        });
        IEnumerable<Move> Windows(BindContext c)
        {
            var wholeShape = new Shape([.. all.Shape!.Select(c.Evaluate)]);
            var strides = whole.Strides(wholeShape);
            long at = 0;
            for (var i = 0; i < parts.Length; i++)
            {
                var shape = new Shape([.. shapes[i].Select(c.Evaluate)]);
                var (slice, own, offset) = (parts[i].Slice, parts[i].Slice.Strides(shape), whole.Offset + at * strides[axis]);
                if (!isThere[i])
                    yield return intoWhole
                        ? new(slice.Slot, whole.Slot, new(size, shape.Dims.ToArray(), own, strides), slice.Offset, offset)
                        : new(whole.Slot, slice.Slot, new(size, shape.Dims.ToArray(), strides, own), offset, slice.Offset);
                at += shape[axis];
            }
            if (at != wholeShape[axis]) throw new InvalidInputException($"pieces of extent {at} do not make up {wholeShape[axis]} along axis {axis}");
        }
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
