using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Attention;

/// <summary>
/// Attention for one shape on one target. Immutable, and usable from many threads. A task is a block of queries of one head: its scores stay in
/// the worker's scratch, from the first product through softmax to the second.
/// </summary>
public sealed unsafe class AttentionPlan
{
    private const double OperationsATask = 1e6;
    private const int EnoughTasks = 16;

    private readonly int block;
    private readonly int blocks;
    private readonly int keyBlock;
    private readonly int pitch;
    private readonly int scoreKc;
    private readonly int valueKc;
    private readonly nint panelFloats;

    /// <summary>Plans attention with a kernel, by default the best that the target has.</summary>
    public AttentionPlan(in AttentionShape shape, Target target, AttentionKernel? kernel = null)
    {
        ArgumentNullException.ThrowIfNull(target);
        Shape = shape;
        Kernel = kernel ?? AttentionTable.Select(target);
        int mr = Kernel.Gemm.Mr, nr = Kernel.Gemm.Nr;
        var work = 2.0 * shape.Batch * shape.Heads * shape.Queries * shape.Keys * ((double)shape.Width + shape.ValueWidth) / OperationsATask;
        var wantedBlocks = Math.Ceiling(Math.Clamp(work, 1, EnoughTasks) / Math.Max(1.0, (double)shape.Batch * shape.Heads));
        pitch = (shape.Keys + 31) & ~15;
        var fitting = Math.Max(1, target.L2Bytes / 2 / sizeof(float) / pitch);
        var rows = (int)Math.Min(fitting, Math.Ceiling(shape.Queries / wantedBlocks));
        block = Math.Max(mr, (rows + mr - 1) / mr * mr);
        blocks = (shape.Queries + block - 1) / block;
        scoreKc = GemmSplit.Of(new(block, shape.Keys, shape.Width), mr, nr, target.L1Bytes, target.L2Bytes).Kc;
        valueKc = GemmSplit.Of(new(block, shape.ValueWidth, shape.Keys), mr, nr, target.L1Bytes, target.L2Bytes).Kc;
        keyBlock = Math.Max(1, target.L2Bytes / 4 / sizeof(float) / scoreKc / nr) * nr;
        keyBlock = Math.Min(keyBlock, (shape.Keys + nr - 1) / nr * nr);
        var valueColumns = (nint)(shape.ValueWidth + nr - 1) / nr * nr;
        panelFloats = Math.Max((nint)scoreKc * keyBlock, valueKc * valueColumns);
    }

    /// <summary>The shape it was made for.</summary>
    public AttentionShape Shape { get; }

    /// <summary>The table row.</summary>
    public AttentionKernel Kernel { get; }

    /// <summary>Independent shares of the work, by shape only; 0 when the result is empty.</summary>
    public int Tasks => Shape.ValueWidth == 0 ? 0 : checked(Shape.Batch * Shape.Heads * blocks);

    /// <summary>Bytes of scratch that each worker needs, at any alignment.</summary>
    public long ScratchBytes => sizeof(float) * ((long)block * pitch + block + panelFloats + (long)Kernel.Gemm.Mr * (Math.Max(scoreKc, valueKc) + Kernel.Gemm.Nr));

