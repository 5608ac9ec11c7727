using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Kernels.Copy;
using AiOptix.Kernels.Index;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Operators whose results have shapes that only values tell: NonMaxSuppression, NonZero, Range, and Pad and Slice by numbers that are calculated.</summary>
internal static unsafe class DataRules
{
    private delegate ValueBody? Rule(Lowering lowering, Node node);

    private static readonly Dictionary<Type, (string Kernel, Rule Rule)> rules = new()
    {
        [typeof(ArrayFeatureExtractor)] = ("gather_strings", LabelRules.Features),
        [typeof(Compress)] = ("compress", Compress),
        [typeof(Gather)] = ("gather_strings", LabelRules.Gather),
        [typeof(LabelEncoder)] = ("label_encoder", LabelRules.Encode),
        [typeof(OneHotEncoder)] = ("one_hot_encoder", LabelRules.OneHot),
        [typeof(NonMaxSuppression)] = (BoxSuppression.KernelName, Suppression),
        [typeof(NonZero)] = ("nonzero", NonZero),
        [typeof(NumericRange)] = ("range", Range),
        [typeof(Pad)] = ("pad", Pad),
        [typeof(Slice)] = ("slice", Slice),
    };

    /// <summary>The operators that have a rule.</summary>
    public static IEnumerable<Type> Operators => rules.Keys;

    /// <summary>The step of a node, or null when there is none for it or for its types.</summary>
    public static ManagedStep? Step(Lowering lowering, Node node, int[] inputs, int[] outputs) =>
        rules.TryGetValue(node.Operator.GetType(), out var found) && found.Rule(lowering, node) is { } body
            ? new ValueStep(node.Name, inputs, outputs, found.Kernel, body) { Operation = node.Operator.Name, Origins = node.Origins }
            : null;

    private static ValueBody? Compress(Lowering lowering, Node node)
    {
        if (!MovementRules.IsBytes(node.Output.DType)) return null;
        var (given, size) = (((Compress)node.Operator).Axis, node.Output.DType.Bits() / 8);
        return (inputs, _) =>
        {
            var x = (Tensor)inputs[0]!;
            var flags = ((Tensor)inputs[1]!).Bytes;
            var shape = given is null ? new Shape(x.Count) : x.Shape;
            var axis = MovementRules.Normal(given ?? 0, shape.Rank);
            var (outer, n, entry) = (shape.Product(0, axis), shape[axis], shape.Product(axis + 1, shape.Rank) * size);
            var chosen = new List<long>();
            for (var i = 0; i < Math.Min(flags.Length, n); i++)
                if (flags[i] != 0) chosen.Add(i);
            var result = Tensor.Allocate(x.DType, new Shape([.. shape.Take(axis), chosen.Count, .. shape.Skip(axis + 1)]));
            var to = (byte*)result.Pointer;
            for (long o = 0; o < outer; o++)
                foreach (var i in chosen)
                {
                    NativeMemory.Copy((byte*)x.Pointer + (o * n + i) * entry, to, (nuint)entry);
                    to += entry;
                }
            GC.KeepAlive(x);
            GC.KeepAlive(inputs[1]);
            return [result];
        };
    }

    private static ValueBody? Suppression(Lowering lowering, Node node)
    {
        var isCentre = ((NonMaxSuppression)node.Operator).CenterPoint;
        lowering.Prepare(BoxSuppression.KernelName, BoxSuppression.Rehearse);
        return (inputs, context) =>
        {
            var (boxes, scores) = ((Tensor)inputs[0]!, (Tensor)inputs[1]!);
            var (batches, classes, count) = (scores.Shape[0], scores.Shape[1], checked((int)scores.Shape[2]));
            if (boxes.Shape != new Shape(batches, count, 4)) throw new InvalidInputException($"node {node}: boxes {boxes} do not fit scores {scores}");
            var most = Scalar(inputs, 2)?.ToInt64()[0] ?? 0;
            var (overlap, least) = (Scalar(inputs, 3)?.Span<float>()[0] ?? 0, Scalar(inputs, 4)?.Span<float>()[0]);
            using var memory = Tensor.Allocate(DType.Float64, new Shape(5L * count));
            var corners = (double*)memory.Pointer;
            var order = (int*)(corners + 4L * count);
            var chosen = new List<(long Batch, long Class, int Box)>();
            for (long n = 0; n < batches; n++)
            {
                BoxSuppression.Corners((float*)boxes.Pointer + n * count * 4, count, isCentre, corners);
                for (long c = 0; c < classes; c++)
                {
                    context.Cancellation.ThrowIfCancellationRequested();
                    var number = BoxSuppression.Choose(corners, (float*)scores.Pointer + (n * classes + c) * count, count, most, overlap, least, order);
                    for (var i = 0; i < number; i++) chosen.Add((n, c, order[i]));
                }
            }
            var result = Tensor.Allocate(DType.Int64, new Shape(chosen.Count, 3));
            var to = (long*)result.Pointer;
            foreach (var (batch, type, box) in chosen) (*to++, *to++, *to++) = (batch, type, box);
            GC.KeepAlive(boxes);
            GC.KeepAlive(scores);
            return [result];
        };
    }

