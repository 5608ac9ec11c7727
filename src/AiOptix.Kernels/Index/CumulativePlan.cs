using System.Numerics;
using System.Runtime.CompilerServices;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Index;

/// <summary>The contract of CumSum and CumProd over dense data [outer, n, inner].</summary>
/// <param name="Type">The element type.</param>
/// <param name="Outer">Product of the extents before the axis.</param>
/// <param name="N">Extent of the axis.</param>
/// <param name="Inner">Product of the extents behind it.</param>
/// <param name="IsProduct">Products, not sums.</param>
/// <param name="Exclusive">An element itself does not count.</param>
/// <param name="Reverse">From the end.</param>
public sealed record CumulativeDescriptor(DType Type, long Outer, long N, long Inner, bool IsProduct, bool Exclusive, bool Reverse);

/// <summary>CumSum or CumProd, made ready. Immutable. Floating-point sums run in float64 and are rounded once an element.</summary>
public sealed unsafe class CumulativePlan
{
    private readonly CumulativeDescriptor d;
    private readonly Split split;
    private readonly delegate*<CumulativePlan, byte*, byte*, long, long, void> run;

    private CumulativePlan(CumulativeDescriptor descriptor, delegate*<CumulativePlan, byte*, byte*, long, long, void> run)
    {
        d = descriptor;
        this.run = run;
        split = new Split(d.N == 0 ? 0 : d.Outer * d.Inner, d.N);
    }

    /// <summary>The specification.</summary>
    public string KernelName => $"{(d.IsProduct ? "cumprod" : "cumsum")}_{d.Type.Name()}_scalar";

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Plans the operation; null for an element type that has no code.</summary>
    public static CumulativePlan? Create(CumulativeDescriptor d)
    {
        var code = d.Type switch
        {
            DType.Float32 => d.IsProduct ? &Lines<float, double, MulOp<double>> : &Lines<float, double, AddOp<double>>,
            DType.Float64 => d.IsProduct ? &Lines<double, double, MulOp<double>> : &Lines<double, double, AddOp<double>>,
            DType.Float16 => d.IsProduct ? &Lines<Half, double, MulOp<double>> : &Lines<Half, double, AddOp<double>>,
            DType.Int32 => d.IsProduct ? &Lines<int, int, MulOp<int>> : &Lines<int, int, AddOp<int>>,
            DType.Int64 => d.IsProduct ? &Lines<long, long, MulOp<long>> : &Lines<long, long, AddOp<long>>,
            _ => (delegate*<CumulativePlan, byte*, byte*, long, long, void>)null,
        };
        return code == null ? null : new(d, code);
    }

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    public void Run(byte* x, byte* y, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        if (first < end) run(this, x, y, first, end);
    }

    /// <summary>Makes the code ready that a plan runs.</summary>
    public static void Rehearse(DType type, bool isProduct)
    {
        using var memory = new RehearsalMemory();
        Create(new(type, 2, 3, 2, isProduct, false, false))?.Run(memory.Bytes(96), memory.Bytes(96), 0, 1);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Lines<T, TSum, TOp>(CumulativePlan plan, byte* from, byte* to, long first, long end) where T : unmanaged, INumber<T> where TSum : unmanaged, INumber<TSum> where TOp : struct, IBinaryOp<TSum, TSum>
    {
        var d = plan.d;
        for (var line = first; line < end; line++)
        {
            var (outer, inner) = Math.DivRem(line, d.Inner);
            var at = outer * d.N * d.Inner + inner + (d.Reverse ? (d.N - 1) * d.Inner : 0);
            var step = d.Reverse ? -d.Inner : d.Inner;
            var sofar = d.IsProduct ? TSum.One : TSum.Zero;
            for (long i = 0; i < d.N; i++, at += step)
            {
                var next = TOp.Apply(sofar, TSum.CreateTruncating(((T*)from)[at]));
                ((T*)to)[at] = T.CreateTruncating(d.Exclusive ? sofar : next);
                sofar = next;
            }
        }
    }
}
