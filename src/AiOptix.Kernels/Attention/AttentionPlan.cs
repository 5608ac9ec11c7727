using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Attention;

/// <summary>
/// Attention for one shape on one target. Immutable, and usable from many threads. A task is a block of queries of one head. It walks over the keys in blocks, whose panels
/// stay in the second-level cache, and over the queries in strips: the scores of a strip stay in the first-level cache from the first product through softmax to the
/// second, and results of earlier blocks are scaled to the largest score so far (online softmax). Blocks follow from the shape alone. A single query has products of its
/// own that read keys and values in place.
/// </summary>
public sealed unsafe class AttentionPlan
{
    private const double OperationsATask = 1e6;
    private const int EnoughTasks = 16;
    private const int FewestKeys = 96;
    private const int StripRows = 14;
    private const int KeyGrain = 32;
    private const int MostRows = 384;
    private const int RowGrain = 24;

    private readonly int block;
    private readonly int blocks;
    private readonly int keyBlock;
    private readonly int pitch;
    private readonly int scoreKc;
    private readonly int valueKc;
    private readonly nint keyFloats;
    private readonly nint valueFloats;
    private readonly nint mixedFloats;

    /// <summary>Plans attention with a kernel, by default the best that the target has.</summary>
    public AttentionPlan(in AttentionShape shape, Target target, AttentionKernel? kernel = null)
    {
        ArgumentNullException.ThrowIfNull(target);
        Shape = shape;
        Kernel = kernel ?? AttentionTable.Select(target);
        var nr = Kernel.Gemm.Nr;
        var work = 2.0 * shape.Batch * shape.Heads * shape.Queries * shape.Keys * ((double)shape.Width + shape.ValueWidth) / OperationsATask;
        var wanted = Math.Ceiling(Math.Clamp(work, 1, EnoughTasks) / Math.Max(1.0, (double)shape.Batch * shape.Heads));
        var rows = (int)Math.Ceiling(shape.Queries / Math.Max(wanted, Math.Ceiling((double)shape.Queries / MostRows)));
        block = Math.Clamp((rows + RowGrain - 1) / RowGrain * RowGrain, 1, Math.Max(1, shape.Queries));
        blocks = (shape.Queries + block - 1) / block;
        var mostKeys = MostKeys(target);
        var keyBlocks = Math.Max(1, (shape.Keys + mostKeys - 1) / mostKeys);
        keyBlock = Math.Max(FewestKeys, ((shape.Keys + keyBlocks - 1) / keyBlocks + KeyGrain - 1) / KeyGrain * KeyGrain);
        var keys = Math.Min(keyBlock, shape.Keys);
        pitch = (keys + 31) & ~15;
        mixedFloats = keyBlocks == 1 ? 0 : (nint)Kernel.Gemm.Mr * shape.ValueWidth;
        scoreKc = GemmSplit.Of(new(block, keys, shape.Width), Kernel.Gemm, target).Kc;
        valueKc = GemmSplit.Of(new(block, shape.ValueWidth, keys), Kernel.Gemm, target).Kc;
        keyFloats = shape.Width * Whole(keys, nr);
        valueFloats = keys * Whole(shape.ValueWidth, nr);

        if (Kernel.Gemm.Generated is { } tiles)
            foreach (var count in (int[])[block, shape.Queries % block]) Prepare(tiles, count);

        static nint Whole(int columns, int nr) => ((nint)columns + nr - 1) / nr * nr;
    }

    /// <summary>The shape it was made for.</summary>
    public AttentionShape Shape { get; }

    /// <summary>The table row.</summary>
    public AttentionKernel Kernel { get; }

    /// <summary>Independent shares of the work, by shape only; 0 when the result is empty.</summary>
    public int Tasks => Shape.ValueWidth == 0 ? 0 : checked(Shape.Batch * Shape.Heads * blocks);

