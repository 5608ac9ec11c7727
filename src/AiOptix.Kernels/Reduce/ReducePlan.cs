using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Reduce;

/// <summary>A reduction over any set of axes, made ready. Immutable. One output is one task at least: a reduction to a single value is not split.</summary>
public sealed unsafe class ReducePlan
{
    private readonly ReduceLine line;
    private readonly ReduceKind kind;
    private readonly bool columns;
    private readonly long lineLength;
    private readonly long[] keptDims;
    private readonly long[] keptStrides;
    private readonly float count;
    private readonly Split split;

    /// <summary>Plans the reduction; <paramref name="row"/> forces a row of the table.</summary>
    /// <exception cref="UnsupportedModelException">More separate reduced axes than are served.</exception>
    public ReducePlan(ReduceDescriptor descriptor, Target target, ReduceKernel? row = null)
    {
        kind = descriptor.Kind;
        Kernel = row ?? ReduceTable.Select(kind, target);
        var groups = Groups(descriptor);
        var kept = groups.FindAll(g => !g.Reduced);
        var reduced = groups.FindAll(g => g.Reduced);
        columns = kept.Count > 0 && kept[^1].Stride == 1;
        var last = kept.Count > 0 ? kept[^1] : (Dim: 1, Stride: 0, Reduced: false);
        lineLength = last.Dim;
        line.OutputStride = last.Stride;
        (line.Length, line.Stride, line.Runs) = (1, 1, 1);
        if (reduced.Count > 0) (line.Length, line.Stride) = (reduced[^1].Dim, reduced[^1].Stride);
        line.RunAxes = Math.Max(reduced.Count - 1, 0);
        if (line.RunAxes > ReduceLine.MostRunAxes) throw new UnsupportedModelException($"a reduction over {reduced.Count} separate axes; at most {ReduceLine.MostRunAxes + 1} are served");
        for (var k = 0; k < line.RunAxes; k++)
        {
            line.RunDim[k] = reduced[k].Dim;
            line.RunStride[k] = reduced[k].Stride;
            line.Runs *= reduced[k].Dim;
        }
        keptDims = new long[Math.Max(0, kept.Count - 1)];
        keptStrides = new long[keptDims.Length];
        for (var k = 0; k < keptDims.Length; k++) (keptDims[k], keptStrides[k]) = (kept[k].Dim, kept[k].Stride);
        Outputs = 1;
        for (var k = 0; k < kept.Count; k++) Outputs *= kept[k].Dim;
        count = line.Length * line.Runs;
        split = new Split(Outputs, Math.Max(line.Length * line.Runs, 1), columns ? 32 : 1);
    }

    /// <summary>The chosen row.</summary>
    public ReduceKernel Kernel { get; }

    /// <summary>Values computed.</summary>
    public long Outputs { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* x, float* y, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        var walk = line;
        for (var o = first; o < end;)
        {
            var place = o / lineLength;
            var at = o - place * lineLength;
            var n = Math.Min(lineLength - at, end - o);
            var offset = at * line.OutputStride;
            for (var k = keptDims.Length - 1; k >= 0; k--)
            {
                offset += place % keptDims[k] * keptStrides[k];
                place /= keptDims[k];
            }
            if (columns) Kernel.Columns(x + offset, y + o, n, &walk);
            else Kernel.Rows(x + offset, y + o, n, &walk);
            o += n;
        }
        for (var o = first; o < end; o++) y[o] = Leave(y[o]);
    }

    /// <summary>Rehearses a row: reduces a few elements along rows, along columns and across both, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(ReduceKind kind, Target target)
    {
        using var memory = new RehearsalMemory();
        const int rows = 5, columns = RehearsalMemory.Row;
        var (x, y) = ((nint)memory.Floats(rows * rows * columns), (nint)memory.Floats(rows * columns));
        foreach (var reduced in new bool[][] { [false, false, true], [false, true, false], [true, false, true] })
        {
            var plan = new ReducePlan(new(kind, [rows, rows, columns], reduced), target);
            plan.Run((float*)x, (float*)y, 0, plan.Tasks);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float Leave(float value) => kind switch
    {
        ReduceKind.Mean => value / count,
        ReduceKind.L2 => MathF.Sqrt(value),
        ReduceKind.LogSum => VecMath.Log(new V1(value)).Value,
        _ => value,
    };

    private static List<(long Dim, long Stride, bool Reduced)> Groups(ReduceDescriptor d)
    {
        var groups = new List<(long Dim, long Stride, bool Reduced)>();
        long stride = 1;
        for (var k = d.Dims.Length - 1; k >= 0; k--)
        {
            var dim = d.Dims[k];
            if (dim != 1)
            {
                if (groups.Count > 0 && groups[0].Reduced == d.Reduced[k]) groups[0] = groups[0] with { Dim = groups[0].Dim * dim };
                else groups.Insert(0, (dim, stride, d.Reduced[k]));
            }
            stride *= dim;
        }
        return groups;
    }
}