    private static Tensor? Scalar(RuntimeValue?[] inputs, int i) => inputs.Length > i && inputs[i] is Tensor { Count: > 0 } t ? t : null;

    private static ValueBody? NonZero(Lowering lowering, Node node) => node.Inputs[0]!.DType switch
    {
        DType.Bool or DType.UInt8 or DType.Int8 => (inputs, _) => NonZero<byte>((Tensor)inputs[0]!),
        DType.Float32 => (inputs, _) => NonZero<float>((Tensor)inputs[0]!),
        DType.Float64 => (inputs, _) => NonZero<double>((Tensor)inputs[0]!),
        DType.Int32 or DType.UInt32 => (inputs, _) => NonZero<int>((Tensor)inputs[0]!),
        DType.Int64 or DType.UInt64 => (inputs, _) => NonZero<long>((Tensor)inputs[0]!),
        _ => null,
    };

    [MethodImpl(HotCode.Optimized)]
    private static RuntimeValue[] NonZero<T>(Tensor x) where T : unmanaged, INumber<T>
    {
        var from = (T*)x.Pointer;
        long found = 0;
        for (long i = 0; i < x.Count; i++) found += from[i] != T.Zero ? 1 : 0;
        var rank = x.Shape.Rank;
        var result = Tensor.Allocate(DType.Int64, new Shape(rank, found));
        var to = (long*)result.Pointer;
        var at = stackalloc long[Math.Max(1, rank)];
        new Span<long>(at, rank).Clear();
        for (long i = 0, n = 0; i < x.Count; i++)
        {
            if (from[i] != T.Zero)
            {
                for (var a = 0; a < rank; a++) to[a * found + n] = at[a];
                n++;
            }
            for (var a = rank - 1; a >= 0 && ++at[a] == x.Shape[a]; a--) at[a] = 0;
        }
        GC.KeepAlive(x);
        return [result];
    }

    private static ValueBody? Slice(Lowering lowering, Node node)
    {
        var type = node.Output.DType;
        if (!MovementRules.IsBytes(type)) return null;
        var target = lowering.Target;
        return (inputs, context) =>
        {
            var x = (Tensor)inputs[0]!;
            long[]? Numbers(int i) => inputs.Length > i && inputs[i] is Tensor t ? t.ToInt64() : null;
            var (starts, ends) = (Numbers(1)!, Numbers(2)!);
            var axes = Numbers(3) ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
            var given = Numbers(4) ?? [.. starts.Select(_ => 1L)];
            if (ends.Length != starts.Length || axes.Length != starts.Length || given.Length != starts.Length)
                throw new InvalidInputException($"node {node}: {starts.Length} starts, {ends.Length} ends, {axes.Length} axes and {given.Length} steps are given; expected as many of each");
            var (dims, steps, strides) = (x.Shape.Dims.ToArray(), x.Shape.Strides(), x.Shape.Strides());
            long from = 0;
            var seen = new HashSet<int>();
            for (var i = 0; i < axes.Length; i++)
            {
                var axis = MovementRules.Normal(axes[i], x.Shape.Rank);
                if ((uint)axis >= (uint)x.Shape.Rank || !seen.Add(axis)) throw new InvalidInputException($"node {node}: axes [{string.Join(",", axes)}] do not name different axes of shape {x.Shape}");
                if (given[i] == 0) throw new InvalidInputException($"node {node}: a step is 0");
                var (first, length) = Graphs.Ops.Slice.Bounds(dims[axis], starts[i], ends[i], given[i]);
                from += first * strides[axis];
                (dims[axis], steps[axis]) = (length, length > 1 ? strides[axis] * given[i] : strides[axis]);
            }
            return [Moved(x, new Shape(dims), from, steps, new Shape(dims).Strides(), 0, new Shape(dims), target, null, context, node)];
        };
    }