    /// <summary>Bytes of scratch that each worker needs, at any alignment.</summary>
    public long ScratchBytes =>
        sizeof(float) * ((long)Kernel.Gemm.Mr * pitch + 4L * block + mixedFloats + keyFloats + valueFloats + (long)Kernel.Gemm.Mr * (Math.Max(scoreKc, valueKc) + Kernel.Gemm.Nr));

    // The scores of the highest strip take half of the first-level cache. By the cache alone: blocks decide how sums are rounded, and all rows give the same bits.
    private static int MostKeys(Target target) => Math.Max(FewestKeys, target.L1Bytes / 2 / (StripRows * sizeof(float)) / KeyGrain * KeyGrain);

    // How many keys a block of queries sees may follow from data, so tiles of every width are made ready.
    private void Prepare(GeneratedTiles tiles, int count)
    {
        var height = GemmKernel.RowsAStrip(count, Kernel.Gemm.Mr);
        foreach (var form in (TileForm[])[TileForm.Strided, TileForm.Adjacent])
            foreach (var columns in (int[])[1, tiles.Set.Lanes, tiles.Set.Lanes + 1, tiles.Set.Width])
                tiles.Prepare(form, count, height, columns);
    }

    /// <summary>Computes tasks <paramref name="firstTask"/> to <paramref name="endTask"/> − 1. Allocates and throws nothing.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(in AttentionCall call, int firstTask, int endTask, byte* scratch)
    {
        Rows r;
        r.Scores = (float*)scratch;
        var sums = r.Scores + (nint)Kernel.Gemm.Mr * pitch;
        var maxima = sums + block;
        r.Added = maxima + block;
        r.Kept = r.Added + block;
        var mixed = r.Kept + block;
        GemmBlock g = default;
        g.Tile = Kernel.Gemm.Tile;
        if (Kernel.Gemm.Generated is { } tiles) g.Generated = tiles.Set;
        (g.Mr, g.Nr, g.ColumnStep) = (Kernel.Gemm.Mr, Kernel.Gemm.Nr, Kernel.Gemm.ColumnStep);
        var keyPanels = mixed + mixedFloats;
        var valuePanels = keyPanels + keyFloats;
        g.AScratch = valuePanels + valueFloats;
        g.Spill = g.AScratch + (nint)g.Mr * Math.Max(scoreKc, valueKc);
        var single = Shape.Queries == 1 && call is { QStrides.Element: 1, KStrides.Element: 1, VStrides.Element: 1 };
        for (var task = firstTask; task < endTask; task++)
        {
            var unit = task / blocks;
            var query = (task - unit * blocks) * block;
            var count = Math.Min(block, Shape.Queries - query);
            var strip = GemmKernel.RowsAStrip(count, g.Mr);
            r.Batch = unit / Shape.Heads;
            r.Head = unit - r.Batch * Shape.Heads;
            var keyHead = r.Head / (Shape.Heads / Shape.KeyHeads);
            var q = call.Q + call.QStrides.Of(r.Batch, r.Head) + query * call.QStrides.Position;
            var k = call.K + call.KStrides.Of(r.Batch, keyHead);
            var v = call.V + call.VStrides.Of(r.Batch, keyHead);
            var y = call.Y + call.YStrides.Of(r.Batch, r.Head) + query * call.YStrides.Position;
            new Span<float>(sums, count).Clear();
            new Span<float>(maxima, count).Fill(float.NegativeInfinity);
            var first = Visible(call, r.Batch, query).First;
            var end = Visible(call, r.Batch, query + count - 1).End;
            var begin = first / keyBlock * keyBlock;
            for (var key = begin; key < end; key += keyBlock)
            {
                (r.Key, r.Keys) = (key, Math.Min(keyBlock, end - key));
                float* keys = k + key * call.KStrides.Position, values = v + key * call.VStrides.Position;
                if (!single)
                {
                    var source = new StridedSource { First = keys, RowStride = call.KStrides.Element, ColumnStride = call.KStrides.Position };
                    StridedSource.Pack(&source, 0, Shape.Width, 0, r.Keys, keyPanels, g.Nr);
                    source = new() { First = values, RowStride = call.VStrides.Position, ColumnStride = call.VStrides.Element };
                    StridedSource.Pack(&source, 0, r.Keys, 0, Shape.ValueWidth, valuePanels, g.Nr);
                }
                for (var row = 0; row < count; row += strip)
                {
                    (r.Query, r.Count) = (query + row, Math.Min(strip, count - row));
                    r.Sums = sums + row;
                    r.Maxima = maxima + row;
                    var result = y + row * call.YStrides.Position;
                    var to = key == begin ? result : mixed;
                    var step = key == begin ? call.YStrides.Position : Shape.ValueWidth;
                    if (single) Kernel.Dots(q, keys, call.KStrides.Position, Shape.Width, r.Keys, r.Scores);
                    else
                    {
                        g.A = q + row * call.QStrides.Position;
                        (g.ARowStride, g.AColumnStride) = (call.QStrides.Position, call.QStrides.Element);
                        (g.Row1, g.Column1, g.K, g.Kc) = (r.Count, r.Keys, Shape.Width, scoreKc);
                        g.BPanels = keyPanels;
                        g.C = r.Scores;
                        g.Ldc = pitch;
                        GemmBlock.Run(&g);
                    }
                    Softmax(call, &r);
                    if (single) Kernel.Mix(r.Scores, values, call.VStrides.Position, Shape.ValueWidth, r.Keys, to);
                    else
                    {
                        g.A = r.Scores;
                        (g.ARowStride, g.AColumnStride) = (pitch, 1);
                        (g.Row1, g.Column1, g.K, g.Kc) = (r.Count, Shape.ValueWidth, r.Keys, valueKc);
                        g.BPanels = valuePanels;
                        g.C = to;
                        g.Ldc = step;
                        GemmBlock.Run(&g);
                    }
                    Join(&r, key == begin, result, call.YStrides.Position, mixed);
                }
            }
            for (var i = 0; i < count; i++)
            {
                if (sums[i] == 0) new Span<float>(y + i * call.YStrides.Position, Shape.ValueWidth).Clear();
                else Kernel.Scale(y + i * call.YStrides.Position, Shape.ValueWidth, 1f / sums[i]);
            }
        }
    }

