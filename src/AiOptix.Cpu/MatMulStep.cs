using AiOptix.Cpu.Lower;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu;

/// <summary>What a <see cref="MatMulStep"/> is made from.</summary>
internal sealed record MatMulParts(StridedOperand A, StridedOperand B, int Output)
{
    /// <summary>The row of the table, whose form a packed B has.</summary>
    public required GemmKernel Kernel { get; init; }

    /// <summary>B in packed form, when it is constant; K × N as packed, and whether the form is compact.</summary>
    public (MemoryBlock Block, int K, int N, bool IsCompact)? PackedB { get; init; }

    /// <summary>N constants to add to the columns.</summary>
    public Tensor? ConstantBias { get; init; }

    /// <summary>A slot whose N elements are added to the columns, or -1.</summary>
    public int ColumnBias { get; init; } = -1;

    /// <summary>A slot of the output's shape that is added, or -1.</summary>
    public int Residual { get; init; } = -1;

    /// <summary>The factor of the product.</summary>
    public float Alpha { get; init; } = 1f;

    public Activation Activation { get; init; }

    public ActivationArgs Args { get; init; }

    /// <summary>The slots that are read.</summary>
    public IReadOnlyList<int> Inputs => Array.FindAll([A.Slot, PackedB is null ? B.Slot : -1, ColumnBias, Residual], s => s >= 0);
}

/// <summary>A float32 matrix product with its epilogue: any ranks, broadcast batches, operands read through transposes.</summary>
internal sealed class MatMulStep(string name, MatMulParts parts, Target target) : KernelStep(name, parts.Inputs, [parts.Output])
{
    public override long OwnedBytes => parts.PackedB?.Block.Length ?? 0;

    public override long ReadBytes => parts.PackedB is { IsCompact: true } ? OwnedBytes / 8 * 7 : OwnedBytes;

    public override BoundStep Bind(BindContext context)
    {
        var (aDims, aStrides) = Matrix(parts.A.At(context), column: false);
        var (bDims, bStrides) = Matrix(parts.B.At(context), column: true);
        var (m, k, n) = (aDims[^2], aDims[^1], bDims[^1]);
        if (bDims[^2] != k) throw new InvalidInputException($"node '{Name}': a product of [{string.Join(",", aDims)}] and [{string.Join(",", bDims)}] needs equal inner extents");
        var axes = Batches(aDims, aStrides, bDims, bStrides, m * n);
        while (axes.Count > 0 && axes[^1] is { B: 0 } last && last.A == m * aStrides[^2])
        {
            m *= last.Extent;
            axes.RemoveAt(axes.Count - 1);
        }
        for (var i = axes.Count - 2; i >= 0; i--)
        {
            var (outer, inner) = (axes[i], axes[i + 1]);
            if (outer.A != inner.A * inner.Extent || outer.B != inner.B * inner.Extent) continue;
            axes[i] = inner with { Extent = outer.Extent * inner.Extent };
            axes.RemoveAt(i + 1);
        }
        var one = axes.Count > 1 ? axes[^2] : new(1, 0, 0, 0);
        var two = axes.Count > 0 ? axes[^1] : new(1, 0, 0, 0);
        var shape = new GemmShape(checked((int)m), checked((int)n), checked((int)k), checked((int)one.Extent), checked((int)two.Extent), PackedB: parts.PackedB is not null, CompactB: parts.PackedB is { IsCompact: true });
        var plan = new GemmPlan(shape, target, parts.Kernel);
        var call = new GemmCall
        {
            ARowStride = (nint)aStrides[^2],
            AColumnStride = (nint)aStrides[^1],
            ABatchStride1 = (nint)one.A,
            ABatchStride2 = (nint)two.A,
            BRowStride = (nint)bStrides[^2],
            BColumnStride = (nint)bStrides[^1],
            BBatchStride1 = (nint)one.B,
            BBatchStride2 = (nint)two.B,
            CRowStride = (nint)n,
            CBatchStride1 = (nint)one.C,
            CBatchStride2 = (nint)two.C,
            ResidualRowStride = (nint)n,
            ResidualBatchStride1 = (nint)one.C,
            ResidualBatchStride2 = (nint)two.C,
            Alpha = parts.Alpha,
            Activation = parts.Activation,
            Args = parts.Args,
        };
        var outers = Outers(axes);
        return new Bound(parts, plan, call, outers)
        {
            Kernel = plan.Name,
            Tasks = checked(plan.Tasks * outers.Length),
            ScratchBytes = plan.ScratchBytes,
        };
    }

