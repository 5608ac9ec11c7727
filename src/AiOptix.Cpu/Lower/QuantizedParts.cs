using AiOptix.Graphs;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Everything constant of a QLinearConv or QLinearMatMul.</summary>
/// <param name="Weights">The weights.</param>
/// <param name="Bias">One addend a filter.</param>
/// <param name="Factors">What a step of the sum is in steps of the result, one a filter.</param>
/// <param name="Flags">The kernel's descriptor without its convolution.</param>
/// <param name="Call">The operands of a run without its addresses.</param>
internal sealed unsafe record QuantizedParts(WeightBytes Weights, int[] Bias, float[] Factors, QuantizedShape Flags, QuantizedConvCall Call)
{
    /// <summary>What stands for all that is packed besides the weights.</summary>
    public string Digest => Weights.Digest(Bias, Factors, [], Call.InputZero);

    /// <summary>The parts of a node; null when something is not constant, or when a sum might leave int32.</summary>
    public static QuantizedParts? Of(Node node, Tensor w, bool isFilterFirst, Tensor? bias)
    {
        var constants = Enumerable.Range(1, 7).Select(i => node.Inputs[i]!.Constant).ToArray();
        if (constants is not [{ } xScale, { } xZero, _, { } wScale, { } wZero, { } yScale, { } yZero]) return null;
        if (!IsByte(xZero) || !IsByte(wZero) || !IsByte(yZero) || xScale.DType != DType.Float32 || wScale.DType != DType.Float32 || yScale.DType != DType.Float32) return null;
        if (xScale.Count != 1 || xZero.Count != 1 || yScale.Count != 1 || yZero.Count != 1) return null;
        var outputs = (int)w.Shape[isFilterFirst ? 0 : 1];
        if (wScale.Count != 1 && wScale.Count != outputs || wZero.Count != 1 && wZero.Count != outputs) return null;
        var weights = new WeightBytes(w, wZero.ToInt64(), isFilterFirst, outputs, (int)(w.Count / Math.Max(outputs, 1)));
        var scales = wScale.Span<float>();
        var addends = bias?.ToInt64() ?? new long[outputs];
        var factors = new float[outputs];
        var isLimited = false;
        for (var o = 0; o < outputs; o++)
        {
            factors[o] = xScale.Span<float>()[0] * scales[scales.Length == 1 ? 0 : o] / yScale.Span<float>()[0];
            var most = Math.Abs(addends[o]) + 255L * weights.Terms * weights.Most(o);
            if (most > int.MaxValue || !float.IsFinite(factors[o])) return null;
            isLimited |= Math.Abs((double)factors[o]) * most > int.MaxValue - 255;
        }
        var isSigned = yZero.DType == DType.Int8;
        var flags = new QuantizedShape(default, isSigned ? QuantizedResult.Int8 : QuantizedResult.UInt8) { IsSigned = xZero.DType == DType.Int8, IsLimited = isLimited, WeightParts = weights.Parts };
        var call = new QuantizedConvCall
        {
            InputZero = (int)xZero.ToInt64()[0],
            Zero = (int)yZero.ToInt64()[0],
            Low = isSigned ? sbyte.MinValue : byte.MinValue,
            High = isSigned ? sbyte.MaxValue : byte.MaxValue,
        };
        return new(weights, [.. addends.Select(b => (int)b)], factors, flags, call);
    }

    /// <summary>The same with results cut off at bounds of their own; where these cross, all results are the upper one.</summary>
    public QuantizedParts Within(long? low, long? high)
    {
        var call = Call;
        call.High = (int)Math.Clamp(high ?? call.High, call.Low, call.High);
        call.Low = (int)Math.Clamp(low ?? call.Low, call.Low, call.High);
        return this with { Call = call, Flags = Flags with { IsClipped = true } };
    }

    /// <summary>The kernel's descriptor of a convolution with these weights.</summary>
    public QuantizedShape Shape(ConvShape conv) => Flags with { Conv = conv };

    /// <summary>Packs weights, bias and factors.</summary>
    public void Pack(QuantizedConvPlan plan, byte* to) => Weights.Pack(plan, Bias, Factors, null, Call.InputZero, to);

    private static bool IsByte(Tensor t) => t.DType is DType.Int8 or DType.UInt8;
}