    /// <summary>The keys that a query may see by its place, apart from a mask's contents.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (int First, int End) Visible(in AttentionCall call, int batch, int query)
    {
        var keys = (long)Math.Min(Shape.Keys, call.MaskKeys);
        long position = query + (long)call.Position;
        if (call.Valid != null)
        {
            var valid = Math.Clamp(call.Valid[batch], 0, Shape.Keys);
            keys = Math.Min(keys, valid);
            position = query + call.Valid[batch] - Shape.Queries;
        }
        var first = call.Before == int.MaxValue ? 0 : Math.Clamp(position - call.Before, 0, keys);
        var end = call.After == int.MaxValue ? keys : Math.Clamp(position + call.After + 1, 0, keys);
        return ((int)first, (int)end);
    }

    /// <summary>Scores of a block of keys to weights.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void Softmax(in AttentionCall call, Rows* r)
    {
        SoftmaxRow row;
        row.Keys = r->Keys;
        row.Factor = call.Scale;
        row.Softcap = call.Softcap;
        row.Sum = 0;
        var mask = call.MaskStrides.Of(r->Batch, r->Head) + r->Query * call.MaskStrides.Position + r->Key;
        var isWindow = call.Before != int.MaxValue || call.After != int.MaxValue;
        var (first, end) = Visible(call, r->Batch, r->Query);
        var done = 0;
        if (!isWindow && call.Mask == null && call.Allowed == null && call.Softcap == 0 && call.Scale > 0 && first <= r->Key && end >= r->Key + r->Keys)
        {
            row.Scores = r->Scores;
            done = Kernel.SoftmaxAll(&row, r->Count, pitch, r->Maxima, r->Kept, r->Added);
        }
        for (var i = done; i < r->Count; i++)
        {
            if (isWindow) (first, end) = Visible(call, r->Batch, r->Query + i);
            row.Scores = r->Scores + (nint)i * pitch;
            row.Mask = call.Mask == null ? null : call.Mask + mask + i * call.MaskStrides.Position;
            row.Allowed = call.Allowed == null ? null : call.Allowed + mask + i * call.MaskStrides.Position;
            row.First = Math.Clamp(first - r->Key, 0, r->Keys);
            row.End = Math.Clamp(end - r->Key, 0, r->Keys);
            row.Max = r->Maxima[i];
            Kernel.Softmax(&row);
            r->Added[i] = row.Sum;
            r->Kept[i] = row.Kept;
            r->Maxima[i] = row.Max;
        }
    }

