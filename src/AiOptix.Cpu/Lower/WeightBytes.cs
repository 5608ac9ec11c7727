using System.Globalization;
using System.Runtime.InteropServices;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Constant weights of bytes with their zero points. Only <see cref="Pack"/> reads the weights' elements.</summary>
/// <param name="Weights">The weights.</param>
/// <param name="Zeros">Their zero points: one, or one a filter.</param>
/// <param name="IsFilterFirst">Whether the filters are the first axis, or the last.</param>
/// <param name="Outputs">Filters.</param>
/// <param name="Terms">Weights of a filter.</param>
internal sealed unsafe record WeightBytes(Tensor Weights, long[] Zeros, bool IsFilterFirst, int Outputs, int Terms)
{
    private const int FiltersAtOnce = 16;

    /// <summary>Of how many signed bytes a weight less its zero point is the sum.</summary>
    public int Parts => Zeros.Max(z => PartsOf(Weights.DType, z));

    /// <summary>The largest magnitude that a weight of a filter less its zero point may have.</summary>
    public long Most(int output) => Math.Max(Zero(output) - Least, Greatest - Zero(output));

    private int Least => LeastOf(Weights.DType);

    private int Greatest => GreatestOf(Weights.DType);

    /// <summary>Of how many signed bytes a byte less a zero point is the sum.</summary>
    public static int PartsOf(DType type, long zero) => GreatestOf(type) - zero > 254 ? 3 : GreatestOf(type) - zero > 127 || LeastOf(type) - zero < -128 ? 2 : 1;

    private static int LeastOf(DType type) => type == DType.Int8 ? sbyte.MinValue : byte.MinValue;

    private static int GreatestOf(DType type) => type == DType.Int8 ? sbyte.MaxValue : byte.MaxValue;

    /// <summary>What stands for all that is packed besides the weights.</summary>
    public string Digest(int[] bias, float[] factors, float[] addends, int zero = 0) => Checksum.Of([
        .. MemoryMarshal.AsBytes<int>([zero, IsFilterFirst ? 1 : 0, bias.Length, factors.Length]), .. MemoryMarshal.AsBytes<long>(Zeros), .. MemoryMarshal.AsBytes<int>(bias),
        .. MemoryMarshal.AsBytes<float>(factors), .. MemoryMarshal.AsBytes<float>(addends)]).ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Packs the weights less their zero points, filters first, and what belongs to each filter.</summary>
    public void Pack(QuantizedConvPlan plan, int[]? bias, float[]? factors, float[]? addends, int zero, byte* to)
    {
        var isSigned = Weights.DType == DType.Int8;
        var from = (byte*)Weights.Pointer;
        var centred = new short[(long)Outputs * Terms];
        // Some filters at a time, so that neither side is gone through in long strides.
        for (var first = 0; first < Outputs; first += FiltersAtOnce)
            for (var t = 0; t < Terms; t++)
                for (var o = first; o < Math.Min(Outputs, first + FiltersAtOnce); o++)
                {
                    var value = from[IsFilterFirst ? (nint)o * Terms + t : (nint)t * Outputs + o];
                    centred[(nint)o * Terms + t] = (short)((isSigned ? (sbyte)value : value) - (int)Zero(o));
                }
        GC.KeepAlive(Weights);
        fixed (short* w = centred)
        fixed (int* b = bias)
        fixed (float* f = factors, a = addends) plan.PackWeights(new() { Weights = w, Bias = b, Factors = f, Addends = a, Zero = zero }, to);
    }

    private long Zero(int output) => Zeros[Zeros.Length == 1 ? 0 : output];
}
