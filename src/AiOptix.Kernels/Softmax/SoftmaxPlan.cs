using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Softmax;

/// <summary>The contract of Softmax and LogSoftmax over floats: a dense [outer, length, inner] tensor, normalised along length.</summary>
/// <param name="Logarithm">True for LogSoftmax.</param>
/// <param name="Outer">Product of the sizes before the axis.</param>
/// <param name="Length">Size of the axis.</param>
/// <param name="Inner">Product of the sizes after the axis.</param>
public sealed record SoftmaxDescriptor(bool Logarithm, long Outer, long Length, long Inner);

/// <summary>A row of the softmax table.</summary>
public readonly unsafe struct SoftmaxKernel
{
    internal SoftmaxKernel(string name, Isa needs, delegate*<float*, float*, long, long, bool, void> rows, delegate*<float*, float*, long, long, long, bool, void> columns)
    {
        Name = name;
        Needs = needs;
        Rows = rows;
        Columns = columns;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>The code for inner = 1: argument, result, rows, length, logarithm.</summary>
    public readonly delegate*<float*, float*, long, long, bool, void> Rows;
    /// <summary>The code for inner &gt; 1: argument, result, columns, length, stride, logarithm.</summary>
    public readonly delegate*<float*, float*, long, long, long, bool, void> Columns;
}

/// <summary>The table of softmax kernels, best first, the scalar reference last; all rows give the same bits.</summary>
public static unsafe class SoftmaxTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<SoftmaxKernel> Rows { get; } =
    [
        new("softmax_f32_avx512", Isa.Avx512, &SoftmaxLoop.Rows<V16, V16>, &SoftmaxLoop.Columns<V16>),
        new("softmax_f32_avx2", Isa.Avx2, &SoftmaxLoop.Rows<V8, Pair<V8>>, &SoftmaxLoop.Columns<V8>),
        new("softmax_f32_vector128", Isa.None, &SoftmaxLoop.Rows<V4, Pair<Pair<V4>>>, &SoftmaxLoop.Columns<V4>),
        new("softmax_f32_scalar", Isa.None, &SoftmaxLoop.Rows<V1, Pair<Pair<Pair<Pair<V1>>>>>, &SoftmaxLoop.Columns<V1>),
    ];

    /// <summary>The first row that the target can run.</summary>
    public static SoftmaxKernel Select(Target target) => Rows.First(row => target.Has(row.Needs));
}

/// <summary>Softmax or LogSoftmax, made ready. Immutable.</summary>
public sealed unsafe class SoftmaxPlan
{
    private const int ShortRow = 16;
    private const int RowsAtOnce = 64;

    private readonly SoftmaxDescriptor shape;
    private readonly Split split;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public SoftmaxPlan(SoftmaxDescriptor descriptor, Target target, SoftmaxKernel? row = null)
    {
        shape = descriptor;
        Kernel = row ?? SoftmaxTable.Select(target);
        split = new Split(descriptor.Length == 0 ? 0 : descriptor.Outer * descriptor.Inner, descriptor.Length * 4, descriptor.Inner == 1 ? 1 : 16);
    }

    /// <summary>The chosen row.</summary>
    public SoftmaxKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>; the result may be the argument for Softmax and LogSoftmax alike.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* x, float* y, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        if (first >= end) return;
        if (shape.Inner == 1 && shape.Length <= ShortRow)
        {
            ShortRows(x, y, first, end);
            return;
        }
        if (shape.Inner == 1)
        {
            Kernel.Rows(x + first * shape.Length, y + first * shape.Length, end - first, shape.Length, shape.Logarithm);
            return;
        }
        for (var o = first; o < end;)
        {
            var outer = o / shape.Inner;
            var at = o - outer * shape.Inner;
            var n = Math.Min(shape.Inner - at, end - o);
            var offset = outer * shape.Length * shape.Inner + at;
            Kernel.Columns(x + offset, y + offset, n, shape.Length, shape.Inner, shape.Logarithm);
            o += n;
        }
    }

    /// <summary>Rows too short for a vector: a block of them is turned, so that each lane is a softmax of its own, and turned back.</summary>
    [SkipLocalsInit]
    [MethodImpl(HotCode.Optimized)]
    private void ShortRows(float* x, float* y, long first, long end)
    {
        var turned = stackalloc float[ShortRow * RowsAtOnce];
        var length = (int)shape.Length;
        for (var row = first; row < end; row += RowsAtOnce)
        {
            var n = (int)Math.Min(RowsAtOnce, end - row);
            float* from = x + row * length, to = y + row * length;
            PanelPack.Transpose(from, length, n, RowsAtOnce, length, turned);
            Kernel.Columns(turned, turned, n, length, RowsAtOnce, shape.Logarithm);
            PanelPack.Transpose(turned, RowsAtOnce, length, length, n, to);
        }
    }

    /// <summary>Rehearses a row: runs it over a few elements along rows or across them, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(bool logarithm, bool rows, SoftmaxKernel row)
    {
        using var memory = new RehearsalMemory();
        const int length = RehearsalMemory.Row;
        if (rows)
        {
            var few = new SoftmaxPlan(new(logarithm, length, 4, 1), HostTarget.Current, row);
            few.Run(memory.Floats(4 * length), memory.Floats(4 * length), 0, few.Tasks);
        }
        var plan = rows ? new SoftmaxPlan(new(logarithm, 2, length, 1), HostTarget.Current, row) : new SoftmaxPlan(new(logarithm, 1, 2, length), HostTarget.Current, row);
        plan.Run(memory.Floats(2 * length), memory.Floats(2 * length), 0, plan.Tasks);
    }
}
