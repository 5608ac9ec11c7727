using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Quantize;

/// <summary>
/// float32 to uint8 with a scale and a zero point that cover the values and 0 (ONNX DynamicQuantizeLinear), made ready. It runs twice: first each task notes the least and the greatest of its values,
/// then each quantises its own. Immutable.
/// </summary>
public sealed unsafe class DynamicQuantizePlan
{
    /// <summary>There are no more tasks than one, and one more for so many values.</summary>
    public const int LeastATask = 8192;

    private readonly QuantizeKernel row;
    private readonly Split split;

    /// <summary>Plans it for some values.</summary>
    public DynamicQuantizePlan(long count, QuantizeKernel row)
    {
        this.row = row;
        split = new Split(count, 2, 64);
    }

    /// <summary>Tasks of either run; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Notes the least and the greatest value of each task, and 0: two floats a task.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Measure(float* x, float* extremes, int firstTask, int endTask)
    {
        for (var task = firstTask; task < endTask; task++) Extremes(x + split.Start(task), split.Start(task + 1) - split.Start(task), extremes + 2 * task);
    }

    /// <summary>Quantises; the first task also writes scale and zero point.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Quantize(float* x, float* extremes, byte* y, float* scale, byte* zero, int firstTask, int endTask)
    {
        var (least, greatest) = (0f, 0f);
        for (var task = 0; task < Tasks; task++) (least, greatest) = (MathF.Min(least, extremes[2 * task]), MathF.Max(greatest, extremes[2 * task + 1]));
        var s = (greatest - least) / 255f;
        if (s == 0) s = 1;
        var z = (byte)MathF.Round(Math.Clamp(0 - least / s, 0f, 255f), MidpointRounding.ToEven);
        if (firstTask == 0) (*scale, *zero) = (s, z);
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        row.Run((byte*)(x + first), y + first, end - first, s, z);
    }

    /// <summary>Writes the scale and the zero point of no values.</summary>
    public static void Nothing(float* scale, byte* zero) => (*scale, *zero) = (1, 0);

    /// <summary>Makes its code ready.</summary>
    public static void Rehearse(QuantizeKernel row)
    {
        using var memory = new RehearsalMemory();
        var plan = new DynamicQuantizePlan(RehearsalMemory.Row, row);
        var (x, extremes) = ((nint)memory.Floats(RehearsalMemory.Row), (nint)memory.Floats(2 * plan.Tasks));
        plan.Measure((float*)x, (float*)extremes, 0, plan.Tasks);
        plan.Quantize((float*)x, (float*)extremes, memory.Bytes(RehearsalMemory.Row), memory.Floats(1), memory.Bytes(1), 0, plan.Tasks);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Extremes(float* x, long n, float* to)
    {
        var (least, greatest) = (0f, 0f);
        long i = 0;
        if (n >= 16)
        {
            Vector256<float> a = default, b = default, c = default, d = default;
            for (; i <= n - 16; i += 16)
            {
                Vector256<float> one = Vector256.Load(x + i), other = Vector256.Load(x + i + 8);
                (a, b) = (Vector256.Min(a, one), Vector256.Max(b, one));
                (c, d) = (Vector256.Min(c, other), Vector256.Max(d, other));
            }
            (a, b) = (Vector256.Min(a, c), Vector256.Max(b, d));
            for (var lane = 0; lane < 8; lane++) (least, greatest) = (MathF.Min(least, a[lane]), MathF.Max(greatest, b[lane]));
        }
        for (; i < n; i++) (least, greatest) = (MathF.Min(least, x[i]), MathF.Max(greatest, x[i]));
        (to[0], to[1]) = (least, greatest);
    }
}
