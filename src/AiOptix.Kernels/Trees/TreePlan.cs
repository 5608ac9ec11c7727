using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Trees;

/// <summary>
/// A forest over rows, made ready. Rows go in blocks: tree by tree over the block while a tree's places are near, the rest of a block row by row. Votes add up in float64 in the
/// order of the trees, so blocks do not show in the results. Immutable.
/// </summary>
public sealed unsafe class TreePlan
{
    private const int Abreast = 8;
    private const int MostRows = 64;
    private const int TreesAtOnce = 64;
    private const int MostScores = 8192;

    /// <summary>A comparison waits for the one before it: as long as some elements of a stretch take.</summary>
    private const int Wait = 4;

    private readonly TreeForest forest;
    private readonly TreeDescriptor shape;
    private readonly Split split;
    private readonly int block;
    private readonly bool isExtreme;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    /// <exception cref="ArgumentException">The row serves other forests.</exception>
    public TreePlan(TreeForest forest, TreeDescriptor descriptor, TreeKernel? row = null)
    {
        this.forest = forest;
        shape = descriptor;
        Kernel = row ?? TreeTable.Select(forest.Type, forest.Missing);
        if (Kernel.Type != forest.Type || Kernel.Missing != forest.Missing) throw new ArgumentException($"{Kernel.Name} does not serve {forest.Type}, {forest.Missing}", nameof(row));
        block = Math.Clamp(MostScores / descriptor.Targets, 1, MostRows);
        isExtreme = descriptor.Total is TreeTotal.Min or TreeTotal.Max;
        split = new Split(descriptor.Rows, Wait * forest.Cost + descriptor.Targets, Abreast);
    }

