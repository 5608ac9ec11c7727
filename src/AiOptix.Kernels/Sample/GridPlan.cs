using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Sample;

/// <summary>How a plane is read between elements: the elements along an axis that count.</summary>
public enum SampleMode
{
    /// <summary>The nearest element, the even one of two.</summary>
    Nearest = 1,
    /// <summary>Two, linearly.</summary>
    Linear = 2,
    /// <summary>Four, by a cubic with the coefficient -0.75.</summary>
    Cubic = 4,
}

/// <summary>What is read outside of a plane.</summary>
public enum SampleBorder
{
    /// <summary>0.</summary>
    Zeros,
    /// <summary>The element at the border.</summary>
    Border,
    /// <summary>What lies inside, mirrored.</summary>
    Reflection,
}

/// <summary>
/// The contract of GridSample in float32: X [batch, channels, extents], positions [batch, points, axes] from the innermost axis out, between -1 and 1; Y [batch, channels, points].
/// </summary>
/// <param name="Batch">Entries.</param>
/// <param name="Channels">Channels.</param>
/// <param name="Extents">Extents of a plane, one to three, whose product fits 31 bits.</param>
/// <param name="Points">Points of an entry.</param>
/// <param name="Mode">How it is read between elements.</param>
/// <param name="Border">What is read outside.</param>
/// <param name="AlignCorners">-1 and 1 are the centres of the corner elements, not their outer edges.</param>
public sealed record GridDescriptor(long Batch, long Channels, IReadOnlyList<long> Extents, long Points, SampleMode Mode, SampleBorder Border, bool AlignCorners);

/// <summary>GridSample, made ready: positions become offsets and weights, in float64, once for all channels. Immutable.</summary>
public sealed unsafe class GridPlan
{
    private const double A = -0.75;

    private readonly GridDescriptor shape;
    private readonly int taps;
    private readonly long plane;
    private readonly long blocks;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public GridPlan(GridDescriptor descriptor, Target target, SampleKernel? row = null)
    {
        shape = descriptor;
        Kernel = row ?? SampleTable.Select(target);
        taps = 1;
        plane = 1;
        foreach (var n in descriptor.Extents)
        {
            taps *= (int)descriptor.Mode;
            plane *= n;
        }
        blocks = (descriptor.Points + SampleWork.Pitch - 1) / SampleWork.Pitch;
        Tasks = descriptor.Channels == 0 ? 0 : checked((int)(blocks * descriptor.Batch));
    }

