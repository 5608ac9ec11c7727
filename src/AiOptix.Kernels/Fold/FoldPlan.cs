using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Fold;

/// <summary>One spatial axis of a fold: input position i and tap t meet output position i·Stride + t·Dilation − Cut.</summary>
/// <param name="Input">Input positions.</param>
/// <param name="Output">Output positions.</param>
/// <param name="Taps">Taps.</param>
/// <param name="Stride">Output positions from one input to the next.</param>
/// <param name="Dilation">Output positions from one tap to the next.</param>
/// <param name="Cut">Output positions cut off the beginning; what lies before or behind the output is dropped.</param>
public readonly record struct FoldAxis(int Input, int Output, int Taps = 1, int Stride = 1, int Dilation = 1, int Cut = 0);

/// <summary>
/// The contract of a fold over floats, the second half of a transposed convolution: X [images, inputs…, groups, taps…, channels of a group] to Y [images, outputs…, channels], where each output is
/// an addend of its channel and the sum of all that meet it, in the order of the taps.
/// </summary>
/// <param name="Images">Images.</param>
/// <param name="Channels">Channels of all groups.</param>
/// <param name="Depth">The outer axis; of one position below three axes.</param>
/// <param name="Height">The middle axis.</param>
/// <param name="Width">The inner axis.</param>
/// <param name="Groups">Groups of channels.</param>
/// <param name="YPitch">Floats from a pixel of Y to the next; 0 when it is dense.</param>
public sealed record FoldDescriptor(long Images, int Channels, FoldAxis Depth, FoldAxis Height, FoldAxis Width, int Groups = 1, int YPitch = 0);

/// <summary>A row of the fold table.</summary>
public readonly unsafe struct FoldKernel
{
    internal FoldKernel(string name, Isa needs, delegate*<float**, int, float*, float*, int, void> pixel)
    {
        Name = name;
        Needs = needs;
        Pixel = pixel;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>Adds up some stretches of channels: stretches, how many, addends or null, result, channels.</summary>
    internal readonly delegate*<float**, int, float*, float*, int, void> Pixel;
}

/// <summary>The table of fold kernels, best first, the scalar reference last; all rows give the same bits.</summary>
public static unsafe class FoldTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<FoldKernel> Rows { get; } =
    [
        new("fold_f32_avx512", Isa.Avx512, &FoldLoop.Pixel<V16>),
        new("fold_f32_avx2", Isa.Avx2, &FoldLoop.Pixel<V8>),
        new("fold_f32_vector128", Isa.None, &FoldLoop.Pixel<V4>),
        new("fold_f32_scalar", Isa.None, &FoldLoop.Pixel<V1>),
    ];

    /// <summary>The first row that the target can run.</summary>
    public static FoldKernel Select(Target target) => Rows.First(row => target.Has(row.Needs));
}

/// <summary>A fold, made ready. Immutable.</summary>
public sealed unsafe class FoldPlan
{
    private readonly FoldDescriptor shape;
    private readonly Split split;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public FoldPlan(FoldDescriptor descriptor, Target target, FoldKernel? row = null)
    {
        shape = descriptor;
        Kernel = row ?? FoldTable.Select(target);
        var (depth, height, width) = (descriptor.Depth, descriptor.Height, descriptor.Width);
        var lines = width.Output == 0 ? 0 : descriptor.Images * depth.Output * height.Output;
        split = new Split(lines, (2L * width.Output + (long)width.Input * width.Taps) * descriptor.Channels);
    }

    /// <summary>The chosen row.</summary>
    public FoldKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes => (long)shape.Depth.Taps * shape.Height.Taps * shape.Width.Taps * sizeof(float*);

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    /// <param name="x">The columns.</param>
    /// <param name="addends">One for each channel, or null.</param>
    /// <param name="y">The result.</param>
    /// <param name="firstTask">The first task.</param>
    /// <param name="endTask">The task after the last.</param>
    /// <param name="scratch">This worker's scratch memory.</param>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* x, float* addends, float* y, int firstTask, int endTask, byte* scratch)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        var met = (float**)scratch;
        FoldAxis depth = shape.Depth, height = shape.Height, width = shape.Width;
        int channels = shape.Channels / shape.Groups, pitchOfY = shape.YPitch == 0 ? shape.Channels : shape.YPitch;
        var pixelFloats = (long)depth.Taps * height.Taps * width.Taps * shape.Channels;
        for (var at = first; at < end; at++)
        {
            var (rest, row) = Math.DivRem(at, height.Output);
            var (image, slice) = Math.DivRem(rest, depth.Output);
            for (var column = 0; column < width.Output; column++)
            {
                var count = 0;
                for (var d = 0; d < depth.Taps; d++)
                {
                    if (Meets(depth, d, (int)slice) is not (>= 0 and var z)) continue;
                    for (var h = 0; h < height.Taps; h++)
                    {
                        if (Meets(height, h, (int)row) is not (>= 0 and var i)) continue;
                        for (var w = 0; w < width.Taps; w++)
                            if (Meets(width, w, column) is >= 0 and var j)
                                met[count++] = x + (((image * depth.Input + z) * height.Input + i) * width.Input + j) * pixelFloats + (((long)d * height.Taps + h) * width.Taps + w) * channels;
                    }
                }
                var to = y + (at * width.Output + column) * pitchOfY;
                for (var g = 0; g < shape.Groups; g++)
                {
                    Kernel.Pixel(met, count, addends == null ? null : addends + (long)g * channels, to + (long)g * channels, channels);
                    for (var m = 0; m < count; m++) met[m] += pixelFloats / shape.Groups;
                }
            }
        }
    }

    /// <summary>Rehearses a row: folds a few elements, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(FoldKernel row)
    {
        using var memory = new RehearsalMemory();
        const int n = RehearsalMemory.Row;
        var plan = new FoldPlan(new(1, n, new(1, 1), new(1, 1), new(2, 2)), HostTarget.Current, row);
        plan.Run(memory.Floats(2 * n), memory.Floats(n), memory.Floats(2 * n), 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
    }

    /// <summary>The input position that a tap carries to an output position, or -1.</summary>
    private static int Meets(in FoldAxis axis, int tap, int output)
    {
        var at = output + axis.Cut - tap * axis.Dilation;
        return at >= 0 && at % axis.Stride == 0 && at / axis.Stride < axis.Input ? at / axis.Stride : -1;
    }
}
