using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Kernels.Copy;
using AiOptix.Kernels.Gather;
using AiOptix.Kernels.Index;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Operators that find elements by position, give positions, or go along an axis.</summary>
internal static unsafe class PositionRules
{
    public static bool GatherElements(Lowering lowering, Node node) => Elements(lowering, node, ((GatherElements)node.Operator).Axis, null);

    public static bool ScatterElements(Lowering lowering, Node node)
    {
        var op = (ScatterElements)node.Operator;
        return Elements(lowering, node, op.Axis, op.Reduction switch
        {
            ScatterReduction.None => ScatterKind.Replace,
            ScatterReduction.Add => ScatterKind.Add,
            ScatterReduction.Mul => ScatterKind.Mul,
            ScatterReduction.Max => ScatterKind.Max,
            _ => ScatterKind.Min,
        });
    }

    private static bool Elements(Lowering lowering, Node node, long axis, ScatterKind? kind)
    {
        var (data, indices) = (node.Inputs[0]!, node.Inputs[1]!);
        if (!MovementRules.IsBytes(data.DType) || data.Shape!.Rank == 0) return false;
        var (type, indexType, at) = (data.DType, indices.DType, MovementRules.Normal(axis, data.Shape.Rank));
        var one = new long[data.Shape.Rank];
        Array.Fill(one, 1);
        if (Plan(new(type, indexType, one, one, at)) is null) return false;
        var (x, i, y) = (lowering.Slot(data), lowering.Slot(indices), lowering.Slot(node.Output));
        var u = kind is null ? x : lowering.Slot(node.Inputs[2]!);
        var bytes = type.Bits() / 8;
        lowering.Prepare($"elements {kind} {type} {indexType}", () => ElementsPlan.Rehearse(type, indexType, kind));
        lowering.Emit(node, [x, i, u], context =>
        {
            var (shape, places) = (context.Shape(x), context.Shape(i));
            for (var a = 0; a < shape.Rank; a++)
                if (places.Rank != shape.Rank || (a != at && places[a] > shape[a] && places.Count > 0)) throw new InvalidInputException($"node {node}: indices of shape {places} do not fit data of shape {shape} beside axis {at}");
            if (kind is not null && context.Shape(u) != places) throw new InvalidInputException($"node {node}: indices of shape {places} and updates of shape {context.Shape(u)} must have the same shape");
            var plan = Plan(new(type, indexType, shape.Dims.ToArray(), places.Dims.ToArray(), at))!;
            FaultCheck fault = s => OutOfRange((void*)s[i], indexType, places.Count, -shape[at], shape[at]);
            if (kind is null) return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[x], (byte*)s[i], (byte*)s[y], from, to), fault) { Kernel = plan.KernelName, Tasks = plan.Tasks };
            return new PlanTasks((s, _, _, _) =>
            {
                NativeMemory.Copy((byte*)s[x], (byte*)s[y], (nuint)(shape.Count * bytes));
                if (plan.Tasks > 0) plan.Run((byte*)s[u], (byte*)s[i], (byte*)s[y], 0, 1);
            }, fault)
            {
                Kernel = plan.KernelName,
                Tasks = shape.Count > 0 ? 1 : 0,
            };
        });
        return true;

        ElementsPlan? Plan(ElementsDescriptor d) => kind is { } k ? ElementsPlan.Scatter(d, k) : ElementsPlan.Gather(d);
    }

    public static bool GatherND(Lowering lowering, Node node)
    {
        var (data, indices) = (node.Inputs[0]!, node.Inputs[1]!);
        if (!MovementRules.IsBytes(data.DType) || indices.Shape![-1].Constant is not { } depth) return false;
        var batch = (int)((GatherND)node.Operator).BatchDims;
        var (x, i, y, size) = (lowering.Slot(data), lowering.Slot(indices), lowering.Slot(node.Output), data.DType.Bits() / 8);
        lowering.Prepare("gather_nd", TuplePlan.Rehearse);
        lowering.Emit(node, [x, i], context =>
        {
            var (shape, places) = (context.Shape(x), context.Shape(i));
            var end = batch + (int)depth;
            var plan = new TuplePlan(new(shape.Product(0, batch), shape.Dims[batch..end].ToArray(), shape.Product(end, shape.Rank) * size, places.Product(batch, places.Rank - 1)));
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[x], (long*)s[i], (byte*)s[y], from, to), s => plan.Fault((long*)s[i])) { Kernel = plan.KernelName, Tasks = plan.Tasks };
        });
        return true;
    }

    /// <summary>Gather along the last axis, but negative indices are errors.</summary>
    public static bool ArrayFeatureExtractor(Lowering lowering, Node node)
    {
        var (data, indices) = (node.Inputs[0]!, node.Inputs[1]!);
        if (!MovementRules.IsBytes(data.DType)) return false;
        var (x, i, y, size) = (lowering.Slot(data), lowering.Slot(indices), lowering.Slot(node.Output), data.DType.Bits() / 8);
        var row = GatherTable.Select(size, DType.Int64);
        lowering.Prepare(row.Name, () => GatherPlan.Rehearse(row));
        lowering.Emit(node, [x, i], context =>
        {
            var (shape, count) = (context.Shape(x), context.Shape(i).Count);
            var plan = new GatherPlan(new(shape.Product(0, shape.Rank - 1), shape[-1], size, count, DType.Int64), row);
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[x], (byte*)s[i], (byte*)s[y], from, to), s => OutOfRange((void*)s[i], DType.Int64, count, 0, shape[-1])) { Kernel = row.Name, Tasks = plan.Tasks };
        });
        return true;
    }

    public static bool TopK(Lowering lowering, Node node)
    {
        var op = (TopK)node.Operator;
        var data = node.Inputs[0]!;
        var (type, largest, at) = (data.DType, op.Largest, MovementRules.Normal(op.Axis, data.Shape!.Rank));
        if (data.Shape.Rank == 0 || TopKPlan.Create(new(type, 1, 1, 1, 1, largest)) is null || node.Outputs.Count < 2) return false;
        var (x, values, positions) = (lowering.Slot(data), lowering.Slot(node.Outputs[0]), lowering.Slot(node.Outputs[1]));
        lowering.Prepare($"topk {type} {largest}", () => TopKPlan.Rehearse(type, largest));
        lowering.Emit(node, [x], context =>
        {
            var (shape, k) = (context.Shape(x), context.Shape(values)[at]);
            if (k > shape[at]) throw new InvalidInputException($"node {node}: k = {k} is out of range for axis {at} of shape {shape}");
            var plan = TopKPlan.Create(new(type, shape.Product(0, at), shape[at], shape.Product(at + 1, shape.Rank), k, largest))!;
            return new PlanTasks((s, from, to, scratch) => plan.Run((byte*)s[x], (byte*)s[values], (long*)s[positions], from, to, scratch)) { Kernel = plan.KernelName, Tasks = plan.Tasks, ScratchBytes = plan.ScratchBytes };
        });
        return true;
    }

    public static bool Cumulative(Lowering lowering, Node node)
    {
        var op = (Cumulative)node.Operator;
        var data = node.Inputs[0]!;
        var isProduct = op is CumProd;
        if (data.Shape!.Rank == 0 || node.Inputs[1]!.Constant is not { Count: 1 } axis || CumulativePlan.Create(new(data.DType, 1, 1, 1, isProduct, false, false)) is null) return false;
        var (x, y, type, at) = (lowering.Slot(data), lowering.Slot(node.Output), data.DType, MovementRules.Normal(axis.ToInt64()[0], data.Shape.Rank));
        if (at < 0 || at >= data.Shape.Rank) return false;
        lowering.Prepare($"cumulative {type} {isProduct}", () => CumulativePlan.Rehearse(type, isProduct));
        lowering.Emit(node, [x], context =>
        {
            var shape = context.Shape(x);
            var plan = CumulativePlan.Create(new(type, shape.Product(0, at), shape[at], shape.Product(at + 1, shape.Rank), isProduct, op.Exclusive, op.Reverse))!;
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[x], (byte*)s[y], from, to)) { Kernel = plan.KernelName, Tasks = plan.Tasks };
        });
        return true;
    }

    public static bool OneHot(Lowering lowering, Node node)
    {
        var (indices, values) = (node.Inputs[0]!, node.Inputs[2]!);
        var size = values.DType.Bits() / 8;
        if (!MovementRules.IsBytes(values.DType) || size > 8 || indices.DType is not (DType.Int64 or DType.Int32 or DType.Float32)) return false;
        var (i, v, y, type) = (lowering.Slot(indices), lowering.Slot(values), lowering.Slot(node.Output), indices.DType);
        var at = MovementRules.Normal(((OneHot)node.Operator).Axis, node.Output.Shape!.Rank);
        lowering.Prepare($"fill {size}", () => FillPlan.Rehearse(size));
        lowering.Emit(node, [i, v], context =>
        {
            var shape = context.Shape(y);
            var (depth, inner, count) = (shape[at], shape.Product(at + 1, shape.Rank), context.Shape(i).Count);
            var fill = new FillPlan(size, shape.Count);
            return new PlanTasks((s, _, _, _) =>
            {
                fill.Run((byte*)s[v], (byte*)s[y], 0, fill.Tasks);
                Mark((byte*)s[i], type, count, depth, inner, (byte*)s[v] + size, (byte*)s[y], size);
            })
            {
                Kernel = "onehot",
                Tasks = shape.Count > 0 ? 1 : 0,
            };
        });
        return true;
    }

    private static void Mark(byte* indices, DType type, long count, long depth, long inner, byte* on, byte* y, int size)
    {
        for (long n = 0; n < count; n++)
        {
            var index = type switch { DType.Int64 => ((long*)indices)[n], DType.Int32 => ((int*)indices)[n], _ => (long)((float*)indices)[n] };
            if (index < 0) index += depth;
            if ((ulong)index < (ulong)depth) Unsafe.CopyBlockUnaligned(y + ((n / inner * depth + index) * inner + n % inner) * size, on, (uint)size);
        }
    }

    public static bool Trilu(Lowering lowering, Node node)
    {
        var (input, isUpper) = (node.Inputs[0]!, ((Trilu)node.Operator).Upper);
        if (!MovementRules.IsBytes(input.DType) || node.Input(1) is { Shape.Rank: > 1 }) return false;
        var (x, y, size) = (lowering.Slot(input), lowering.Slot(node.Output), input.DType.Bits() / 8);
        var k = node.Input(1) is { } given ? lowering.Slot(given) : -1;
        lowering.Emit(node, k < 0 ? [x] : [x, k], context =>
        {
            if (k >= 0 && context.Shape(k).Count != 1) throw new InvalidInputException($"node {node}: the diagonal of shape {context.Shape(k)} must be one number");
            var shape = context.Shape(x);
            var (rows, columns) = (shape[-2], shape[-1]);
            var split = new Kernels.Loops.Split(shape.Product(0, shape.Rank - 1), columns * size / 4);
            return new PlanTasks((s, from, to, _) =>
            {
                var diagonal = k < 0 ? 0 : Math.Clamp(*(long*)s[k], -rows, columns);
                for (long row = split.Start(from), end = split.Start(to); row < end; row++)
                {
                    var cut = Math.Clamp(row % rows + diagonal + (isUpper ? 0 : 1), 0, columns) * size;
                    byte* source = (byte*)s[x] + row * columns * size, result = (byte*)s[y] + row * columns * size;
                    var (kept, cleared) = isUpper ? (cut, 0L) : (0L, cut);
                    var (keep, clear) = isUpper ? (columns * size - cut, cut) : (cut, columns * size - cut);
                    NativeMemory.Copy(source + kept, result + kept, (nuint)keep);
                    NativeMemory.Clear(result + cleared, (nuint)clear);
                }
            })
            {
                Kernel = isUpper ? "triangle_upper" : "triangle_lower",
                Tasks = shape.Count > 0 ? split.Tasks : 0,
            };
        });
        return true;
    }

    /// <summary>The cache as it is, then each entry's update from its index on.</summary>
    public static bool TensorScatter(Lowering lowering, Node node)
    {
        var op = (TensorScatter)node.Operator;
        var cache = node.Inputs[0]!;
        if (!MovementRules.IsBytes(cache.DType)) return false;
        var (x, u, y, size) = (lowering.Slot(cache), lowering.Slot(node.Inputs[1]!), lowering.Slot(node.Output), cache.DType.Bits() / 8);
        var (i, axis) = (node.Input(2) is { } indices ? lowering.Slot(indices) : -1, MovementRules.Normal(op.Axis, cache.Shape!.Rank));
        lowering.Emit(node, i < 0 ? [x, u] : [x, u, i], context =>
        {
            var (shape, update) = (context.Shape(x), context.Shape(u));
            if (update.Rank != shape.Rank || update.Where((n, a) => n != (a == axis ? update[axis] : shape[a])).Any() || (i >= 0 && context.Shape(i) != new Shape(shape[0])))
                throw new InvalidInputException($"node {node}: an update of shape {update}, or its indices, do not fit a cache of shape {shape}");
            var (most, length, middle, bytes) = (shape[axis], update[axis], shape.Product(1, axis), shape.Product(axis + 1, shape.Rank) * size);
            return new PlanTasks((s, from, to, _) =>
            {
                for (long b = from; b < to; b++)
                    for (long m = b * middle; m < (b + 1) * middle; m++)
                    {
                        var line = (byte*)s[y] + m * most * bytes;
                        NativeMemory.Copy((byte*)s[x] + m * most * bytes, line, (nuint)(most * bytes));
                        var start = i < 0 ? 0 : ((long*)s[i])[b];
                        if (start < 0 || (!op.Circular && start > most - length)) continue;
                        for (long t = 0; t < length; t++) NativeMemory.Copy((byte*)s[u] + (m * length + t) * bytes, line + (start + t) % most * bytes, (nuint)bytes);
                    }
            }, s => i < 0 ? length > most && !op.Circular ? $"{length} entries do not fit a cache of {most}" : null
                : OutOfRange((void*)s[i], DType.Int64, shape[0], 0, op.Circular ? long.MaxValue : most - length + 1))
            {
                Kernel = "tensor_scatter",
                Tasks = shape.Count > 0 ? (int)shape[0] : 0,
            };
        });
        return true;
    }

    public static bool ReverseSequence(Lowering lowering, Node node)
    {
        var op = (ReverseSequence)node.Operator;
        var input = node.Inputs[0]!;
        if (!MovementRules.IsBytes(input.DType)) return false;
        var (x, n, y, size) = (lowering.Slot(input), lowering.Slot(node.Inputs[1]!), lowering.Slot(node.Output), input.DType.Bits() / 8);
        var (batchAxis, timeAxis) = ((int)op.BatchAxis, (int)op.TimeAxis);
        lowering.Emit(node, [x, n], context =>
        {
            var shape = context.Shape(x);
            var (batches, times, bytes) = (shape[batchAxis], shape[timeAxis], shape.Product(2, shape.Rank) * size);
            if (context.Shape(n) != new Shape(batches)) throw new InvalidInputException($"node {node}: sequence_lens of shape {context.Shape(n)} does not fit shape {shape}");
            return new PlanTasks((s, _, _, _) =>
            {
                for (long b = 0; b < batches; b++)
                {
                    var length = Math.Clamp(((long*)s[n])[b], 0, times);
                    for (long t = 0; t < times; t++)
                        NativeMemory.Copy((byte*)s[x] + At(b, t < length ? length - 1 - t : t), (byte*)s[y] + At(b, t), (nuint)bytes);
                }
            }, s => OutOfRange((void*)s[n], DType.Int64, batches, 0, times + 1))
            {
                Kernel = "reverse_sequence",
                Tasks = shape.Count > 0 ? 1 : 0,
            };

            long At(long b, long t) => (batchAxis == 0 ? b * times + t : t * batches + b) * bytes;
        });
        return true;
    }

    /// <summary>Names an index outside of a range, end exclusive; null when there is none.</summary>
    internal static string? OutOfRange(void* indices, DType type, long count, long least, long end)
    {
        for (long n = 0; n < count; n++)
        {
            var index = type == DType.Int64 ? ((long*)indices)[n] : ((int*)indices)[n];
            if (index < least || index >= end) return $"index {index} is out of range; expected {least} to {end - 1}";
        }
        return null;
    }
}