    /// <summary>A vector becomes a matrix of one row or one column.</summary>
    private static (long[] Dims, long[] Strides) Matrix((long[] Dims, long[] Strides) operand, bool column) => operand.Dims.Length switch
    {
        1 when column => ([operand.Dims[0], 1], [operand.Strides[0], 1]),
        1 => ([1, operand.Dims[0]], [operand.Dims[0], operand.Strides[0]]),
        _ => operand,
    };

    /// <summary>The batch axes under broadcasting, outermost first, without those of extent 1.</summary>
    private List<BatchAxis> Batches(long[] aDims, long[] aStrides, long[] bDims, long[] bStrides, long matrix)
    {
        var rank = Math.Max(aDims.Length, bDims.Length) - 2;
        var axes = new List<BatchAxis>();
        for (var i = rank - 1; i >= 0; i--)
        {
            var (ai, bi) = (i - (rank - (aDims.Length - 2)), i - (rank - (bDims.Length - 2)));
            var (x, y) = (ai < 0 ? 1 : aDims[ai], bi < 0 ? 1 : bDims[bi]);
            if (x != y && x != 1 && y != 1) throw new InvalidInputException($"node '{Name}': batch extents {x} and {y} do not broadcast");
            var extent = x == 1 ? y : x;
            if (extent != 1) axes.Insert(0, new(extent, x == 1 ? 0 : aStrides[ai], y == 1 ? 0 : bStrides[bi], matrix));
            matrix *= extent;
        }
        return axes;
    }

    /// <summary>The offsets of every combination of indices of the axes before the last two.</summary>
    private static (long A, long B, long C)[] Outers(List<BatchAxis> axes)
    {
        long count = 1;
        for (var i = 0; i < axes.Count - 2; i++) count *= axes[i].Extent;
        var result = new (long A, long B, long C)[count];
        for (long at = 0; at < count; at++)
        {
            var rest = at;
            for (var i = axes.Count - 3; i >= 0; i--)
            {
                var (outer, index) = Math.DivRem(rest, axes[i].Extent);
                rest = outer;
                result[at] = (result[at].A + index * axes[i].A, result[at].B + index * axes[i].B, result[at].C + index * axes[i].C);
            }
        }
        return result;
    }

    private readonly record struct BatchAxis(long Extent, long A, long B, long C);

    private sealed unsafe class Bound(MatMulParts parts, GemmPlan plan, GemmCall template, (long A, long B, long C)[] outers) : BoundStep
    {
        private readonly GemmCall template = template;

        public override void Run(nint* slots, int firstTask, int endTask, byte* scratch)
        {
            var a = (float*)slots[parts.A.Slot];
            var b = parts.PackedB is { } packed ? (float*)packed.Block.Pointer : (float*)slots[parts.B.Slot];
            var c = (float*)slots[parts.Output];
            var residual = parts.Residual >= 0 ? (float*)slots[parts.Residual] : null;
            var call = template;
            call.ColumnBias = parts.ConstantBias is { } bias ? (float*)bias.Pointer : parts.ColumnBias >= 0 ? (float*)slots[parts.ColumnBias] : null;
            for (var task = firstTask; task < endTask;)
            {
                var outer = task / plan.Tasks;
                var begin = outer * plan.Tasks;
                var end = Math.Min(endTask, begin + plan.Tasks);
                call.A = a + outers[outer].A;
                call.B = b + outers[outer].B;
                call.C = c + outers[outer].C;
                call.Residual = residual == null ? null : residual + outers[outer].C;
                plan.Run(call, task - begin, end - begin, scratch);
                task = end;
            }
        }
    }
}
