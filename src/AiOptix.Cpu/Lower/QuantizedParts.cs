using System.Runtime.InteropServices;
using System.Security.Cryptography;
using AiOptix.Graphs;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Everything constant of a QLinearConv or QLinearMatMul.</summary>
internal sealed unsafe class QuantizedParts
{
    private readonly int outputs, terms;
    private readonly long[] zeros;
    private readonly int[] bias;
    private readonly float[] factors;
    private QuantizedShape flags;

    private QuantizedParts(Node node, Tensor weights, bool isFilterFirst, int[] addends, float[] factors, bool isLimited)
    {
        var (xZero, yZero) = (node.Inputs[2]!.Constant!, node.Inputs[7]!.Constant!);
        (Weights, zeros, IsFilterFirst, bias, this.factors) = (weights, node.Inputs[5]!.Constant!.ToInt64(), isFilterFirst, addends, factors);
        outputs = addends.Length;
        terms = (int)(weights.Count / Math.Max(outputs, 1));
        var isSigned = yZero.DType == DType.Int8;
        var (least, greatest) = Range(weights);
        flags = new QuantizedShape(default, isSigned ? QuantizedResult.Int8 : QuantizedResult.UInt8)
        {
            IsSigned = xZero.DType == DType.Int8,
            IsLimited = isLimited,
            WeightParts = zeros.Max(z => greatest - z > 254 ? 3 : greatest - z > 127 || least - z < -128 ? 2 : 1),
        };
        Call = new()
        {
            InputZero = (int)xZero.ToInt64()[0],
            Zero = (int)yZero.ToInt64()[0],
            Low = isSigned ? sbyte.MinValue : byte.MinValue,
            High = isSigned ? sbyte.MaxValue : byte.MaxValue,
        };
    }

    /// <summary>Whether the filters are the first axis of the weights, or the last.</summary>
    public bool IsFilterFirst { get; }

    /// <summary>The weights, whose elements only <see cref="Pack"/> reads.</summary>
    public Tensor Weights { get; }

    /// <summary>What stands for all that is packed besides the weights.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData([
        .. MemoryMarshal.AsBytes<int>([Call.InputZero, IsFilterFirst ? 1 : 0]), .. MemoryMarshal.AsBytes<long>(zeros), .. MemoryMarshal.AsBytes<int>(bias), .. MemoryMarshal.AsBytes<float>(factors)]))[..16];

    /// <summary>The operands of a run without its addresses.</summary>
    public QuantizedConvCall Call { get; private set; }

    /// <summary>The parts of a node; null when something is not constant, or when a sum might leave int32.</summary>
    public static QuantizedParts? Of(Node node, Tensor w, bool isFilterFirst, Tensor? bias)
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
        var (least, greatest) = Range(wZero);
        var isLimited = false;
        for (var o = 0; o < outputs; o++)
        {
            var zero = zeros[zeros.Length == 1 ? 0 : o];
            factors[o] = xScale.Span<float>()[0] * scales[scales.Length == 1 ? 0 : o] / yScale.Span<float>()[0];
            var most = Math.Abs(addends[o]) + 255L * terms * Math.Max(zero - least, greatest - zero);
            if (most > int.MaxValue || !float.IsFinite(factors[o])) return null;
            isLimited |= Math.Abs((double)factors[o]) * most > int.MaxValue - 255;
        }
        return new(node, w, isFilterFirst, [.. addends.Select(b => (int)b)], factors, isLimited);
    }

    /// <summary>The same with results cut off at bounds of their own.</summary>
    public QuantizedParts Within(long? low, long? high)
    {
        var copy = (QuantizedParts)MemberwiseClone();
        var call = Call;
        // Where the bounds cross, all results are the upper one.
        call.High = (int)Math.Clamp(high ?? call.High, call.Low, call.High);
        call.Low = (int)Math.Clamp(low ?? call.Low, call.Low, call.High);
        (copy.Call, copy.flags) = (call, flags with { IsClipped = true });
        return copy;
    }

    /// <summary>The kernel's descriptor of a convolution with these weights.</summary>
    public QuantizedShape Shape(ConvShape conv) => flags with { Conv = conv };

    /// <summary>Packs the weights less their zero points, filters first.</summary>
    public void Pack(QuantizedConvPlan plan, byte* to)
    {
        var isSigned = Weights.DType == DType.Int8;
        var from = (byte*)Weights.Pointer;
        var centred = new short[(long)outputs * terms];
        for (var o = 0; o < outputs; o++)
            for (var t = 0; t < terms; t++)
            {
                var value = from[IsFilterFirst ? (nint)o * terms + t : (nint)t * outputs + o];
                centred[(nint)o * terms + t] = (short)((isSigned ? (int)(sbyte)value : value) - zeros[zeros.Length == 1 ? 0 : o]);
            }
        GC.KeepAlive(Weights);
        fixed (short* w = centred)
        fixed (int* b = bias)
        fixed (float* f = factors) plan.PackWeights(new() { Weights = w, Bias = b, Factors = f, Zero = Call.InputZero }, to);
    }

    private static (int Least, int Greatest) Range(Tensor bytes) => bytes.DType == DType.Int8 ? (sbyte.MinValue, sbyte.MaxValue) : (byte.MinValue, byte.MaxValue);

    private static bool IsByte(Tensor t) => t.DType is DType.Int8 or DType.UInt8;
}