    /// <summary>Computes tasks <paramref name="firstTask"/> to <paramref name="endTask"/> − 1. Allocates and throws nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(in AttentionCall call, int firstTask, int endTask, byte* scratch)
    {
        var scores = (float*)scratch;
        var sums = scores + (nint)block * pitch;
        GemmBlock g = default;
        StridedSource source = default;
        g.Tile = Kernel.Gemm.Tile;
        (g.Mr, g.Nr, g.ColumnStep) = (Kernel.Gemm.Mr, Kernel.Gemm.Nr, Kernel.Gemm.ColumnStep);
        g.PackB = &StridedSource.Pack;
        g.BSource = &source;
        g.BScratch = sums + block;
        g.AScratch = g.BScratch + panelFloats;
        g.Spill = g.AScratch + (nint)g.Mr * Math.Max(scoreKc, valueKc);
        for (var task = firstTask; task < endTask; task++)
        {
            var unit = task / blocks;
            var query = (task - unit * blocks) * block;
            var batch = unit / Shape.Heads;
            var head = unit - batch * Shape.Heads;
            var keyHead = head / (Shape.Heads / Shape.KeyHeads);
            var rows = Math.Min(block, Shape.Queries - query);
            var keys = call.Causal ? (int)Math.Clamp((long)query + rows + call.CausalOffset, 0, Shape.Keys) : Shape.Keys;

            g.Row1 = rows;
            source = new() { First = call.K + call.KStrides.Of(batch, keyHead), RowStride = call.KStrides.Element, ColumnStride = call.KStrides.Position };
            g.A = call.Q + call.QStrides.Of(batch, head) + query * call.QStrides.Position;
            (g.ARowStride, g.AColumnStride) = (call.QStrides.Position, call.QStrides.Element);
            (g.K, g.Kc) = (Shape.Width, scoreKc);
            g.C = scores;
            g.Ldc = pitch;
            for (var key = 0; key < keys; key += keyBlock)
            {
                g.Column0 = key;
                g.Column1 = Math.Min(keys, key + keyBlock);
                GemmBlock.Run(&g);
            }

            Softmax(call, scores, sums, batch, head, query, rows, keys);

            source = new() { First = call.V + call.VStrides.Of(batch, keyHead), RowStride = call.VStrides.Position, ColumnStride = call.VStrides.Element };
            g.A = scores;
            (g.ARowStride, g.AColumnStride) = (pitch, 1);
            (g.K, g.Kc) = (keys, valueKc);
            g.C = call.Y + call.YStrides.Of(batch, head) + query * call.YStrides.Position;
            g.Ldc = call.YStrides.Position;
            (g.Column0, g.Column1) = (0, Shape.ValueWidth);
            GemmBlock.Run(&g);
            for (var i = 0; i < rows; i++) Kernel.Scale(g.C + i * g.Ldc, Shape.ValueWidth, 1f / sums[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Softmax(in AttentionCall call, float* scores, float* sums, int batch, int head, int query, int rows, int keys)
    {
        SoftmaxRow row;
        for (var i = 0; i < rows; i++)
        {
            row.Scores = scores + (nint)i * pitch;
            row.Mask = call.Mask == null ? null : call.Mask + call.MaskStrides.Of(batch, head) + (query + i) * call.MaskStrides.Position;
            row.MaskStride = call.MaskStrides.Element;
            row.Keys = keys;
            row.Visible = call.Causal ? (int)Math.Clamp((long)query + i + 1 + call.CausalOffset, 0, keys) : keys;
            row.Factor = call.Scale;
            row.Sum = 0;
            Kernel.Softmax(&row);
            sums[i] = row.Sum;
        }
    }

    /// <summary>Rehearses a row: attends to a few keys with and without a mask, so that its code is compiled before a run needs it.</summary>
    /// <param name="row">The row.</param>
    /// <param name="shape">The shape; Queries, Keys, Width or ValueWidth is 0 where it is not known.</param>
    public static void Rehearse(AttentionKernel row, AttentionShape shape)
    {
        GemmTable.RehearseTiles(row.Gemm, shape.Queries, shape.Keys);
        GemmTable.RehearseTiles(row.Gemm, shape.Queries, shape.ValueWidth);
        foreach (var queries in shape.Queries is 0 or 1 ? new[] { 1, row.Gemm.Mr } : [row.Gemm.Mr])
        {
            using var memory = new RehearsalMemory();
            var n = row.Gemm.Nr + 1;
            var plan = new AttentionPlan(new(1, 1, 1, queries, n, n, n), HostTarget.Current, row);
            var call = new AttentionCall { Q = memory.Floats(queries * n), K = memory.Floats(n * n), V = memory.Floats(n * n), Y = memory.Floats(queries * n) };
            call.QStrides = call.KStrides = call.VStrides = call.YStrides = call.MaskStrides = new(0, 0, n);
            var scratch = memory.Bytes(plan.ScratchBytes);
            plan.Run(call, 0, plan.Tasks, scratch);
            call.Mask = memory.Floats(queries * n);
            plan.Run(call, 0, plan.Tasks, scratch);
            call.MaskStrides = new(0, 0, 0, 0);
            plan.Run(call, 0, plan.Tasks, scratch);
        }
    }
}
