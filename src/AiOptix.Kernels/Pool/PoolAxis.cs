using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Pool;

/// <summary>One spatial axis of a pooling; pads and the number of outputs are resolved.</summary>
internal readonly record struct PoolAxis(long Input, long Output, long Kernel, long Stride, long Dilation, long PadBegin, long PadEnd)
{
    public static PoolAxis Of(PoolDescriptor d, int k) =>
        k < 0 ? new(1, 1, 1, 1, 1, 0, 0) : new(d.Input[k], d.Output[k], d.Kernel[k], d.Stride[k], d.Dilation[k], d.PadBegin[k], d.PadEnd[k]);

    /// <summary>The first input position that a window reads, and how many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (long First, long Count) Valid(long output)
    {
        var (first, count) = Within(output, 0, Input);
        return (output * Stride - PadBegin + first * Dilation, count);
    }

    /// <summary>How many entries of a window count in the divisor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Count(long output, bool includePad) => includePad ? Within(output, -PadBegin, Input + PadEnd).Count : Within(output, 0, Input).Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (long First, long Count) Within(long output, long low, long high)
    {
        var start = output * Stride - PadBegin;
        var first = start >= low ? 0 : (low - start + Dilation - 1) / Dilation;
        var end = start >= high ? 0 : Math.Min((high - start + Dilation - 1) / Dilation, Kernel);
        return first < end ? (first, end - first) : (0, 0);
    }
}
