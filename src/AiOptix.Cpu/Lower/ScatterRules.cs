using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Index;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>ScatterND that replaces: the data as it is, then each update in its place.</summary>
internal static unsafe class ScatterRules
{
    public static bool ScatterND(Lowering lowering, Node node)
    {
        var (data, indices) = (node.Inputs[0]!, node.Inputs[1]!);
        if (((ScatterND)node.Operator).Reduction != ScatterReduction.None || !MovementRules.IsBytes(data.DType) || indices.Shape!.Rank == 0 || indices.Shape[-1].Constant is not { } depth) return false;
        var (x, i, u, y) = (lowering.Slot(data), lowering.Slot(indices), lowering.Slot(node.Inputs[2]!), lowering.Slot(node.Output));
        var size = data.DType.Bits() / 8;
        lowering.Prepare("scatter", Rehearse);
        lowering.Emit(node, [x, i, u], context =>
        {
            var shape = context.Shape(x);
            var places = new Places(shape.Dims[..(int)depth].ToArray(), shape.Product((int)depth, shape.Rank) * size, context.Shape(i).Product(0, context.Shape(i).Rank - 1));
            var bytes = shape.Count * size;
            if (context.Shape(u).Count * size != places.Count * places.Bytes)
                throw new InvalidInputException($"node {node}: updates of shape {context.Shape(u)} do not fit indices {context.Shape(i)} into {shape}");
            return new PlanTasks((slots, _, _, _) =>
            {
                NativeMemory.Copy((byte*)slots[x], (byte*)slots[y], (nuint)bytes);
                Write(places, (long*)slots[i], (byte*)slots[u], (byte*)slots[y]);
            }, slots => TuplePlan.Fault(places.Extents, (long*)slots[i], places.Count))
            {
                Kernel = "scatter",
                Tasks = 1,
            };
        });
        return true;
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Write(Places places, long* index, byte* updates, byte* y)
    {
        var (extents, bytes) = (places.Extents, places.Bytes);
        for (long n = 0; n < places.Count; n++, index += extents.Length)
        {
            var at = TuplePlan.Find(extents, index);
            if (at < 0) continue;
            if (bytes == sizeof(int)) *(int*)(y + at * sizeof(int)) = *(int*)(updates + n * sizeof(int));
            else NativeMemory.Copy(updates + n * bytes, y + at * bytes, (nuint)bytes);
        }
    }

    private static void Rehearse()
    {
        long index = 0;
        double from = 0, to = 0;
        foreach (var bytes in new long[] { sizeof(int), sizeof(long) }) Write(new([1], bytes, 1), &index, (byte*)&from, (byte*)&to);
        TuplePlan.Fault([1], &index, 1);
    }

    /// <summary>The axes that indices point into, the bytes of what lies at a place, and how many are written.</summary>
    private sealed record Places(long[] Extents, long Bytes, long Count);
}
