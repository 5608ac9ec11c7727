using System.Numerics;
using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Index;

/// <summary>The contract of TopK over dense data [outer, n, inner] to values and int64 positions [outer, k, inner], ordered; of equal elements the one with the lower position comes first, NaN counts as the largest.</summary>
/// <param name="Type">The element type.</param>
/// <param name="Outer">Product of the extents before the axis.</param>
/// <param name="N">Extent of the axis.</param>
/// <param name="Inner">Product of the extents behind it.</param>
/// <param name="K">How many, 0 to N.</param>
/// <param name="Largest">The largest, not the smallest.</param>
public sealed record TopKDescriptor(DType Type, long Outer, long N, long Inner, long K, bool Largest);

/// <summary>TopK, made ready. Immutable. A heap of the k best so far, its worst on top; then sorted.</summary>
public sealed unsafe class TopKPlan
{
    private readonly TopKDescriptor d;
    private readonly Split split;
    private readonly delegate*<TopKPlan, byte*, byte*, long*, long, long, byte*, void> run;

    private TopKPlan(TopKDescriptor descriptor, delegate*<TopKPlan, byte*, byte*, long*, long, long, byte*, void> run)
    {
        d = descriptor;
        this.run = run;
        split = new Split(d.K == 0 ? 0 : d.Outer * d.Inner, d.N * 2);
    }

    /// <summary>The specification.</summary>
    public string KernelName => $"topk_{d.Type.Name()}_scalar";

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: the positions of the k best.</summary>
    public long ScratchBytes => sizeof(long) * d.K;

    /// <summary>Plans the operation; null for an element type that has no code.</summary>
    public static TopKPlan? Create(TopKDescriptor d)
    {
        var code = d.Type switch
        {
            DType.Float32 => d.Largest ? &Lines<float, Falling<float>> : &Lines<float, Rising<float>>,
            DType.Float64 => d.Largest ? &Lines<double, Falling<double>> : &Lines<double, Rising<double>>,
            DType.Float16 => d.Largest ? &Lines<Half, Falling<Half>> : &Lines<Half, Rising<Half>>,
            DType.Int64 => d.Largest ? &Lines<long, Falling<long>> : &Lines<long, Rising<long>>,
            DType.Int32 => d.Largest ? &Lines<int, Falling<int>> : &Lines<int, Rising<int>>,
            DType.UInt8 => d.Largest ? &Lines<byte, Falling<byte>> : &Lines<byte, Rising<byte>>,
            DType.Int8 => d.Largest ? &Lines<sbyte, Falling<sbyte>> : &Lines<sbyte, Rising<sbyte>>,
            _ => (delegate*<TopKPlan, byte*, byte*, long*, long, long, byte*, void>)null,
        };
        return code == null ? null : new(d, code);
    }

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    public void Run(byte* x, byte* values, long* positions, int firstTask, int endTask, byte* scratch)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        if (first < end) run(this, x, values, positions, first, end, scratch);
    }

    /// <summary>Makes the code ready that a plan runs.</summary>
    public static void Rehearse(DType type, bool largest)
    {
        using var memory = new RehearsalMemory();
        Create(new(type, 2, 5, 1, 3, largest))?.Run(memory.Bytes(80), memory.Bytes(48), (long*)memory.Bytes(48), 0, 1, memory.Bytes(24));
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Lines<T, TOrder>(TopKPlan plan, byte* from, byte* to, long* positions, long first, long end, byte* scratch) where T : unmanaged where TOrder : struct, IOrder<T>
    {
        var d = plan.d;
        var heap = (long*)scratch;
        for (var line = first; line < end; line++)
        {
            var (outer, inner) = Math.DivRem(line, d.Inner);
            var x = (T*)from + outer * d.N * d.Inner + inner;
            for (long i = 0; i < d.K; i++) heap[i] = i;
            for (var i = d.K / 2 - 1; i >= 0; i--) Sink<T, TOrder>(x, d.Inner, heap, i, d.K);
            for (var i = d.K; i < d.N; i++)
            {
                // A later element of the same value is never better.
                if (!TOrder.IsBefore(x[i * d.Inner], x[heap[0] * d.Inner])) continue;
                heap[0] = i;
                Sink<T, TOrder>(x, d.Inner, heap, 0, d.K);
            }
            for (var left = d.K - 1; left > 0; left--)
            {
                (heap[0], heap[left]) = (heap[left], heap[0]);
                Sink<T, TOrder>(x, d.Inner, heap, 0, left);
            }
            var at = outer * d.K * d.Inner + inner;
            for (long i = 0; i < d.K; i++)
            {
                ((T*)to)[at + i * d.Inner] = x[heap[i] * d.Inner];
                positions[at + i * d.Inner] = heap[i];
            }
        }
    }

    // The worst comes to the top: the element that stands last in the order, of equal ones the later.
    [MethodImpl(HotCode.Optimized)]
    private static void Sink<T, TOrder>(T* x, long stride, long* heap, long at, long count) where T : unmanaged where TOrder : struct, IOrder<T>
    {
        var moved = heap[at];
        while (2 * at + 1 < count)
        {
            var child = 2 * at + 1;
            if (child + 1 < count && IsWorse(heap[child + 1], heap[child])) child++;
            if (!IsWorse(heap[child], moved)) break;
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = moved;

        bool IsWorse(long a, long b)
        {
            T p = x[a * stride], q = x[b * stride];
            return TOrder.IsBefore(q, p) || (!TOrder.IsBefore(p, q) && a > b);
        }
    }

    private interface IOrder<T>
    {
        /// <summary>True when the first argument stands before the second.</summary>
        static abstract bool IsBefore(T a, T b);
    }

    private readonly struct Falling<T> : IOrder<T> where T : INumber<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static bool IsBefore(T a, T b) => a > b || (T.IsNaN(a) && !T.IsNaN(b));
    }

    private readonly struct Rising<T> : IOrder<T> where T : INumber<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static bool IsBefore(T a, T b) => a < b || (T.IsNaN(b) && !T.IsNaN(a));
    }
}
