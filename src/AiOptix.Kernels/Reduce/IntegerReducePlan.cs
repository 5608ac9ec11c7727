using System.Numerics;
using System.Runtime.CompilerServices;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Reduce;

/// <summary>A sum, product, maximum or minimum of integers over any set of axes, made ready. Immutable. Sums and products wrap around.</summary>
public sealed unsafe class IntegerReducePlan
{
    private readonly long[] kept, keptStrides, reduced, reducedStrides;
    private readonly long start;
    private readonly Split split;
    private readonly delegate*<IntegerReducePlan, byte*, byte*, long, long, void> run;

    private IntegerReducePlan(ReduceKind kind, DType type, long[] dims, bool[] isReduced, delegate*<IntegerReducePlan, byte*, byte*, long, long, void> run)
    {
        var strides = new Shape(dims).Strides();
        (kept, keptStrides) = ([.. dims.Where((_, i) => !isReduced[i])], [.. strides.Where((_, i) => !isReduced[i])]);
        (reduced, reducedStrides) = ([.. dims.Where((_, i) => isReduced[i])], [.. strides.Where((_, i) => isReduced[i])]);
        this.run = run;
        // What a reduction of nothing is; it changes no other.
        start = kind switch
        {
            ReduceKind.Prod => 1,
            ReduceKind.Max => type == DType.Int64 ? long.MinValue : int.MinValue,
            ReduceKind.Min => type == DType.Int64 ? long.MaxValue : int.MaxValue,
            _ => 0,
        };
        KernelName = $"reduce_{kind.ToString().ToLowerInvariant()}_{type.Name()}_scalar";
        split = new Split(new Shape(kept).Count, Math.Max(1, new Shape(reduced).Count));
    }

    /// <summary>The specification.</summary>
    public string KernelName { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Plans the reduction; null for a type or kind that has no code, and for a maximum or minimum of nothing.</summary>
    public static IntegerReducePlan? Create(ReduceKind kind, DType type, long[] dims, bool[] isReduced)
    {
        var code = type switch
        {
            DType.Int64 => Code<long>(kind),
            DType.Int32 => Code<int>(kind),
            _ => null,
        };
        return code == null ? null : new(kind, type, dims, isReduced, code);
    }

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    public void Run(byte* x, byte* y, int firstTask, int endTask) => run(this, x, y, split.Start(firstTask), split.Start(endTask));

    /// <summary>Makes the code ready that a plan runs.</summary>
    public static void Rehearse(ReduceKind kind, DType type)
    {
        using var memory = new RehearsalMemory();
        Create(kind, type, [2, 3], [false, true])?.Run(memory.Bytes(48), memory.Bytes(16), 0, 1);
    }

    private static delegate*<IntegerReducePlan, byte*, byte*, long, long, void> Code<T>(ReduceKind kind) where T : unmanaged, IBinaryInteger<T> => kind switch
    {
        ReduceKind.Sum => &Loop<T, AddOp<T>>,
        ReduceKind.Prod => &Loop<T, MulOp<T>>,
        ReduceKind.Max => &Loop<T, MaxOp<T>>,
        ReduceKind.Min => &Loop<T, MinOp<T>>,
        _ => null,
    };

    [MethodImpl(HotCode.Optimized)]
    private static void Loop<T, TOp>(IntegerReducePlan plan, byte* x, byte* y, long first, long end) where T : unmanaged, IBinaryInteger<T> where TOp : struct, IBinaryOp<T, T>
    {
        var (dims, strides) = (plan.reduced, plan.reducedStrides);
        var at = stackalloc long[Math.Max(1, dims.Length)];
        var count = new Shape(dims).Count;
        for (var n = first; n < end; n++)
        {
            long start = 0, left = n;
            for (var a = plan.kept.Length - 1; a >= 0; a--)
            {
                (left, var place) = Math.DivRem(left, plan.kept[a]);
                start += place * plan.keptStrides[a];
            }
            new Span<long>(at, dims.Length).Clear();
            var result = T.CreateTruncating(plan.start);
            var from = (T*)x + start;
            for (long i = 0; i < count; i++)
            {
                result = TOp.Apply(result, *from);
                for (var a = dims.Length - 1; a >= 0; a--)
                {
                    from += strides[a];
                    if (++at[a] < dims[a]) break;
                    from -= dims[a] * strides[a];
                    at[a] = 0;
                }
            }
            ((T*)y)[n] = result;
        }
    }
}