    /// <summary>The chosen row.</summary>
    public SampleKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks { get; }

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes => (long)taps * SampleWork.Pitch * (sizeof(int) + sizeof(float));

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* x, float* grid, float* y, int firstTask, int endTask, byte* scratch)
    {
        var work = new SampleWork
        {
            XPlane = plane,
            YPlane = shape.Points,
            Channels = shape.Channels,
            Taps = taps,
            Offsets = (int*)scratch,
            Weights = (float*)(scratch + (long)taps * SampleWork.Pitch * sizeof(int)),
        };
        for (var task = firstTask; task < endTask; task++)
        {
            var (entry, block) = Math.DivRem(task, blocks);
            var first = block * SampleWork.Pitch;
            work.Points = (int)Math.Min(SampleWork.Pitch, shape.Points - first);
            for (var p = 0; p < SampleWork.Pitch; p++)
                if (p < work.Points) Place(grid + (entry * shape.Points + first + p) * shape.Extents.Count, work.Offsets + p, work.Weights + p);
                else
                    for (var t = 0; t < taps; t++) (work.Offsets[t * SampleWork.Pitch + p], work.Weights[t * SampleWork.Pitch + p]) = (-1, 0);
            work.X = x + entry * shape.Channels * plane;
            work.Y = y + entry * shape.Channels * shape.Points + first;
            Kernel.Run(&work);
        }
    }

    /// <summary>The taps of a point, those along the innermost axis fastest.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void Place(float* position, int* offsets, float* weights)
    {
        var (axes, count) = (shape.Extents.Count, (int)shape.Mode);
        var indices = stackalloc long[4 * axes];
        var factors = stackalloc double[4 * axes];
        for (var axis = 0; axis < axes; axis++) Line(position[axes - 1 - axis], shape.Extents[axis], indices + 4 * axis, factors + 4 * axis);
        for (var t = 0; t < taps; t++)
        {
            var (rest, offset, weight, step, isThere) = (t, 0L, 1.0, 1L, true);
            for (var axis = axes - 1; axis >= 0; axis--, rest /= count)
            {
                var i = 4 * axis + rest % count;
                isThere &= indices[i] >= 0;
                offset += indices[i] * step;
                step *= shape.Extents[axis];
                weight *= factors[i];
            }
            (offsets[t * SampleWork.Pitch], weights[t * SampleWork.Pitch]) = isThere ? ((int)offset, (float)weight) : (-1, 0);
        }
    }

    /// <summary>The elements along an axis that a position reads, -1 for those that count as 0, and their weights.</summary>
    private void Line(double position, long n, long* indices, double* weights)
    {
        var at = shape.AlignCorners ? (position + 1) / 2 * (n - 1) : ((position + 1) * n - 1) / 2;
        if (!double.IsFinite(at)) at = shape.Border == SampleBorder.Zeros ? -2 : 0;
        if (shape.Mode == SampleMode.Nearest) at = Math.Round(at, MidpointRounding.ToEven);
        var (low, high) = shape.AlignCorners ? (0.0, n - 1.0) : (-0.5, n - 0.5);
        if (at < low || at > high)
            at = shape.Border switch { SampleBorder.Border => Math.Clamp(at, 0, n - 1), SampleBorder.Reflection => Reflect(at, low, high), _ => Math.Clamp(at, -4.0, n + 4.0) };
        if (shape.Mode == SampleMode.Nearest)
        {
            (indices[0], weights[0]) = (Inside((long)Math.Round(at, MidpointRounding.ToEven), n, low, high), 1);
            return;
        }
        var floor = Math.Floor(at);
        var (first, f) = ((long)floor, at - floor);
        if (shape.Mode == SampleMode.Linear) (weights[0], weights[1]) = (1 - f, f);
        else
        {
            first--;
            (weights[0], weights[1], weights[2], weights[3]) = (Far(f + 1), Near(f), Near(1 - f), Far(2 - f));
        }
        for (var i = 0; i < (int)shape.Mode; i++) indices[i] = Inside(first + i, n, low, high);
    }

    private long Inside(long index, long n, double low, double high)
    {
        if ((ulong)index < (ulong)n) return index;
        return n == 0 ? -1 : shape.Border switch
        {
            SampleBorder.Border => Math.Clamp(index, 0, n - 1),
            SampleBorder.Reflection => Math.Clamp((long)Reflect(index, low, high), 0, n - 1),
            _ => -1,
        };
    }

    private static double Reflect(double at, double low, double high)
    {
        var range = high - low;
        if (range <= 0) return low;
        var beyond = at < low ? low - at : at > high ? at - high : -1;
        if (beyond < 0) return at;
        var turns = Math.Floor(beyond / range);
        var rest = beyond - turns * range;
        return at < low == (turns % 2 == 0) ? low + rest : high - rest;
    }

    private static double Near(double d) => ((A + 2) * d - (A + 3)) * d * d + 1;

    private static double Far(double d) => ((A * d - 5 * A) * d + 8 * A) * d - 4 * A;

    /// <summary>Rehearses a row in a mode: reads a few points, inside and outside.</summary>
    public static void Rehearse(SampleKernel row, SampleMode mode, SampleBorder border)
    {
        using var memory = new RehearsalMemory();
        var plan = new GridPlan(new(1, 2, [3, 4], RehearsalMemory.Row, mode, border, AlignCorners: false), HostTarget.Current, row);
        var grid = memory.Floats(2 * RehearsalMemory.Row);
        (grid[2], grid[3], grid[4]) = (-3, 7, float.NaN);
        plan.Run(memory.Floats(24), grid, memory.Floats(2 * RehearsalMemory.Row), 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
    }
}
