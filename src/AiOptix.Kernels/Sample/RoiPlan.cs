using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Sample;

/// <summary>
/// The contract of RoiAlign by averages in float32: X [entries, channels, height, width], regions [regions, 4] as x1, y1, x2, y2, the entry of each; Y [regions, channels, rows, columns].
/// </summary>
/// <param name="Entries">Entries of X.</param>
/// <param name="Channels">Channels.</param>
/// <param name="Height">Rows of X; Height · Width fits 31 bits.</param>
/// <param name="Width">Columns of X.</param>
/// <param name="Regions">Regions.</param>
/// <param name="Rows">Rows of a result.</param>
/// <param name="Columns">Columns of a result.</param>
/// <param name="Scale">From the regions' coordinates to X's.</param>
/// <param name="Samples">Points a cell along either axis; 0 for as many as the cell has elements.</param>
/// <param name="HalfPixel">Coordinates are of pixel centres: regions move by half a pixel and may be smaller than one.</param>
public sealed record RoiDescriptor(long Entries, long Channels, long Height, long Width, long Regions, long Rows, long Columns, float Scale, long Samples, bool HalfPixel);

/// <summary>
/// RoiAlign, made ready: where the points of a cell lie is worked out once for all channels, in float32, as everybody does who decides by it how many points there are. Lanes are cells: the
/// n-th point of each that lies within X. A task is a region. Immutable.
/// </summary>
public sealed unsafe class RoiPlan
{
    private const int MostTaps = 64;

    private readonly RoiDescriptor shape;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public RoiPlan(RoiDescriptor descriptor, Target target, SampleKernel? row = null)
    {
        shape = descriptor;
        Kernel = row ?? SampleTable.Select(target);
        Tasks = descriptor.Channels == 0 ? 0 : checked((int)descriptor.Regions);
    }

