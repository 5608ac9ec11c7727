using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.WeightOnly;

/// <summary>
/// A product with weights of 4 or 8 bits, made ready. A task is some panels of columns. Few rows go one by one over the packed weights, which stay in registers as numbers; for more, a panel is made
/// float32 in scratch once and multiplied as any other. Immutable.
/// </summary>
public sealed unsafe class WeightOnlyPlan
{
    private const int FewRows = 8;

    private readonly WeightOnlyShape shape;
    private readonly GemmPlan? whole, last;
    private readonly Split split;

    /// <summary>Plans it with a row of the table, by default the best that the target has.</summary>
    public WeightOnlyPlan(WeightOnlyShape shape, Target target, WeightOnlyKernel? row = null)
    {
        this.shape = shape;
        Kernel = row ?? WeightOnlyTable.Select(shape, target);
        var panels = (shape.N + Kernel.Width - 1) / Kernel.Width;
        split = new(shape.M == 0 ? 0 : panels, (long)Math.Max(1, shape.K) * Kernel.Width * Math.Max(1, shape.M) / 2);
        if (shape.M < FewRows) return;
        // A panel that is not as wide as the product's own is packed by it.
        var gemm = GemmTable.Select(target);
        GemmPlan Of(int columns) => new(new GemmShape(shape.M, columns, shape.K, PackedB: gemm.Nr == Kernel.Width), target, gemm);
        if (shape.N >= Kernel.Width) whole = Of(Kernel.Width);
        if (shape.N % Kernel.Width is > 0 and var left) last = Of(left);
    }

    /// <summary>The chosen row.</summary>
    public WeightOnlyKernel Kernel { get; }

    /// <summary>Bytes of the packed weights.</summary>
    public long PackedBytes => ((long)shape.N + Kernel.Width - 1) / Kernel.Width * PanelBytes;

    /// <summary>Bytes of scratch that each worker needs.</summary>
    public long ScratchBytes => whole is null && last is null ? sizeof(float) * (long)Kernel.Width : sizeof(float) * (long)shape.K * Kernel.Width + Math.Max(whole?.ScratchBytes ?? 0, last?.ScratchBytes ?? 0);

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    private long PanelBytes
    {
        get
        {
            var header = (shape.HasZeros ? 2L : 1L) * shape.Blocks * Kernel.Width * sizeof(float);
            if (shape.Bits == 8) return header + (long)shape.K * Kernel.Width;
            long groups = (long)(shape.K / shape.Block) * ((shape.Block + 7) / 8) + (shape.K % shape.Block + 7) / 8;
            return header + groups * Kernel.Width * sizeof(int);
        }
    }

    /// <summary>Packs weights, scales and zero points. The form depends on N, K, bits and blocks, and on the row.</summary>
    public void Pack(in WeightOnlyWeights w, byte* packed)
    {
        for (var first = 0; first < shape.N; first += Kernel.Width, packed += PanelBytes)
        {
            var columns = Math.Min(Kernel.Width, shape.N - first);
            var to = packed;
            for (var block = 0; block < shape.Blocks; block++)
            {
                to = Header(w.Scales, w, block, first, columns, to);
                if (shape.HasZeros) to = Header(w.Zeros, w, block, first, columns, to);
                int begin = block * shape.Block, end = Math.Min(shape.K, begin + shape.Block);
                var q = w.Q + (nint)first * w.ColumnStride;
                if (shape.Bits == 8)
                    for (nint k = begin; k < end; k++, to += Kernel.Width)
                        for (var c = 0; c < Kernel.Width; c++) to[c] = c < columns ? (byte)q[k * w.TermStride + c * w.ColumnStride] : (byte)0;
                else
                    for (nint k = begin; k < end; k += 8, to += Kernel.Width * sizeof(int))
                        for (var c = 0; c < Kernel.Width; c++)
                        {
                            uint bits = 0;
                            for (var j = 0; j < 8 && c < columns && k + j < end; j++) bits |= (uint)(q[(k + j) * w.TermStride + c * w.ColumnStride] + 8) << (4 * j);
                            ((uint*)to)[c] = bits;
                        }
            }
        }
    }

    /// <summary>Computes tasks <paramref name="firstTask"/> to <paramref name="endTask"/> − 1 over dense rows. Allocates and throws nothing.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* a, byte* packed, float* c, int firstTask, int endTask, byte* scratch)
    {
        var width = Kernel.Width;
        for (var panel = split.Start(firstTask); panel < split.Start(endTask); panel++)
        {
            var weights = packed + panel * PanelBytes;
            var (first, columns) = ((nint)panel * width, (int)Math.Min(width, shape.N - panel * width));
            if (shape.M < FewRows)
            {
                for (nint row = 0; row < shape.M; row++)
                {
                    var to = c + row * shape.N + first;
                    Kernel.Multiply(a + row * shape.K, weights, shape.K, shape.Block, columns == width ? to : (float*)scratch);
                    for (var i = 0; columns < width && i < columns; i++) to[i] = ((float*)scratch)[i];
                }
                continue;
            }
            Kernel.Dequantize(weights, shape.K, shape.Block, (float*)scratch);
            var plan = columns == width ? whole! : last!;
            var call = new GemmCall { A = a, ARowStride = shape.K, B = (float*)scratch, BRowStride = width, C = c + first, CRowStride = shape.N };
            plan.Run(call, 0, plan.Tasks, scratch + sizeof(float) * (nint)shape.K * width);
        }
    }

    /// <summary>Makes the code ready that products of a form run.</summary>
    public static void Rehearse(WeightOnlyShape shape, Target target)
    {
        foreach (var rows in new[] { 1, FewRows })
        {
            using var memory = new RehearsalMemory();
            var small = new WeightOnlyPlan(shape with { M = rows, N = 2 * WeightOnlyTable.Select(shape, target).Width - 1, K = 9, Block = 9 }, target);
            var (a, packed, c) = ((nint)memory.Floats(rows * 9), (nint)memory.Bytes(small.PackedBytes), (nint)memory.Floats(rows * 2L * small.Kernel.Width));
            small.Run((float*)a, (byte*)packed, (float*)c, 0, small.Tasks, memory.Bytes(small.ScratchBytes));
        }
        GemmPlan.Rehearse(new GemmShape(0, WeightOnlyTable.Select(shape, target).Width, 0, PackedB: true), columnsOfA: true, columnsOfB: true, null, target);
        if (shape.N % WeightOnlyTable.Select(shape, target).Width is > 0 and var left) GemmPlan.Rehearse(new GemmShape(0, left, 0, PackedB: true), columnsOfA: true, columnsOfB: true, null, target);
    }

    private byte* Header(float* from, in WeightOnlyWeights w, int block, int first, int columns, byte* to)
    {
        for (var c = 0; c < Kernel.Width; c++) ((float*)to)[c] = c < columns ? from[block * w.BlockStride + (first + c) * w.ScaleStride] : 0;
        return to + Kernel.Width * sizeof(float);
    }
}
