using System.Globalization;
using AiOptix.Cpu.Bytes;
using AiOptix.Graphs;
using AiOptix.Kernels.WeightOnly;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Products with constant weights of 4 or 8 bits, which stay packed.</summary>
internal static unsafe class WeightOnlyRules
{
    public static bool MatMul(Lowering lowering, Node node)
    {
        var product = (WeightOnlyProduct)node.Operator;
        Tensor q = node.Inputs[1]!.Constant!, scales = node.Inputs[2]!.Constant!;
        var zeros = node.Input(3)?.Constant;
        var (k, n) = product.IsTransposed ? ((int)q.Shape[1], (int)q.Shape[0]) : ((int)q.Shape[0], (int)q.Shape[1]);
        var block = WeightOnlyProduct.BlockOf(product.Dequantize, q.Shape, scales.Shape, product.IsTransposed)!.Value;
        // Without a zero point it is 0, which is not the middle of unsigned types.
        var centre = Centre(q.DType);
        var hasZeros = zeros is null ? centre != 0 : Centred(zeros).Any(z => z != 0);
        WeightOnlyShape Shape(long rows) => new(checked((int)rows), n, k, q.DType.Bits(), block, hasZeros);
        var (form, target) = (Shape(1), lowering.Target);
        var row = WeightOnlyTable.Select(form, target);
        var digest = zeros is null ? "" : Checksum.Of(zeros.Bytes).ToString("x16", CultureInfo.InvariantCulture);
        GC.KeepAlive(zeros);
        var packed = lowering.Pack($"{row.Name} {form} {product.IsTransposed} {digest}", new WeightOnlyPlan(form, target).PackedBytes, to => Pack(product, q, scales, zeros, new WeightOnlyPlan(form, target), form, to), q, scales);
        lowering.Prepare($"{row.Name} {n % row.Width}", () => WeightOnlyPlan.Rehearse(form, target));
        var (x, y, extents) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output), node.Inputs[0]!.Shape!);
        lowering.Emit(new PlanStep(node.Name, [x], [y], context =>
        {
            var dims = extents.Select(context.Evaluate).ToArray();
            var plan = new WeightOnlyPlan(Shape(new Shape(dims).Product(0, dims.Length - 1)), target);
            return new PlanTasks((m, first, end, scratch) => plan.Run((float*)m[x], (byte*)packed.Pointer, (float*)m[y], first, end, scratch))
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        })
        {
            Operation = node.Operator.Name,
            Origins = node.Origins,
            Weights = packed.Length,
        }, [node]);
        return true;
    }

    private static void Pack(WeightOnlyProduct product, Tensor q, Tensor scales, Tensor? zeros, WeightOnlyPlan plan, WeightOnlyShape shape, byte* to)
    {
        var isTransposed = product.IsTransposed;
        var isBlocked = scales.Shape.Rank == 2 && scales.Count > 1;
        var numbers = Centred(q);
        var centres = zeros is null ? [.. Enumerable.Repeat((float)-Centre(q.DType), checked((int)scales.Count))] : Array.ConvertAll(Centred(zeros), z => (float)z);
        fixed (sbyte* w = numbers)
        fixed (float* z = centres)
        {
            var weights = new WeightOnlyWeights { Q = w, Scales = (float*)scales.Pointer, Zeros = z };
            (weights.TermStride, weights.ColumnStride) = isTransposed ? (1, shape.K) : (shape.N, 1);
            if (isBlocked) (weights.BlockStride, weights.ScaleStride) = isTransposed ? (1, shape.Blocks) : (shape.N, 1);
            else weights.ScaleStride = scales.Count == 1 ? 0 : 1;
            plan.Pack(weights, to);
        }
        GC.KeepAlive(scales);
    }

    private static int Centre(DType type) => type switch
    {
        DType.UInt8 => 128,
        DType.UInt4 => 8,
        _ => 0,
    };

    /// <summary>Elements less the middle of their type.</summary>
    private static sbyte[] Centred(Tensor t)
    {
        var all = new sbyte[t.Count];
        var bytes = t.Bytes;
        if (t.DType.Bits() == 8)
            for (var i = 0; i < all.Length; i++) all[i] = (sbyte)(t.DType == DType.UInt8 ? bytes[i] - 128 : bytes[i]);
        else
            for (var i = 0; i < all.Length; i++)
            {
                var four = bytes[i / 2] >> (4 * (i & 1)) & 15;
                all[i] = (sbyte)(t.DType == DType.UInt4 || four < 8 ? four - (t.DType == DType.UInt4 ? 8 : 0) : four - 16);
            }
        GC.KeepAlive(t);
        return all;
    }
}
