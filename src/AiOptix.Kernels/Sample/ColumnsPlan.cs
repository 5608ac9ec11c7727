using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Sample;

/// <summary>
/// The contract of Col2Im in float32: columns X [batch, channels, taps…, blocks…] to images Y [batch, channels, extents…], each element the sum of all that meet it, in the order of the taps.
/// </summary>
/// <param name="Batch">Entries.</param>
/// <param name="Channels">Channels.</param>
/// <param name="Axes">One to three; taps times blocks fit 31 bits.</param>
public sealed record ColumnsDescriptor(long Batch, long Channels, IReadOnlyList<WindowAxis> Axes);

/// <summary>Col2Im, made ready: where the columns that meet an element lie, once for all channels. Immutable.</summary>
public sealed unsafe class ColumnsPlan
{
    private readonly ColumnsDescriptor shape;
    private readonly int meets;
    private readonly long taps, count, plane, blocks;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public ColumnsPlan(ColumnsDescriptor descriptor, Target target, SampleKernel? row = null)
    {
        shape = descriptor;
        Kernel = row ?? SampleTable.Select(target);
        (meets, taps, count, plane) = (1, 1, 1, 1);
        foreach (var axis in descriptor.Axes)
        {
            // Taps whose distances differ by a multiple of the stride meet an element together.
            var apart = axis.Stride / Gcd(axis.Stride, axis.Dilation);
            meets = checked(meets * (int)((axis.Taps + apart - 1) / apart));
            taps *= axis.Taps;
            count *= axis.Windows;
            plane *= axis.Image;
        }
        blocks = (plane + SampleWork.Pitch - 1) / SampleWork.Pitch;
        Tasks = descriptor.Channels == 0 ? 0 : checked((int)(blocks * descriptor.Batch));
    }

    /// <summary>The chosen row.</summary>
    public SampleKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks { get; }

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes => (long)meets * SampleWork.Pitch * (sizeof(int) + sizeof(float));

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* x, float* y, int firstTask, int endTask, byte* scratch)
    {
        var work = new SampleWork
        {
            XPlane = taps * count,
            YPlane = plane,
            Channels = shape.Channels,
            Taps = meets,
            Offsets = (int*)scratch,
            Weights = (float*)(scratch + (long)meets * SampleWork.Pitch * sizeof(int)),
        };
        for (var i = 0; i < meets * SampleWork.Pitch; i++) work.Weights[i] = 1;
        for (var task = firstTask; task < endTask; task++)
        {
            var (entry, block) = Math.DivRem(task, blocks);
            var first = block * SampleWork.Pitch;
            work.Points = (int)Math.Min(SampleWork.Pitch, plane - first);
            for (var p = 0; p < SampleWork.Pitch; p++) Meet(p < work.Points ? first + p : -1, work.Offsets + p);
            work.X = x + entry * shape.Channels * work.XPlane;
            work.Y = y + entry * shape.Channels * plane + first;
            Kernel.Run(&work);
        }
    }

    /// <summary>Where the columns of an element lie, in the order of the taps; -1 for what is left of the list, and for all of it where there is no element.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void Meet(long element, int* offsets)
    {
        var found = 0;
        if (element >= 0)
        {
            var axes = shape.Axes.Count;
            var places = stackalloc long[axes];
            for (var a = axes - 1; a >= 0; a--) (element, places[a]) = Math.DivRem(element, shape.Axes[a].Image);
            for (long t = 0; t < taps; t++)
            {
                long rest = taps, tap = t, at = 0;
                var isMet = true;
                for (var a = 0; a < axes && isMet; a++)
                {
                    var axis = shape.Axes[a];
                    rest /= axis.Taps;
                    (var own, tap) = Math.DivRem(tap, rest);
                    var (place, over) = Math.DivRem(places[a] + axis.Begin - own * axis.Dilation, axis.Stride);
                    isMet = over == 0 && (ulong)place < (ulong)axis.Windows;
                    at = at * axis.Windows + place;
                }
                if (isMet) offsets[found++ * SampleWork.Pitch] = (int)(t * count + at);
            }
        }
        for (; found < meets; found++) offsets[found * SampleWork.Pitch] = -1;
    }

    private static long Gcd(long a, long b) => b == 0 ? a : Gcd(b, a % b);

    /// <summary>Rehearses a row: adds up a few columns.</summary>
    public static void Rehearse(SampleKernel row)
    {
        using var memory = new RehearsalMemory();
        var plan = new ColumnsPlan(new(1, 2, [new(RehearsalMemory.Row, RehearsalMemory.Row, 2, 1, 1, 0)]), HostTarget.Current, row);
        plan.Run(memory.Floats(4 * RehearsalMemory.Row), memory.Floats(2 * RehearsalMemory.Row), 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
    }
}
