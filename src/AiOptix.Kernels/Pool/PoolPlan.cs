using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Pool;

/// <summary>Max or average pooling, made ready; a task is a stretch of output lines. Immutable.</summary>
public sealed unsafe class PoolPlan
{
    private readonly PoolLine form;
    private readonly PoolAxis depth;
    private readonly PoolAxis height;
    private readonly PoolAxis width;
    private readonly long channels, xPitch, yPitch;
    private readonly float[] columnCounts;
    private readonly long inputWidth;
    private readonly Split split;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    /// <exception cref="UnsupportedModelException">There are not one to three spatial axes.</exception>
    public PoolPlan(PoolDescriptor descriptor, Target target, PoolKernel? row = null)
    {
        var rank = descriptor.Input.Length;
        if (rank is < 1 or > 3) throw new UnsupportedModelException($"pooling over {rank} spatial axes; one to three are served");
        Kernel = row ?? PoolTable.Select(descriptor.Max, target);
        depth = PoolAxis.Of(descriptor, rank - 3);
        height = PoolAxis.Of(descriptor, rank - 2);
        width = PoolAxis.Of(descriptor, rank - 1);
        channels = descriptor.Channels;
        xPitch = descriptor.XPitch == 0 ? channels : descriptor.XPitch;
        yPitch = descriptor.YPitch == 0 ? channels : descriptor.YPitch;
        inputWidth = width.Input;
        columnCounts = new float[descriptor.Max ? 0 : width.Output];
        for (var c = 0; c < columnCounts.Length; c++) columnCounts[c] = width.Count(c, descriptor.CountIncludePad);
        CountIncludePad = descriptor.CountIncludePad;
        form.LineLength = (Math.Max(width.Output - 1, 0) * width.Stride) + ((width.Kernel - 1) * width.Dilation) + 1;
        form.Pad = Math.Min(width.PadBegin, form.LineLength);
        form.Width = Math.Min(width.Input, form.LineLength - form.Pad);
        form.Columns = width.Output;
        (form.Kernel, form.Stride, form.Dilation) = (width.Kernel, width.Stride, width.Dilation);
        form.DepthStride = depth.Dilation * height.Input * width.Input;
        form.HeightStride = height.Dilation * width.Input;
        split = new Split(width.Output * channels == 0 ? 0 : descriptor.Planes * depth.Output * height.Output,
            channels > 1 ? width.Output * channels * width.Kernel * height.Kernel * depth.Kernel : (form.LineLength * height.Kernel * depth.Kernel) + (width.Output * width.Kernel));
    }

    private bool CountIncludePad { get; }

    /// <summary>The chosen row.</summary>
    public PoolKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes => channels > 1 ? 0 : 3 * form.LineLength * sizeof(float);

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>; <paramref name="scratch"/> is this worker's own.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* x, float* y, int firstTask, int endTask, byte* scratch)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        if (channels > 1)
        {
            Pixels(x, y, first, end);
            return;
        }
        var line = form;
        line.Scratch = (float*)scratch;
        fixed (float* counts = columnCounts)
        {
            line.ColumnCounts = Kernel.Max ? null : counts;
            for (var n = first; n < end; n++)
            {
                var outer = n / height.Output;
                var h = n - outer * height.Output;
                var plane = outer / depth.Output;
                var d = outer - plane * depth.Output;
                var (d0, dn) = depth.Valid(d);
                var (h0, hn) = height.Valid(h);
                line.Depths = dn;
                line.Heights = hn;
                line.LineCount = depth.Count(d, CountIncludePad) * height.Count(h, CountIncludePad);
                line.X = x + ((plane * depth.Input + d0) * height.Input + h0) * inputWidth;
                line.Y = y + n * line.Columns;
                Kernel.Run(&line);
            }
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void Pixels(float* x, float* y, long first, long end)
    {
        var pixel = new PoolPixel { Channels = channels, Divides = !Kernel.Max, WidthStride = width.Dilation * xPitch, HeightStride = form.HeightStride * xPitch, DepthStride = form.DepthStride * xPitch };
        for (var n = first; n < end; n++)
        {
            var outer = n / height.Output;
            var h = n - outer * height.Output;
            var plane = outer / depth.Output;
            var d = outer - plane * depth.Output;
            var (d0, dn) = depth.Valid(d);
            var (h0, hn) = height.Valid(h);
            (pixel.Depths, pixel.Heights) = (dn, hn);
            var lines = depth.Count(d, CountIncludePad) * height.Count(h, CountIncludePad);
            var line = x + ((plane * depth.Input + d0) * height.Input + h0) * inputWidth * xPitch;
            for (long c = 0; c < width.Output; c++)
            {
                var (w0, wn) = width.Valid(c);
                pixel.Widths = wn;
                pixel.X = line + w0 * xPitch;
                pixel.Y = y + (n * width.Output + c) * yPitch;
                if (!Kernel.Max) pixel.Divisor = columnCounts[c] * lines;
                Kernel.Pixel(&pixel);
            }
        }
    }

    /// <summary>Rehearses a row: pools a few elements with strides 1, 2 and 3, or channels last, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(PoolKernel row, bool isLast = false)
    {
        using var memory = new RehearsalMemory();
        if (isLast)
        {
            const int channels = RehearsalMemory.Row;
            var last = new PoolPlan(new(row.Max, 1, [1], [1], [1], [1], [1], [0], [0], CountIncludePad: false, channels), HostTarget.Current, row);
            last.Run(memory.Floats(channels), memory.Floats(channels), 0, last.Tasks, null);
            return;
        }
        const int length = 2 * RehearsalMemory.Row;
        var (x, y) = ((nint)memory.Floats(3 * length), (nint)memory.Floats(4 * length));
        for (var stride = 1; stride <= 3; stride++)
        {
            var output = (length - 1) / stride + 1;
            var plan = new PoolPlan(new(row.Max, 1, [3, length], [3, output], [3, 3], [1, stride], [1, 1], [1, 1], [1, 1], CountIncludePad: false), HostTarget.Current, row);
            using var scratch = new RehearsalMemory();
            plan.Run((float*)x, (float*)y, 0, plan.Tasks, scratch.Bytes(plan.ScratchBytes));
        }
    }
}