    /// <summary>Adds a block's weighted values to those of the blocks before; the task's first block needs no adding. Rows that see none of its keys stay as they are.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void Join(Rows* r, bool isFirst, float* y, nint step, float* mixed)
    {
        for (var i = 0; i < r->Count; i++, y += step, mixed += Shape.ValueWidth)
        {
            if (r->Added[i] == 0) continue;
            if (!isFirst && r->Sums[i] == 0) Unsafe.CopyBlockUnaligned(y, mixed, (uint)Shape.ValueWidth * sizeof(float));
            else if (!isFirst) Kernel.Join(y, mixed, Shape.ValueWidth, r->Kept[i]);
            r->Sums[i] = r->Sums[i] == 0 ? r->Added[i] : MathF.FusedMultiplyAdd(r->Sums[i], r->Kept[i], r->Added[i]);
        }
    }

    /// <summary>The rows of a task and where they stand.</summary>
    private struct Rows
    {
        public int Batch, Head, Query, Count, Key, Keys;
        public float* Scores, Sums, Maxima, Added, Kept;
    }

    /// <summary>Rehearses a row: attends to a few keys in every way there is, so that its code is compiled before a run needs it.</summary>
    /// <param name="row">The row.</param>
    /// <param name="shape">The shape; Queries, Keys, Width or ValueWidth is 0 where it is not known.</param>
    public static void Rehearse(AttentionKernel row, AttentionShape shape)
    {
        var keys = MostKeys(HostTarget.Current) + 5;
        GemmTable.RehearseTiles(row.Gemm, shape.Queries, shape.Keys > MostKeys(HostTarget.Current) ? 0 : shape.Keys);
        GemmTable.RehearseTiles(row.Gemm, shape.Queries, shape.ValueWidth);
        foreach (var queries in shape.Queries is 0 or 1 ? new[] { 1, row.Gemm.Mr } : [row.Gemm.Mr])
        {
            using var memory = new RehearsalMemory();
            var width = Math.Max(row.Gemm.Nr, 64) + 1;
            var plan = new AttentionPlan(new(1, 1, 1, queries, keys, width, width), HostTarget.Current, row);
            var call = new AttentionCall { Q = memory.Floats(queries * width), K = memory.Floats(keys * width), V = memory.Floats(keys * width), Y = memory.Floats(queries * width) };
            call.QStrides = call.KStrides = call.VStrides = call.YStrides = new(0, 0, width);
            call.MaskStrides = new(0, 0, keys);
            var scratch = memory.Bytes(plan.ScratchBytes);
            plan.Run(call, 0, plan.Tasks, scratch);
            call.Mask = memory.Floats(queries * keys);
            plan.Run(call, 0, plan.Tasks, scratch);
            call.Softcap = 1;
            plan.Run(call, 0, plan.Tasks, scratch);
            call.Mask = null;
            call.Allowed = memory.Bytes(queries * keys);
            plan.Run(call, 0, plan.Tasks, scratch);
            if (queries == 1) continue;
            call.KStrides = new(0, 0, 1, keys);
            plan.Run(call, 0, plan.Tasks, scratch);
        }
    }
}
