using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Sample;

/// <summary>
/// The contract of what DeformConv multiplies, in float32: X [batch, channels, extents…], moves [batch, groups, taps…, axes, outputs…], perhaps factors [batch, groups, taps…, outputs…];
/// Y [batch, channels, taps…, outputs…]. Between elements X is read linearly, outside it is 0.
/// </summary>
/// <param name="Batch">Entries.</param>
/// <param name="Channels">Channels.</param>
/// <param name="Groups">Groups of channels that move together.</param>
/// <param name="Axes">One to three; the product of their inputs fits 31 bits.</param>
public sealed record DeformDescriptor(long Batch, long Channels, long Groups, IReadOnlyList<WindowAxis> Axes);

/// <summary>Windows whose elements are moved, made ready: places become offsets and weights, in float64, once for all channels of a group. Immutable.</summary>
public sealed unsafe class DeformPlan
{
    private readonly DeformDescriptor shape;
    private readonly int corners;
    private readonly long taps, points, plane, blocks;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public DeformPlan(DeformDescriptor descriptor, Target target, SampleKernel? row = null)
    {
        shape = descriptor;
        Kernel = row ?? SampleTable.Select(target);
        (corners, taps, points, plane) = (1, 1, 1, 1);
        foreach (var axis in descriptor.Axes)
        {
            corners *= 2;
            taps *= axis.Taps;
            points *= axis.Windows;
            plane *= axis.Image;
        }
        blocks = (points + SampleWork.Pitch - 1) / SampleWork.Pitch;
        Tasks = descriptor.Channels == 0 ? 0 : checked((int)(blocks * descriptor.Groups * descriptor.Batch));
    }

    /// <summary>The chosen row.</summary>
    public SampleKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks { get; }

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes => (long)corners * SampleWork.Pitch * (sizeof(int) + sizeof(float));

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    /// <param name="x">The input.</param>
    /// <param name="moves">How far the elements of windows are moved.</param>
    /// <param name="factors">Their factors, or null.</param>
    /// <param name="y">The result.</param>
    /// <param name="firstTask">The first task.</param>
    /// <param name="endTask">The task after the last.</param>
    /// <param name="scratch">This worker's scratch memory.</param>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* x, float* moves, float* factors, float* y, int firstTask, int endTask, byte* scratch)
    {
        var channels = shape.Channels / shape.Groups;
        var work = new SampleWork
        {
            XPlane = plane,
            YPlane = taps * points,
            Channels = channels,
            Taps = corners,
            Offsets = (int*)scratch,
            Weights = (float*)(scratch + (long)corners * SampleWork.Pitch * sizeof(int)),
        };
        for (var task = firstTask; task < endTask; task++)
        {
            var (group, block) = Math.DivRem(task, blocks);
            var first = block * SampleWork.Pitch;
            work.Points = (int)Math.Min(SampleWork.Pitch, points - first);
            work.X = x + group * channels * plane;
            for (long tap = 0; tap < taps; tap++)
            {
                var own = group * taps + tap;
                for (var p = 0; p < SampleWork.Pitch; p++)
                    if (p < work.Points) Place(tap, first + p, moves + own * shape.Axes.Count * points + first + p, factors == null ? 1 : factors[own * points + first + p], work.Offsets + p, work.Weights + p);
                    else
                        for (var c = 0; c < corners; c++) (work.Offsets[c * SampleWork.Pitch + p], work.Weights[c * SampleWork.Pitch + p]) = (-1, 0);
                work.Y = y + (group * channels * taps + tap) * points + first;
                Kernel.Run(&work);
            }
        }
    }

    /// <summary>The corners around a place, those along the innermost axis fastest, with their weights. A corner of no weight is not read.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void Place(long tap, long point, float* moves, double factor, int* offsets, float* weights)
    {
        var axes = shape.Axes.Count;
        var low = stackalloc long[axes];
        var fractions = stackalloc double[axes];
        var isInside = true;
        for (var a = axes - 1; a >= 0; a--)
        {
            var axis = shape.Axes[a];
            (tap, var t) = Math.DivRem(tap, axis.Taps);
            (point, var o) = Math.DivRem(point, axis.Windows);
            var at = o * axis.Stride - axis.Begin + t * axis.Dilation + (double)moves[a * points];
            isInside &= at > -1 && at < axis.Image;
            var floor = Math.Floor(at);
            (low[a], fractions[a]) = (isInside ? (long)floor : 0, at - floor);
        }
        for (var c = 0; c < corners; c++)
        {
            var (offset, weight, isThere) = (0L, factor, isInside);
            for (var a = 0; a < axes; a++)
            {
                var high = c >> (axes - 1 - a) & 1;
                var at = low[a] + high;
                var share = high == 0 ? 1 - fractions[a] : fractions[a];
                isThere &= share > 0 && (ulong)at < (ulong)shape.Axes[a].Image;
                offset = offset * shape.Axes[a].Image + at;
                weight *= share;
            }
            (offsets[c * SampleWork.Pitch], weights[c * SampleWork.Pitch]) = isThere ? ((int)offset, (float)weight) : (-1, 0);
        }
    }

    /// <summary>Rehearses a row: reads a few places, inside and outside.</summary>
    public static void Rehearse(SampleKernel row)
    {
        using var memory = new RehearsalMemory();
        const int n = RehearsalMemory.Row;
        var plan = new DeformPlan(new(1, 2, 1, [new(n, n, 1, 1, 1, 0)]), HostTarget.Current, row);
        var moves = memory.Floats(n);
        (moves[0], moves[1], moves[2]) = (-3, 0.5f, float.NaN);
        plan.Run(memory.Floats(2 * n), moves, memory.Floats(n), memory.Floats(2 * n), 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
    }
}