    /// <summary>The chosen row.</summary>
    public SampleKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks { get; }

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes => MostTaps * SampleWork.Pitch * (sizeof(int) + sizeof(float));

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>. A region of an entry that X does not have is left alone; the caller raises the error.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* x, float* regions, long* entries, float* y, int firstTask, int endTask, byte* scratch)
    {
        var cells = shape.Rows * shape.Columns;
        var work = new SampleWork
        {
            XPlane = shape.Height * shape.Width,
            YPlane = cells,
            Channels = shape.Channels,
            Offsets = (int*)scratch,
            Weights = (float*)(scratch + MostTaps * SampleWork.Pitch * sizeof(int)),
        };
        for (var task = firstTask; task < endTask; task++)
        {
            if ((ulong)entries[task] >= (ulong)shape.Entries) continue;
            var region = new Region(shape, regions + task * 4L);
            work.X = x + entries[task] * shape.Channels * work.XPlane;
            for (long first = 0; first < cells; first += SampleWork.Pitch)
            {
                work.Points = (int)Math.Min(SampleWork.Pitch, cells - first);
                work.Y = y + task * shape.Channels * cells + first;
                Cells(&work, region, first);
            }
        }
    }

    /// <summary>Sums up the points of some cells.</summary>
    private void Cells(SampleWork* work, in Region region, long first)
    {
        long rows = 0, columns = 0;
        for (long cell = first; cell < first + work->Points; cell++)
        {
            rows = Math.Max(rows, region.Vertical.Inside(cell / shape.Columns).Count);
            columns = Math.Max(columns, region.Horizontal.Inside(cell % shape.Columns).Count);
        }
        work->Adds = false;
        work->Taps = 0;
        for (long r = 0; r < rows; r++)
            for (long c = 0; c < columns; c++)
            {
                Point(work, region, first, r, c);
                if ((work->Taps += 4) < MostTaps) continue;
                Kernel.Run(work);
                work->Adds = true;
                work->Taps = 0;
            }
        if (work->Taps > 0 || !work->Adds) Kernel.Run(work);
    }

    /// <summary>The four taps of a point of every cell.</summary>
    private void Point(SampleWork* work, in Region region, long first, long row, long column)
    {
        var offsets = work->Offsets + work->Taps * SampleWork.Pitch;
        var weights = work->Weights + work->Taps * SampleWork.Pitch;
        for (var p = 0; p < SampleWork.Pitch; p++, offsets++, weights++)
        {
            var cell = first + p;
            if (p >= work->Points || !region.Vertical.Find(cell / shape.Columns, row, out var y0, out var y1, out var fy) || !region.Horizontal.Find(cell % shape.Columns, column, out var x0, out var x1, out var fx))
            {
                for (var t = 0; t < 4; t++) (offsets[t * SampleWork.Pitch], weights[t * SampleWork.Pitch]) = (-1, 0);
                continue;
            }
            offsets[0] = (int)(y0 * shape.Width + x0);
            offsets[SampleWork.Pitch] = (int)(y0 * shape.Width + x1);
            offsets[2 * SampleWork.Pitch] = (int)(y1 * shape.Width + x0);
            offsets[3 * SampleWork.Pitch] = (int)(y1 * shape.Width + x1);
            weights[0] = (float)((1 - fy) * (1 - fx) * region.Share);
            weights[SampleWork.Pitch] = (float)((1 - fy) * fx * region.Share);
            weights[2 * SampleWork.Pitch] = (float)(fy * (1 - fx) * region.Share);
            weights[3 * SampleWork.Pitch] = (float)(fy * fx * region.Share);
        }
    }

    /// <summary>The points of a region, and what each has of a cell's average.</summary>
    private readonly struct Region
    {
        public readonly Axis Vertical, Horizontal;
        public readonly double Share;

        public Region(RoiDescriptor shape, float* region)
        {
            Horizontal = new(shape, region[0], region[2], shape.Columns, shape.Width);
            Vertical = new(shape, region[1], region[3], shape.Rows, shape.Height);
            Share = 1 / Math.Max(1, Vertical.Points * Horizontal.Points);
        }
    }

    /// <summary>Cells of a region along an axis of X.</summary>
    private readonly struct Axis
    {
        private readonly double start, size;
        private readonly long extent;

        public Axis(RoiDescriptor shape, float from, float to, long cells, long extent)
        {
            var shift = shape.HalfPixel ? 0.5 : 0;
            start = (float)((double)from * shape.Scale - shift);
            double length = (float)((float)((double)to * shape.Scale - shift) - start);
            if (!shape.HalfPixel) length = Math.Max(length, 1);
            size = (float)(length / cells);
            Points = shape.Samples > 0 ? shape.Samples : Math.Max(0, Math.Ceiling(size));
            this.extent = extent;
        }

        /// <summary>Points of a cell.</summary>
        public readonly double Points;

        /// <summary>The points of a cell that may lie within the axis, with one more on either side: points beyond it count as 0.</summary>
        public (long First, long Count) Inside(long cell)
        {
            var at = start + cell * size;
            if (!(Points >= 1) || !double.IsFinite(at) || !(size > 0)) return (0, Points >= 1 && double.IsFinite(at) ? (long)Math.Min(Points, extent + 2.0) : 0);
            var first = Math.Clamp(Math.Floor((-1 - at) / size * Points - 0.5) - 1, 0, Points);
            var end = Math.Clamp(Math.Ceiling((extent - at) / size * Points - 0.5) + 2, first, Points);
            return ((long)first, (long)end - (long)first);
        }

        /// <summary>The elements around the n-th such point of a cell; false where there is none.</summary>
        public bool Find(long cell, long n, out long low, out long high, out double fraction)
        {
            (low, high, fraction) = (0, 0, 0);
            var (first, count) = Inside(cell);
            if (n >= count) return false;
            double at = (float)((float)(start + (float)(cell * size)) + (float)((float)((first + n + 0.5) * size) / Points));
            if (!(at >= -1 && at <= extent)) return false;
            at = Math.Max(at, 0);
            low = (long)at;
            (low, high, fraction) = low >= extent - 1 ? (extent - 1, extent - 1, 0) : (low, low + 1, at - low);
            return extent > 0;
        }
    }

    /// <summary>Rehearses a row: averages a few regions, inside and outside.</summary>
    public static void Rehearse(SampleKernel row)
    {
        using var memory = new RehearsalMemory();
        var plan = new RoiPlan(new(1, 2, 3, 4, 2, 5, 7, 1, 5, HalfPixel: true), HostTarget.Current, row);
        var regions = memory.Floats(8);
        (regions[2], regions[3], regions[4], regions[5]) = (4, 4, -9, -9);
        plan.Run(memory.Floats(24), regions, (long*)memory.Bytes(16), memory.Floats(2 * 2 * 35), 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
    }
}
