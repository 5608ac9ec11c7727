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
/// The contract of a fold over floats, the second half of a transposed convolution: X [planes, taps…, inputs…] to Y [planes, outputs…], where each output is an addend of its plane and the sum of
/// all that meet it, in the order of the taps.
/// </summary>
/// <param name="Planes">Batch times channels.</param>
/// <param name="Channels">Channels: plane p has addend p modulo Channels.</param>
/// <param name="Depth">The outer axis; of one position below three axes.</param>
/// <param name="Height">The middle axis.</param>
/// <param name="Width">The inner axis.</param>
public sealed record FoldDescriptor(long Planes, int Channels, FoldAxis Depth, FoldAxis Height, FoldAxis Width);

/// <summary>A row of the fold table.</summary>
public readonly unsafe struct FoldKernel
{
    internal FoldKernel(string name, Isa needs, delegate*<FoldLine*, void> line)
    {
        Name = name;
        Needs = needs;
        Line = line;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>Adds one input line, times all taps of the width, to an output line in parts.</summary>
    internal readonly delegate*<FoldLine*, void> Line;
}

/// <summary>The table of fold kernels, best first, the scalar reference last; all rows give the same bits.</summary>
public static unsafe class FoldTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<FoldKernel> Rows { get; } =
    [
        new("fold_f32_avx512", Isa.Avx512, &FoldLoop.Line<V16>),
        new("fold_f32_avx2", Isa.Avx2, &FoldLoop.Line<V8>),
        new("fold_f32_vector128", Isa.None, &FoldLoop.Line<V4>),
        new("fold_f32_scalar", Isa.None, &FoldLoop.Line<V1>),
    ];

    /// <summary>The first row that the target can run.</summary>
    public static FoldKernel Select(Target target) => Rows.First(row => target.Has(row.Needs));
}

/// <summary>A fold, made ready. Immutable.</summary>
public sealed unsafe class FoldPlan
{
    private readonly FoldDescriptor shape;
    private readonly Split split;
    private readonly int pitch;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public FoldPlan(FoldDescriptor descriptor, Target target, FoldKernel? row = null)
    {
        shape = descriptor;
        Kernel = row ?? FoldTable.Select(target);
        var (depth, height, width) = (descriptor.Depth, descriptor.Height, descriptor.Width);
        pitch = (width.Output + width.Stride - 1) / width.Stride;
        var lines = width.Output == 0 ? 0 : descriptor.Planes * depth.Output * height.Output;
        split = new Split(lines, 2L * width.Output + (long)width.Input * width.Taps);
    }

    /// <summary>The chosen row.</summary>
    public FoldKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes => (long)pitch * shape.Width.Stride * sizeof(float);

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    /// <param name="x">The columns.</param>
    /// <param name="addends">One for each channel, or null.</param>
    /// <param name="y">The result.</param>
    /// <param name="firstTask">The first task.</param>
    /// <param name="endTask">The task after the last.</param>
    /// <param name="scratch">This worker's scratch memory.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(float* x, float* addends, float* y, int firstTask, int endTask, byte* scratch)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        FoldAxis depth = shape.Depth, height = shape.Height, width = shape.Width;
        long inputs = (long)depth.Input * height.Input * width.Input;
        var line = new FoldLine { Parts = (float*)scratch, Pitch = pitch, Input = width.Input, TapFloats = inputs, Width = width };
        for (var at = first; at < end; at++)
        {
            var (rest, row) = Math.DivRem(at, height.Output);
            var (plane, slice) = Math.DivRem(rest, depth.Output);
            FoldLoop.Fill(line.Parts, (long)pitch * width.Stride, addends == null ? 0 : addends[plane % shape.Channels]);
            for (var d = 0; d < depth.Taps; d++)
            {
                if (Meets(depth, d, (int)slice) is not (>= 0 and var z)) continue;
                for (var h = 0; h < height.Taps; h++)
                {
                    if (Meets(height, h, (int)row) is not (>= 0 and var i)) continue;
                    var taps = (plane * depth.Taps + d) * height.Taps + h;
                    line.X = x + (taps * width.Taps * depth.Input + z) * height.Input * width.Input + (long)i * width.Input;
                    Kernel.Line(&line);
                }
            }
            FoldLoop.Join(line.Parts, pitch, width.Stride, y + at * width.Output, width.Output);
        }
    }

    /// <summary>Rehearses a row: folds a few elements, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(FoldKernel row)
    {
        using var memory = new RehearsalMemory();
        const int n = RehearsalMemory.Row;
        foreach (var stride in new[] { 1, 2, 3 })
        {
            var plan = new FoldPlan(new(1, 1, new(1, 1), new(1, 1), new(n, n, 2, stride)), HostTarget.Current, row);
            plan.Run(memory.Floats(2 * n), memory.Floats(1), memory.Floats(n), 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
        }
    }

    /// <summary>The input position that a tap carries to an output position, or -1.</summary>
    private static int Meets(in FoldAxis axis, int tap, int output)
    {
        var at = output + axis.Cut - tap * axis.Dilation;
        return at >= 0 && at % axis.Stride == 0 && at / axis.Stride < axis.Input ? at / axis.Stride : -1;
    }
}