    /// <summary>The chosen row.</summary>
    public TreeKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes => (sizeof(double) + sizeof(bool)) * (long)block * shape.Targets + MostRows * sizeof(int);

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    /// <param name="x">The features, of the forest's type.</param>
    /// <param name="y">The results.</param>
    /// <param name="labels">The labels; null where there are no classes.</param>
    /// <param name="firstTask">The first task.</param>
    /// <param name="endTask">The task after the last.</param>
    /// <param name="scratch">Scratch memory.</param>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* x, byte* y, long* labels, int firstTask, int endTask, byte* scratch)
    {
        double nothing = 0;
        var scores = (double*)scratch;
        var leaves = (int*)(scores + (nint)block * shape.Targets);
        var voted = (bool*)(leaves + MostRows);
        var stride = shape.Features * (forest.Type == DType.Float32 ? sizeof(float) : sizeof(double));
        var end = split.Start(endTask);
        for (var row = split.Start(firstTask); row < end; row += block)
        {
            var rows = (int)Math.Min(block, end - row);
            NativeMemory.Clear(scores, (nuint)rows * (nuint)shape.Targets * sizeof(double));
            if (isExtreme) NativeMemory.Clear(voted, (nuint)rows * (nuint)shape.Targets);
            Vote(shape.Features == 0 ? (byte*)&nothing : x + row * stride, (nint)stride, rows, scores, voted, leaves);
            for (var r = 0; r < rows; r++)
            {
                var own = new Span<double>(scores + (nint)r * shape.Targets, shape.Targets);
                var label = Finish(own);
                if (labels != null) labels[row + r] = label;
                Store(own, y, (row + r) * shape.Targets);
            }
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void Vote(byte* x, nint stride, int rows, double* scores, bool* voted, int* leaves)
    {
        var targets = shape.Targets;
        var whole = rows - rows % Abreast;
        if (whole > 0)
            for (var t = 0; t < forest.Trees; t++)
            {
                Kernel.Rows(forest.Places, forest.Roots[t], x, (nint)shape.Features, whole, forest.Depths[t], leaves);
                for (var r = 0; r < whole; r++) Add(leaves + r, 1, scores + (nint)r * targets, voted + (nint)r * targets);
            }
        for (var r = whole; r < rows; r++)
            for (var t = 0; t < forest.Trees; t += TreesAtOnce)
            {
                var trees = Math.Min(TreesAtOnce, forest.Trees - t);
                Kernel.Trees(forest.Places, forest.Roots + t, trees, x + r * stride, forest.Depth, leaves);
                Add(leaves, trees, scores + (nint)r * targets, voted + (nint)r * targets);
            }
    }

    /// <summary>Adds the votes of some leaves to the scores of one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(int* leaves, int count, double* scores, bool* voted)
    {
        var votes = forest.Votes;
        if (isExtreme) Extreme(leaves, count, scores, voted);
        else if (forest.IsSingle)
            for (var i = 0; i < count; i++) *scores += votes[leaves[i]].Weight;
        else
        {
            var first = forest.FirstVote;
            for (var i = 0; i < count; i++)
            {
                var end = first[leaves[i] + 1];
                for (var v = first[leaves[i]]; v < end; v++) scores[votes[v].Target] += votes[v].Weight;
            }
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void Extreme(int* leaves, int count, double* scores, bool* voted)
    {
        for (var i = 0; i < count; i++)
            for (var v = forest.FirstVote[leaves[i]]; v < forest.FirstVote[leaves[i] + 1]; v++)
            {
                var (target, weight) = forest.Votes[v];
                scores[target] = !voted[target] ? weight : shape.Total == TreeTotal.Min ? Math.Min(scores[target], weight) : Math.Max(scores[target], weight);
                voted[target] = true;
            }
    }

    /// <summary>Makes the results of a row of its scores, and gives its label.</summary>
    [MethodImpl(HotCode.Optimized)]
    private long Finish(Span<double> scores)
    {
        if (shape.Total == TreeTotal.Average)
            foreach (ref var s in scores) s /= Math.Max(1, forest.Trees);
        if (shape.Classes is { OnlyTarget: >= 0 } classes) return FinishPair(scores, classes);
        for (var i = 0; i < shape.Base.Length; i++) scores[i] += shape.Base[i];
        var best = 0;
        for (var i = 1; i < scores.Length; i++)
            if (scores[i] > scores[best]) best = i;
        var isNone = scores.Length == 1 && !(scores[0] > 0);
        TreeTransforms.Apply(shape.Transform, scores);
        return shape.Classes is null ? 0 : isNone ? shape.Classes.None : shape.Classes.Labels[best];
    }

    [MethodImpl(HotCode.Optimized)]
    private long FinishPair(Span<double> scores, TreeClasses classes)
    {
        var s = scores[classes.OnlyTarget] + (shape.Base.Length > 0 ? shape.Base[^1] : 0);
        scores[0] = classes.IsProbability ? 1 - s : -s;
        scores[1] = s;
        if (!classes.IsProbability || shape.Transform == TreeTransform.Probit) TreeTransforms.Apply(shape.Transform, scores);
        return classes.Labels[s > (classes.IsProbability ? 0.5 : 0) ? 1 : 0];
    }

    [MethodImpl(HotCode.Optimized)]
    private void Store(Span<double> scores, byte* y, long at)
    {
        switch (shape.Result)
        {
            case DType.Float32:
                for (var i = 0; i < scores.Length; i++) ((float*)y)[at + i] = (float)scores[i];
                break;
            case DType.Float64:
                for (var i = 0; i < scores.Length; i++) ((double*)y)[at + i] = scores[i];
                break;
            default:
                for (var i = 0; i < scores.Length; i++) ((Half*)y)[at + i] = (Half)scores[i];
                break;
        }
    }

    /// <summary>Rehearses a row: walks a few trees over a few rows, in every way that a plan may, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(TreeKernel row)
    {
        using var memory = new RehearsalMemory();
        const int rows = 2 * Abreast + 1;
        TreeBranch[] branches =
        [
            new(TreeComparison.LessOrEqual, 0.5, 0, ~0, ~1, row.Missing != TreeMissing.Above), new(TreeComparison.LessOrEqual, 0.25, 0, ~1, 0, row.Missing == TreeMissing.NotAbove),
        ];
        var x = memory.Bytes(rows * sizeof(double));
        var y = memory.Bytes(rows * 2 * sizeof(double));
        var labels = (long*)memory.Bytes(rows * sizeof(long));
        var scratch = memory.Bytes(MostRows * 64);
        foreach (var classes in new[] { null, new TreeClasses([1, 2], 0, -1, false), new TreeClasses([1, 2], 0, 1, true) })
        {
            var forest = TreeForest.Pack(row.Type, [.. Enumerable.Repeat(1, Abreast + 1)], branches, [[new(classes is null ? 0 : 1, 1)], [new(0, 2)]])!;
            foreach (var total in Enum.GetValues<TreeTotal>())
                foreach (var transform in Enum.GetValues<TreeTransform>())
                {
                    var result = classes is null ? DType.Float64 : transform == TreeTransform.None ? DType.Float16 : DType.Float32;
                    var plan = new TreePlan(forest, new(rows, 1, classes is null ? 1 : 2, result, total, transform, [1], classes), row);
                    plan.Run(x, y, labels, 0, plan.Tasks, scratch);
                }
        }
    }
}