    private static ValueBody? Pad(Lowering lowering, Node node)
    {
        var type = node.Output.DType;
        if (!MovementRules.IsBytes(type) || ((Pad)node.Operator).Mode != PadMode.Constant) return null;
        var target = lowering.Target;
        return (inputs, context) =>
        {
            var x = (Tensor)inputs[0]!;
            var rank = x.Shape.Rank;
            var pads = ((Tensor)inputs[1]!).ToInt64();
            var axes = inputs.Length > 3 && inputs[3] is Tensor a ? a.ToInt64() : [.. Enumerable.Range(0, rank).Select(i => (long)i)];
            if (pads.Length != 2 * axes.Length) throw new InvalidInputException($"node {node}: {pads.Length} pads are given for {axes.Length} axes; expected two of each");
            var (kept, dims, strides) = (x.Shape.Dims.ToArray(), x.Shape.Dims.ToArray(), x.Shape.Strides());
            long from = 0;
            var begins = new long[rank];
            for (var i = 0; i < axes.Length; i++)
            {
                var axis = MovementRules.Normal(axes[i], rank);
                if ((uint)axis >= (uint)rank || dims[axis] != x.Shape[axis]) throw new InvalidInputException($"node {node}: axes [{string.Join(",", axes)}] do not name different axes of shape {x.Shape}");
                var (begin, end) = (pads[i], pads[i + axes.Length]);
                dims[axis] = checked(dims[axis] + begin + end);
                if (dims[axis] < 0) throw new InvalidInputException($"node {node}: pads {begin} and {end} take more from axis {axis} of shape {x.Shape} than it has");
                kept[axis] = Math.Max(0, kept[axis] + Math.Min(begin, 0) + Math.Min(end, 0));
                from += Math.Max(-begin, 0) * strides[axis];
                begins[axis] = Math.Max(begin, 0);
            }
            var result = new Shape(dims);
            var to = result.Strides();
            return [Moved(x, new Shape(kept), from, strides, to, begins.Select((b, i) => b * to[i]).Sum(), result, target, inputs.Length > 2 ? inputs[2] as Tensor : null, context, node)];
        };
    }

    /// <summary>A new tensor with a box of another in it, around which lies a value, or nothing where the box is all.</summary>
    private static Tensor Moved(Tensor x, Shape box, long from, long[] fromStrides, long[] toStrides, long to, Shape shape, Target target, Tensor? value, ManagedContext context, Node node)
    {
        context.Limits.CheckTensor(x.DType, shape, $"node {node}");
        var size = x.DType.Bits() / 8;
        var result = Tensor.Allocate(x.DType, shape, zeroed: box != shape && value is null);
        if (box != shape && value is not null)
        {
            var fill = new FillPlan(size, shape.Count);
            fill.Run((byte*)value.Pointer, (byte*)result.Pointer, 0, fill.Tasks);
        }
        if (box.Count > 0)
        {
            var plan = new CopyPlan(new(size, box.Dims.ToArray(), fromStrides, toStrides), target);
            plan.Run((byte*)x.Pointer + from * size, (byte*)result.Pointer + to * size, 0, plan.Tasks);
        }
        GC.KeepAlive(x);
        GC.KeepAlive(value);
        return result;
    }

    private static ValueBody? Range(Lowering lowering, Node node) => node.Output.DType switch
    {
        DType.Int64 or DType.Int32 => (inputs, context) => IntegerRange(node, inputs, context),
        DType.Float32 or DType.Float64 => (inputs, context) => RealRange(node, inputs, context),
        _ => null,
    };

    private static RuntimeValue[] IntegerRange(Node node, RuntimeValue?[] inputs, ManagedContext context)
    {
        var isLong = node.Output.DType == DType.Int64;
        long End(int i) => isLong ? One(node, inputs, i).Span<long>()[0] : One(node, inputs, i).Span<int>()[0];
        var (start, limit, step) = (End(0), End(1), End(2));
        var result = OfCount(node, step == 0 ? double.NaN : NumericRange.Count(start, limit, step), $"{start} to {limit} in steps of {step}", context);
        for (long i = 0; i < result.Count; i++)
        {
            if (isLong) ((long*)result.Pointer)[i] = unchecked(start + i * step);
            else ((int*)result.Pointer)[i] = unchecked((int)(start + i * step));
        }
        return [result];
    }

    private static RuntimeValue[] RealRange(Node node, RuntimeValue?[] inputs, ManagedContext context)
    {
        var isDouble = node.Output.DType == DType.Float64;
        double End(int i) => isDouble ? One(node, inputs, i).Span<double>()[0] : One(node, inputs, i).Span<float>()[0];
        var (start, limit, step) = (End(0), End(1), End(2));
        var result = OfCount(node, Math.Max(0, Math.Ceiling((limit - start) / step)), $"{start} to {limit} in steps of {step}", context);
        for (long i = 0; i < result.Count; i++)
        {
            if (isDouble) ((double*)result.Pointer)[i] = start + i * step;
            else ((float*)result.Pointer)[i] = (float)(start + i * step);
        }
        return [result];
    }

    private static Tensor One(Node node, RuntimeValue?[] inputs, int i) =>
        inputs[i] is Tensor { Count: 1 } end ? end : throw new InvalidInputException($"node {node}: input {i} must have one element, found {inputs[i]}");

    private static Tensor OfCount(Node node, double count, FormattableString what, ManagedContext context)
    {
        if (!(count < long.MaxValue)) throw new InvalidInputException($"node {node}: no range leads from {FormattableString.Invariant(what)}");
        context.Limits.CheckTensor(node.Output.DType, new Shape((long)count), $"node {node}");
        return Tensor.Allocate(node.Output.DType, new Shape((long)count));
    }
}
