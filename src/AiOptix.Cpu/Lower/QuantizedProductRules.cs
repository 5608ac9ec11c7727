using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>QLinearConv and QLinearMatMul of bytes, with constant weights, scales and zero points, in exact integers.</summary>
internal static unsafe class QuantizedProductRules
{
    public static bool Conv(Lowering lowering, Node node)
    {
        var conv = ((QLinearConv)node.Operator).Convolution;
        if (node.Inputs[3]!.Constant is not { Shape.Rank: >= 3 and <= 5 } w || node.Inputs[0]!.Shape![1].Constant is not { } channels) return false;
        var geometry = conv.Geometry(w.Shape.Dims[2..]);
        if (geometry.Pads.Any(p => p < 0)) return false;
        var outputs = checked((int)w.Shape[0]);
        var bias = node.Input(8);
        if (bias is { IsConstant: false } || Parts(node, w, isFilterFirst: true, bias?.Constant) is not { } parts) return false;
        var group = checked((int)conv.Group);
        var form = new QuantizedShape(new(1, checked((int)channels), outputs, group, ConvAxis.None, ConvAxis.None, new(parts.Terms / (int)(channels / group), parts.Terms / (int)(channels / group))), false);
        Emit(lowering, node, parts, form, shape =>
        {
            var found = ConvParts.Describe(geometry, group, outputs, shape.Dims, readsFirst: true);
            var isMatrix = found is { Groups: 1, Depth.IsWhole: true, Height.IsWhole: true, Width.IsWhole: true };
            return isMatrix ? QuantizedShape.Product(found.Batch, found.Terms, outputs) : new QuantizedShape(found, false);
        });
        return true;
    }

    public static bool MatMul(Lowering lowering, Node node)
    {
        var a = node.Inputs[0]!;
        if (node.Inputs[3]!.Constant is not { Shape.Rank: 2 } w || a.Shape!.Rank < 2) return false;
        if (Parts(node, w, isFilterFirst: false, null) is not { } parts) return false;
        var (terms, outputs) = (checked((int)w.Shape[0]), checked((int)w.Shape[1]));
        Emit(lowering, node, parts, QuantizedShape.Product(1, terms, outputs), shape => QuantizedShape.Product(checked((int)shape.Product(0, shape.Rank - 1)), terms, outputs));
        return true;
    }

    private static void Emit(Lowering lowering, Node node, QuantizedParts parts, QuantizedShape form, Func<Shape, QuantizedShape> describe)
    {
        var kernel = QuantizedConvTable.Select(form, lowering.Target);
        var bytes = kernel.Plan(form).PackedWeightBytes;
        var packed = lowering.Pack($"{kernel.Name} {form} {parts.IsFilterFirst}", bytes, to => parts.Pack(kernel.Plan(form), (byte*)to), parts.Weights, parts.WeightZeros);
        lowering.Prepare(kernel.Name, () => QuantizedConvPlan.Rehearse(kernel));
        var (x, y) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output));
        var (bias, factors) = (Tensor.Vector<int>(parts.Bias), Tensor.Vector<float>(parts.Factors));
        lowering.Emit(new PlanStep(node.Name, [x], [y], context =>
        {
            var plan = kernel.Plan(describe(context.Shape(x)));
            return new PlanTasks((m, first, end, scratch) =>
            {
                var call = new QuantizedConvCall
                {
                    X = (byte*)m[x],
                    Input = parts.Input,
                    PackedWeights = (byte*)packed.Pointer,
                    Bias = (int*)bias.Pointer,
                    Factors = (float*)factors.Pointer,
                    Y = (byte*)m[y],
                    Output = parts.Output,
                };
                plan.Run(call, first, end, scratch);
            })
            {
                Kernel = plan.KernelName,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        })
        {
            Operation = node.Operator.Name,
            Origins = node.Origins,
            Weights = packed.Length,
        }, [node]);
    }

    /// <summary>Everything constant of a node; null when something is not, or when a sum might leave int32.</summary>
    private static QuantizedParts? Parts(Node node, Tensor w, bool isFilterFirst, Tensor? bias)
    {
        var constants = Enumerable.Range(1, 7).Select(i => node.Inputs[i]!.Constant).ToArray();
        if (constants is not [{ } xScale, { } xZero, _, { } wScale, { } wZero, { } yScale, { } yZero]) return null;
        if (!IsByte(xZero) || !IsByte(wZero) || !IsByte(yZero) || xScale.DType != DType.Float32 || wScale.DType != DType.Float32 || yScale.DType != DType.Float32) return null;
        if (xScale.Count != 1 || xZero.Count != 1 || yScale.Count != 1 || yZero.Count != 1) return null;
        var outputs = (int)w.Shape[isFilterFirst ? 0 : 1];
        if (wScale.Count != 1 && wScale.Count != outputs || wZero.Count != 1 && wZero.Count != outputs) return null;
        var terms = (int)(w.Count / Math.Max(outputs, 1));
        var zeros = wZero.ToInt64();
        var scales = wScale.Span<float>();
        var addends = bias?.ToInt64() ?? new long[outputs];
        var factors = new float[outputs];
        var (least, greatest) = wZero.DType == DType.Int8 ? (-128, 127) : (0, 255);
        for (var o = 0; o < outputs; o++)
        {
            var zero = zeros[zeros.Length == 1 ? 0 : o];
            factors[o] = xScale.Span<float>()[0] * scales[scales.Length == 1 ? 0 : o] / yScale.Span<float>()[0];
            var most = Math.Abs(addends[o]) + 255L * terms * Math.Max(zero - least, greatest - zero);
            if (most > int.MaxValue || !float.IsFinite(factors[o])) return null;
        }
        return new(w, wZero, isFilterFirst, outputs, terms, [.. addends.Select(b => (int)b)], factors, Form(xZero), Form(yZero));
    }

    private static bool IsByte(Tensor t) => t.DType is DType.Int8 or DType.UInt8;

    private static QuantizedBytes Form(Tensor zero) => QuantizedBytes.Of((int)zero.ToInt64()[0], zero.DType == DType.Int8);

    private sealed record QuantizedParts(Tensor Weights, Tensor WeightZeros, bool IsFilterFirst, int Outputs, int Terms, int[] Bias, float[] Factors, QuantizedBytes Input, QuantizedBytes Output)
    {
        /// <summary>Packs the weights less their zero points, filters first.</summary>
        public void Pack(QuantizedConvPlan plan, byte* to)
        {
            var zeros = WeightZeros.ToInt64();
            var isSigned = Weights.DType == DType.Int8;
            var from = (byte*)Weights.Pointer;
            var centred = new short[(long)Outputs * Terms];
            for (var o = 0; o < Outputs; o++)
                for (var t = 0; t < Terms; t++)
                {
                    var value = from[IsFilterFirst ? (nint)o * Terms + t : (nint)t * Outputs + o];
                    centred[(nint)o * Terms + t] = (short)((isSigned ? (int)(sbyte)value : value) - zeros[zeros.Length == 1 ? 0 : o]);
                }
            GC.KeepAlive(Weights);
            fixed (short* weights = centred) plan.PackWeights(weights, to);
        }
    }
}
