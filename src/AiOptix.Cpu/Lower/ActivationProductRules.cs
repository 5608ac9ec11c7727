using AiOptix.Graphs;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>
/// QLinearMatMul of two factors that both come with a run (scores and contexts of attention), with constant scales and zero points, in exact integers. Batches broadcast; a Transpose of the right factor, or one of the left that
/// keeps its last axis, is read through.
/// </summary>
internal static unsafe class ActivationProductRules
{
    /// <summary>So many products of bytes fit int32 whatever they are.</summary>
    private const int MostTerms = int.MaxValue / (255 * 255);

    private const int TypicalExtent = 64;

    public static bool MatMul(Lowering lowering, Node node)
    {
        var (a, b) = (node.Inputs[0]!, node.Inputs[3]!);
        if (node.Input(8) is not null || a.Shape!.Rank < 2 || b.Shape!.Rank < 2 || !IsByte(a.DType) || !IsByte(b.DType) || !IsByte(node.Output.DType)) return false;
        if (Number(node, 1) is not { } aScale || Number(node, 4) is not { } bScale || Number(node, 6) is not { } yScale) return false;
        if (Zero(node, 2) is not { } aZero || Zero(node, 5) is not { } bZero || Zero(node, 7) is not { } yZero) return false;
        var (factor, terms) = (aScale * bScale / yScale, a.Shape[-1].Constant);
        if (!float.IsFinite(factor) || terms > MostTerms) return false;
        var isSigned = node.Output.DType == DType.Int8;
        var form = QuantizedShape.Product(1, 1, 1, isSigned ? QuantizedResult.Int8 : QuantizedResult.UInt8) with
        {
            IsSigned = a.DType == DType.Int8,
            WeightParts = WeightBytes.PartsOf(b.DType, bZero),
            IsLimited = Math.Abs((double)factor) * 255 * 255 * (terms ?? MostTerms) > int.MaxValue - 255,
        };
        var target = lowering.Target;
        var rehearsed = new QuantizedProductShape(1, (int)(terms ?? TypicalExtent), checked((int)(b.Shape[-1].Constant ?? TypicalExtent)), form);
        lowering.Prepare($"quantised product {rehearsed}", () => QuantizedProductPlan.Rehearse(rehearsed, target));
        var left = StridedOperand.Of(lowering, a);
        if (left.Perm is { } perm && perm[^1] != perm.Length - 1) left = new(lowering.Slot(a), null);
        var (right, to) = (StridedOperand.Of(lowering, b), lowering.Slot(node.Output));
        var call = new QuantizedConvCall { InputZero = aZero, Zero = yZero, Low = isSigned ? sbyte.MinValue : byte.MinValue, High = isSigned ? sbyte.MaxValue : byte.MaxValue };
        var matrix = new QuantizedMatrix { IsSigned = b.DType == DType.Int8, Zero = bZero, Factor = factor, InputZero = aZero };
        lowering.Emit(new PlanStep(node.Name, [left.Slot, right.Slot], [to], context =>
        {
            var (aDims, aStrides) = left.At(context);
            var (bDims, bStrides) = right.At(context);
            if (aDims[^1] > MostTerms) throw new LimitExceededException($"node '{node.Name}' ({node.Operator.Name}) sums {aDims[^1]} products of bytes; at most {MostTerms} fit an int32 sum");
            var isOne = bDims.Length == 2 && left.Perm is null;
            var rows = isOne ? new Shape(aDims).Product(0, aDims.Length - 1) : aDims[^2];
            var shape = new QuantizedProductShape(checked((int)rows), checked((int)aDims[^1]), checked((int)bDims[^1]), form) { XPitch = checked((int)aStrides[^2]) };
            var plan = new QuantizedProductPlan(shape, isOne ? [(0, 0)] : Batches(aDims, aStrides, bDims, bStrides), target);
            var strides = (Term: (nint)bStrides[^2], Output: (nint)bStrides[^1]);
            return new PlanTasks((m, first, end, scratch) =>
            {
                var (operands, factors) = (call, matrix);
                operands.X = (byte*)m[left.Slot];
                operands.Y = (byte*)m[to];
                factors.Bytes = (byte*)m[right.Slot];
                (factors.TermStride, factors.OutputStride) = strides;
                plan.Run(operands, factors, first, end, scratch);
            })
            {
                Kernel = plan.KernelName,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        })
        {
            Operation = node.Operator.Name,
            Origins = [.. node.Origins],
        }, [node]);
        return true;
    }

    /// <summary>Where the matrices of each batch begin, those of the result in their order.</summary>
    private static (long X, long W)[] Batches(long[] aDims, long[] aStrides, long[] bDims, long[] bStrides)
    {
        var rank = Math.Max(aDims.Length, bDims.Length) - 2;
        var all = new List<(long X, long W)> { (0, 0) };
        for (var axis = -rank; axis < 0; axis++)
        {
            var (x, w) = (At(aDims, aStrides, axis), At(bDims, bStrides, axis));
            var extent = x.Extent == 1 ? w.Extent : x.Extent;
            all = [.. all.SelectMany(o => Enumerable.Range(0, checked((int)extent)).Select(i => (o.X + (x.Extent == 1 ? 0 : i * x.Stride), o.W + (w.Extent == 1 ? 0 : i * w.Stride))))];
        }
        return [.. all];

        static (long Extent, long Stride) At(long[] dims, long[] strides, int axis) => dims.Length - 2 + axis is var i and >= 0 ? (dims[i], strides[i]) : (1, 0);
    }

    private static bool IsByte(DType type) => type is DType.Int8 or DType.UInt8;

    private static float? Number(Node node, int input)
    {
        if (node.Inputs[input]!.Constant is not { DType: DType.Float32, Count: 1 } scale) return null;
        var number = scale.Span<float>()[0];
        GC.KeepAlive(scale);
        return number;
    }

    private static int? Zero(Node node, int input) => node.Inputs[input]!.Constant is { Count: 1 } zero ? (int)zero.ToInt64()[0] : null;
}
