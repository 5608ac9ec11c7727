using System.Runtime.CompilerServices;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Gemm;

/// <summary>
/// A float32 matrix product for one shape on one target: kernel, blocking and split into tasks. Immutable, and usable from many threads.
/// Results do not depend on the blocking, on how tasks are grouped, nor on which operands are packed beforehand.
/// </summary>
public sealed unsafe class GemmPlan
{
    private const int FewStrips = 4;

    private readonly Target target;
    private readonly GemmSplit split;
    private readonly GemmTasks tasks;
    private readonly bool isDirectB;
    private readonly bool packs;
    private readonly int strip;
    private readonly TilesInPlace? inPlace;
    private readonly GemvKernel? gemv;
    private readonly GemvKernel compactRow;

    /// <summary>Plans a product with a kernel, by default the best that the target has.</summary>
    public GemmPlan(in GemmShape shape, Target target, GemmKernel? kernel = null)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentOutOfRangeException.ThrowIfNegative(shape.M, "shape.M");
        ArgumentOutOfRangeException.ThrowIfNegative(shape.N, "shape.N");
        ArgumentOutOfRangeException.ThrowIfNegative(shape.K, "shape.K");
        ArgumentOutOfRangeException.ThrowIfNegative(shape.Batch, "shape.Batch");
        this.target = target;
        Shape = shape;
        Kernel = kernel ?? GemmTable.Select(target);
        if (shape.CompactB && !(shape.PackedB && Kernel.CanCompact(shape.K))) throw new ArgumentException($"{Kernel.Name} has no compact form of a B of {shape.K} rows", nameof(shape));
        split = GemmSplit.Of(shape, Kernel, target);
        tasks = new(shape, split);
        strip = StripOf(shape, Kernel, target);
        gemv = IsVector(shape, Kernel, columnsOfB: true) ? GemvTable.For(Kernel.VectorWidth) : null;
        if (shape.CompactB) compactRow = GemvTable.For(Kernel.VectorWidth);
        isDirectB = IsDirect(shape, Kernel, target);
        inPlace = gemv is null ? TilesInPlace.For(shape, split, Kernel, isDirectB, target) : null;
        if (Kernel.Generated is not { } tiles) return;
        packs = !shape.PackedA && !shape.PackedB && !isDirectB;
        foreach (var rows in (int[])[Math.Min(shape.M, split.RowsATask), shape.M % split.RowsATask])
        {
            if (shape.PackedA) tiles.Prepare(TileForm.Adjacent, rows, Kernel.Mr, shape.N);
            else tiles.PrepareEven(rows, strip, shape.N);
            if (packs && rows > 0) tiles.Prepare(TileForm.Packing, GemmKernel.RowsAStrip(rows, strip), Kernel.Mr, shape.N);
        }
    }

    /// <summary>The shape it was made for.</summary>
    public GemmShape Shape { get; }

    /// <summary>The micro-kernel.</summary>
    public GemmKernel Kernel { get; }

    /// <summary>What runs, by name: the micro-kernel, or what stands in for it where rows are few.</summary>
    public string Name => Shape.CompactB ? $"{(Shape.M <= GemvCompact.MostRows ? compactRow.Name : Kernel.Name)}_28bit" : gemv is { } row && Shape.PackedB ? row.Name : Kernel.Name;

    /// <summary>Bytes of one packed A.</summary>
    public long PackedABytes => PackedBytes(Shape.M, Shape.K, Kernel.Mr);

    /// <summary>Bytes of one packed B.</summary>
    public long PackedBBytes => Shape.CompactB ? CompactPanels.Bytes(Shape.N, Shape.K, Kernel.Nr) : PackedBytes(Shape.N, Shape.K, Kernel.Nr);

    /// <summary>Independent shares of the work, by shape only; 0 when C is empty.</summary>
    public int Tasks => tasks.Count;

    /// <summary>Bytes of scratch that each worker needs, at any alignment.</summary>
    public long ScratchBytes => sizeof(float) * ((long)split.Kc * (split.ColumnsATask + Kernel.Mr) + (long)Kernel.Mr * (Kernel.Nr + CacheSets.MostApart));

    /// <summary>Packs one constant A[M,K] at any strides. The form depends on M, K and the target only.</summary>
    public void PackA(float* a, nint rowStride, nint columnStride, float* packed) => Pack(a, rowStride, columnStride, Shape.M, Kernel.Mr, packed);

    /// <summary>Packs one constant B[K,N] at any strides. The form depends on K, N, the target and whether it is compact only.</summary>
    public void PackB(float* b, nint rowStride, nint columnStride, float* packed)
    {
        if (!Shape.CompactB)
        {
            Pack(b, columnStride, rowStride, Shape.N, Kernel.Nr, packed);
            return;
        }
        var width = Kernel.Nr;
        var memory = MemoryBlock.Allocate(PackedBytes(width, Shape.K + CompactPanels.Steps, width), zeroed: true);
        new CompactPanels((byte*)packed, Shape.N, Shape.K, width).Pack((column, panel) =>
        {
            var columns = Math.Min(width, Shape.N - column);
            var to = (float*)panel;
            PanelPack.Run(b + column * columnStride, columnStride, rowStride, columns, width, Shape.K, to);
            // Nobody reads the columns that fill up the last panel: they take an exponent that is there.
            for (nint k = 0; k < Shape.K && columns < width; k++) new Span<float>(to + k * width + columns, width - columns).Fill(to[k * width]);
        }, (float*)memory.Pointer);
        memory.LetGo();
    }

    /// <summary>
    /// Whether a B of adjacent columns is read in place. Generated tiles read any such B; panels gain where it falls out of the second-level cache between many strips of rows. Others read it where there
    /// is one strip.
    /// </summary>
    private static bool IsDirect(in GemmShape shape, GemmKernel kernel, Target target) =>
        IsFew(shape, kernel) || (kernel.Generated is not null && sizeof(float) * (long)shape.K * shape.N <= target.L2Bytes);

    // Columns a page apart fall into few sets of the second-level cache, from which the next strip could not read them.
    private static bool IsFew(in GemmShape shape, GemmKernel kernel) => shape.M <= kernel.Mr * (kernel.Generated is null || CacheSets.AreOne(shape.N) ? 1 : FewStrips);

    /// <summary>The most rows of a strip: those of a tile, or as many as the first-level cache can hold side by side where they are as far apart as they are long; not where each strip reads all of B.</summary>
    private static int StripOf(in GemmShape shape, GemmKernel kernel, Target target) =>
        kernel.Generated is null || shape.PackedA || (!shape.PackedB && IsFew(shape, kernel)) ? kernel.Mr : Math.Min(kernel.Mr, CacheSets.MostRows(shape.K, target));

    /// <summary>Whether a kernel for a single row stands in for the tiles: its B is in panels of two vectors or its columns are adjacent, and it is more than one generated tile.</summary>
    internal static bool IsVector(in GemmShape shape, GemmKernel kernel, bool columnsOfB) =>
        shape.M == 1 && (shape.PackedB ? kernel.Nr == 2 * kernel.VectorWidth : columnsOfB) && (kernel.Generated is null || shape.N > kernel.Nr);

    /// <summary>How much a product does with a kernel, its B packed as the shape says, or read with its columns adjacent or not.</summary>
    internal static KernelWork Work(in GemmShape shape, Target target, GemmKernel kernel, bool columnsOfB)
    {
        var split = GemmSplit.Of(shape, kernel, target);
        var strip = StripOf(shape, kernel, target);
        double rowTasks = (shape.M + split.RowsATask - 1) / split.RowsATask, columnTasks = (shape.N + split.ColumnsATask - 1) / split.ColumnsATask;
        double strips = rowTasks * ((Math.Min(shape.M, split.RowsATask) + strip - 1) / strip), panels = (shape.N + kernel.Nr - 1) / kernel.Nr, vectors = (shape.N + kernel.VectorWidth - 1) / kernel.VectorWidth;
        var rows = kernel.Generated is null ? Math.Ceiling(shape.M / 4.0) * 4 : shape.M;
        var b = (double)shape.K * shape.N;
        var isDirect = columnsOfB && IsDirect(shape, kernel, target);
        var isVector = IsVector(shape, kernel, columnsOfB);
        var copied = (shape.PackedB || isDirect || isVector ? 0 : b * rowTasks) + (kernel.Generated is null && !isVector ? (double)shape.M * shape.K * columnTasks : 0);
        var blocks = Math.Max(1, Math.Ceiling(shape.K / (double)split.Kc));
        // A single row over B as it lies takes the columns that do not fill a vector one step at a time.
        var steps = !isVector || shape.PackedB ? strips * panels : shape.N % kernel.VectorWidth == 0 ? 0 : 1;
        return new(shape.Batch * rowTasks * columnTasks, shape.Batch * strips * panels * blocks, shape.Batch * (isVector ? 1 : rows) * vectors * shape.K, shape.Batch * steps * shape.K,
            KernelWork.Passes(sizeof(float) * shape.Batch * (shape.PackedB ? panels * kernel.Nr * shape.K : b), rowTasks, target),
            KernelWork.Beyond(sizeof(float) * shape.Batch * (double)shape.M * (shape.K + (double)shape.N), target.L2Bytes), shape.Batch * copied,
            shape.Batch * shape.M * vectors * blocks);
    }

    /// <summary>Computes tasks <paramref name="firstTask"/> to <paramref name="endTask"/> − 1. Allocates and throws nothing.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(in GemmCall call, int firstTask, int endTask, byte* scratch)
    {
        if (inPlace is { } tiles && tiles.Suits(call)) tiles.Run(call, firstTask, endTask);
        else RunBlocks(call, firstTask, endTask, scratch);
    }

    [MethodImpl(HotCode.Optimized)]
    private void RunBlocks(in GemmCall call, int firstTask, int endTask, byte* scratch)
    {
        GemmBlock g = default;
        StridedSource b;
        CompactPanels compact = default;
        Describe(call, &g, &b, (float*)scratch);
        if (Shape.CompactB)
        {
            g.PackB = compactRow.Unpack;
            g.BSource = &compact;
        }
        for (var next = firstTask; next < endTask; next++)
        {
            var part = tasks.At(next, firstTask, endTask, call.Backwards);
            (g.Row0, g.Row1, g.Column0, g.Column1) = (part.Row0, part.Row1, part.Column0, part.Column1);
            var a = call.A + part.Outer * call.ABatchStride1 + part.Inner * call.ABatchStride2;
            b.First = call.B + part.Outer * call.BBatchStride1 + part.Inner * call.BBatchStride2;
            if (Shape.PackedA) g.APanels = a;
            else g.A = a;
            if (Shape.CompactB) compact = new((byte*)b.First, Shape.N, Shape.K, Kernel.Nr);
            var isCompact = Shape.CompactB && !compact.ArePlain;
            if (Shape.PackedB) g.BPanels = isCompact ? null : b.First;
            else if (call.BColumnStride == 1)
            {
                if (isDirectB) g.BDirect = b.First;
                else if (packs) g.BRows = b.First;
            }
            g.C = call.C + part.Outer * call.CBatchStride1 + part.Inner * call.CBatchStride2;
            if (call.Residual != null) g.Epilogue.Residual = call.Residual + part.Outer * call.ResidualBatchStride1 + part.Inner * call.ResidualBatchStride2;
            if (isCompact) RunCompact(&g);
            else if (gemv is { } row && !Shape.PackedA && Shape.PackedB) row.Panels(&g);
            else if (gemv is { } vector && g.BDirect != null && !Shape.PackedA) vector.Run(&g);
            else GemmBlock.Run(&g);
        }
    }

    /// <summary>A few rows over compact panels; for more, each panel is made plain in scratch once, while the rows of the one before it are still computed.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void RunCompact(GemmBlock* g)
    {
        if (Shape.M <= GemvCompact.MostRows && !Shape.PackedA)
        {
            compactRow.Compact(g);
            return;
        }
        var end = g->Column1;
        g->AheadAStep = Kernel.Nr / 2 * 7;
        g->ACopyStride = 0;
        for (; g->Column0 < end; g->Column0 = g->Column1)
        {
            g->Column1 = Math.Min(end, g->Column0 + Kernel.Nr);
            g->Ahead = (byte*)((CompactPanels*)g->BSource)->Panel(g->Column0 / Kernel.Nr).Groups;
            GemmBlock.Run(g);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Describe(in GemmCall call, GemmBlock* g, StridedSource* b, float* scratch)
    {
        b->RowStride = call.BRowStride;
        b->ColumnStride = call.BColumnStride;
        g->Tile = Kernel.Tile;
        if (Kernel.Generated is { } tiles) g->Generated = tiles.Set;
        (g->Mr, g->Nr, g->ColumnStep) = (strip, Kernel.Nr, Kernel.ColumnStep);
        (g->K, g->Kc) = (Shape.K, split.Kc);
        (g->ARowStride, g->AColumnStride) = (call.ARowStride, call.AColumnStride);
        g->ACopyStride = CacheSets.MustCopy(call.ARowStride, target) && split.ColumnsATask > 2 * Kernel.Nr ? CacheSets.Apart(split.Kc) : 0;
        g->PackB = &StridedSource.Pack;
        g->BSource = b;
        g->BDirectStride = call.BRowStride;
        g->Ldc = call.CRowStride;
        g->Backwards = call.Backwards;
        g->Epilogue.RowBias = call.RowBias;
        g->Epilogue.ColumnBias = call.ColumnBias;
        g->Epilogue.ResidualStride = call.ResidualRowStride;
        g->Epilogue.RowBiasStride = 1;
        g->Epilogue.Alpha = call.Alpha;
        g->Epilogue.Args = call.Args;
        if (call.Activation != Activation.None)
        {
            g->InTile = TileActivation.Of(call.Activation, g->Generated.Lanes);
            g->FinishLeft = g->InTile.IsLeft(call.Activation) ? Kernel.EpilogueFor(call.Activation) : null;
        }
        g->HasEpilogue = call.RowBias != null || call.ColumnBias != null || call.Residual != null || call.Activation != Activation.None || call.Alpha != 1f;
        if (g->HasEpilogue) g->Finish = Kernel.EpilogueFor(call.Activation);
        g->BScratch = scratch;
        g->AScratch = scratch + (nint)split.Kc * split.ColumnsATask;
        g->Spill = g->AScratch + (split.Kc + CacheSets.MostApart) * (nint)Kernel.Mr;
    }

    private void Pack(float* source, nint laneStride, nint stepStride, int lanes, int width, float* packed)
    {
        for (var lane = 0; lane < lanes; lane += width)
            PanelPack.Run(source + lane * laneStride, laneStride, stepStride, Math.Min(width, lanes - lane), width, Shape.K, packed + (nint)lane * Shape.K);
    }

    private static long PackedBytes(int lanes, int steps, int width) => ((long)lanes + width - 1) / width * width * steps * sizeof(float);

    /// <summary>Rehearses products of a shape: runs what they may run over a few elements, so that its code is compiled before a run needs it.</summary>
    /// <param name="shape">The shape; M, N or K is 0 where it is not known.</param>
    /// <param name="columnsOfA">True when the columns of A are adjacent, false when they are not.</param>
    /// <param name="columnsOfB">The same for B.</param>
    /// <param name="activation">What is applied last; null when the product is all.</param>
    /// <param name="target">The machine.</param>
    /// <param name="kernel">Forces a row of the table.</param>
    public static void Rehearse(GemmShape shape, bool columnsOfA, bool columnsOfB, Activation? activation, Target target, GemmKernel? kernel = null)
    {
        var k = shape.CompactB ? CompactPanels.FewestSteps + 1 : 9;
        var row = kernel ?? GemmTable.Select(target);
        GemmTable.RehearseTiles(row, shape.M, shape.N);
        // A single row of more than a tile runs on a kernel of its own.
        int[] widths = shape.N == 0 ? [row.Nr, 2 * row.Nr] : [shape.N <= row.Nr ? shape.N : 2 * row.Nr + shape.N % row.Nr];
        int[] heights = shape is { M: 0, CompactB: true } ? [1, 2, 4, GemvCompact.MostRows, GemvCompact.MostRows + 1] : shape.M == 0 ? [1, row.Mr, 2 * row.Mr] : [shape.M <= row.Mr ? shape.M : 2 * row.Mr];
        for (var i = 0; i < heights.Length * widths.Length; i++)
        {
            int m = heights[i / widths.Length], n = widths[i % widths.Length];
            using var memory = new RehearsalMemory();
            var plan = new GemmPlan(shape with { M = m, N = n, K = k, Batch1 = 1, Batch2 = 1 }, target, row);
            var call = new GemmCall
            {
                A = memory.Floats(Math.Max(plan.PackedABytes / sizeof(float), m * k)),
                B = memory.Floats(Math.Max(plan.PackedBBytes / sizeof(float), n * k)),
                C = memory.Floats(m * n),
                CRowStride = n,
                ColumnBias = activation is null ? null : memory.Floats(n),
                Activation = activation ?? Activation.None,
            };
            (call.ARowStride, call.AColumnStride) = columnsOfA ? (k, 1) : (1, m);
            (call.BRowStride, call.BColumnStride) = columnsOfB ? (n, 1) : (1, k);
            var scratch = memory.Bytes(plan.ScratchBytes);
            plan.Run(call, 0, plan.Tasks, scratch);
            // Longer sums run in blocks.
            plan.RunBlocks(call, 0, plan.Tasks, scratch);
        }
    }
}
