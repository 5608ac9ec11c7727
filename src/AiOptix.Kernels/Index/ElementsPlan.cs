using System.Numerics;
using System.Runtime.CompilerServices;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Index;

/// <summary>What an update does to the element in its place.</summary>
public enum ScatterKind
{
    /// <summary>It replaces it.</summary>
    Replace,
    /// <summary>The sum.</summary>
    Add,
    /// <summary>The product.</summary>
    Mul,
    /// <summary>The larger; NaN when either is.</summary>
    Max,
    /// <summary>The smaller; NaN when either is.</summary>
    Min,
}

/// <summary>
/// The contract of GatherElements and ScatterElements: dense tensors of one rank, at least 1; an index takes the place of the coordinate along one axis, negative ones count from its end.
/// </summary>
/// <param name="Type">The element type; only its size counts where elements are moved as they are.</param>
/// <param name="IndexType">Int32 or Int64.</param>
/// <param name="Data">Extents of the data.</param>
/// <param name="Indices">Extents of the indices; beside the axis no longer than the data's.</param>
/// <param name="Axis">The axis.</param>
public sealed record ElementsDescriptor(DType Type, DType IndexType, long[] Data, long[] Indices, int Axis);

/// <summary>GatherElements and ScatterElements, made ready. Immutable. False from a run when an index was out of range: its element is left alone.</summary>
public sealed unsafe class ElementsPlan
{
    private readonly ElementsDescriptor d;
    private readonly long[] strides;
    private readonly Split split;
    private readonly delegate*<ElementsPlan, byte*, byte*, byte*, long, long, bool> run;

    private ElementsPlan(ElementsDescriptor descriptor, Split split, string name, delegate*<ElementsPlan, byte*, byte*, byte*, long, long, bool> run)
    {
        (d, this.split, KernelName) = (descriptor, split, name);
        this.run = run;
        strides = new Shape(descriptor.Data).Strides();
    }

    /// <summary>The specification.</summary>
    public string KernelName { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes. Scattering is one.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Plans GatherElements; null for an element type that has no code.</summary>
    public static ElementsPlan? Gather(ElementsDescriptor d)
    {
        var code = (d.Type.Bits() / 8, d.IndexType == DType.Int64) switch
        {
            (1, true) => &Rows<Take<byte>, byte, long>,
            (2, true) => &Rows<Take<ushort>, ushort, long>,
            (4, true) => &Rows<Take<uint>, uint, long>,
            (8, true) => &Rows<Take<ulong>, ulong, long>,
            (1, false) => &Rows<Take<byte>, byte, int>,
            (2, false) => &Rows<Take<ushort>, ushort, int>,
            (4, false) => &Rows<Take<uint>, uint, int>,
            (8, false) => &Rows<Take<ulong>, ulong, int>,
            _ => (delegate*<ElementsPlan, byte*, byte*, byte*, long, long, bool>)null,
        };
        return code == null ? null : new(d, new Split(RowsOf(d.Indices), Math.Max(1, d.Indices[^1])), $"gather_elements_{Suffix(d)}", code);
    }

    /// <summary>Plans the updates of ScatterElements on a copy of the data; null for an element type that has no code.</summary>
    public static ElementsPlan? Scatter(ElementsDescriptor d, ScatterKind kind)
    {
        var code = kind == ScatterKind.Replace ? Replacing(d) : d.Type switch
        {
            DType.Float32 => Reducing<float>(d, kind),
            DType.Float64 => Reducing<double>(d, kind),
            DType.Int32 => Reducing<int>(d, kind),
            DType.Int64 => Reducing<long>(d, kind),
            DType.UInt8 => Reducing<byte>(d, kind),
            DType.Int8 => Reducing<sbyte>(d, kind),
            _ => null,
        };
        return code == null ? null : new(d, Whole(RowsOf(d.Indices)), $"scatter_elements_{kind.ToString().ToLowerInvariant()}_{Suffix(d)}", code);
    }

    /// <summary>Gathers from the data, or scatters from the updates (in the place of the data) into the result.</summary>
    [MethodImpl(HotCode.Optimized)]
    public bool Run(byte* from, byte* indices, byte* result, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        return first >= end || run(this, from, indices, result, first, end);
    }

    /// <summary>Makes the code ready that a plan runs.</summary>
    public static void Rehearse(DType type, DType indexType, ScatterKind? kind)
    {
        using var memory = new RehearsalMemory();
        foreach (var axis in (int[])[0, 1])
        {
            var d = new ElementsDescriptor(type, indexType, [3, 5], [2, 4], axis);
            (kind is { } k ? Scatter(d, k) : Gather(d))?.Run(memory.Bytes(15 * 8), memory.Bytes(8 * 8), memory.Bytes(15 * 8), 0, 1);
        }
    }

    // Updates may meet in one place, and the last one counts: one task has them all, in order.
    private static Split Whole(long rows) => new(rows, 1, checked((int)Math.Max(1, rows)));

    private static string Suffix(ElementsDescriptor d) => $"u{d.Type.Bits()}_{(d.IndexType == DType.Int64 ? "i64" : "i32")}";

    private static long RowsOf(long[] extents) => extents.Contains(0) ? 0 : new Shape(extents).Product(0, extents.Length - 1);

    private static delegate*<ElementsPlan, byte*, byte*, byte*, long, long, bool> Replacing(ElementsDescriptor d) => (d.Type.Bits() / 8, d.IndexType == DType.Int64) switch
    {
        (1, true) => &Rows<Put<byte>, byte, long>,
        (2, true) => &Rows<Put<ushort>, ushort, long>,
        (4, true) => &Rows<Put<uint>, uint, long>,
        (8, true) => &Rows<Put<ulong>, ulong, long>,
        (1, false) => &Rows<Put<byte>, byte, int>,
        (2, false) => &Rows<Put<ushort>, ushort, int>,
        (4, false) => &Rows<Put<uint>, uint, int>,
        (8, false) => &Rows<Put<ulong>, ulong, int>,
        _ => null,
    };

    private static delegate*<ElementsPlan, byte*, byte*, byte*, long, long, bool> Reducing<T>(ElementsDescriptor d, ScatterKind kind) where T : unmanaged, INumber<T> => (kind, d.IndexType == DType.Int64) switch
    {
        (ScatterKind.Add, true) => &Rows<Reduce<T, AddOp<T>>, T, long>,
        (ScatterKind.Mul, true) => &Rows<Reduce<T, MulOp<T>>, T, long>,
        (ScatterKind.Max, true) => &Rows<Reduce<T, MaxOp<T>>, T, long>,
        (ScatterKind.Min, true) => &Rows<Reduce<T, MinOp<T>>, T, long>,
        (ScatterKind.Add, false) => &Rows<Reduce<T, AddOp<T>>, T, int>,
        (ScatterKind.Mul, false) => &Rows<Reduce<T, MulOp<T>>, T, int>,
        (ScatterKind.Max, false) => &Rows<Reduce<T, MaxOp<T>>, T, int>,
        _ => &Rows<Reduce<T, MinOp<T>>, T, int>,
    };

    [MethodImpl(HotCode.Optimized)]
    private static bool Rows<TMove, T, TIndex>(ElementsPlan plan, byte* other, byte* indices, byte* result, long first, long end)
        where TMove : struct, IMove<T> where T : unmanaged where TIndex : unmanaged
    {
        var d = plan.d;
        int rank = d.Data.Length, axis = d.Axis;
        long n = d.Indices[rank - 1], extent = d.Data[axis], along = plan.strides[axis];
        var advances = axis != rank - 1;
        var good = true;
        for (var row = first; row < end; row++)
        {
            long at = 0, left = row;
            for (var a = rank - 2; a >= 0; a--)
            {
                (left, var place) = Math.DivRem(left, d.Indices[a]);
                if (a != axis) at += place * plan.strides[a];
            }
            for (long j = 0; j < n; j++)
            {
                var i = row * n + j;
                var index = sizeof(TIndex) == 8 ? ((long*)indices)[i] : ((int*)indices)[i];
                if (index < 0) index += extent;
                if ((ulong)index >= (ulong)extent) good = false;
                else TMove.Do((T*)other, (T*)result, at + (advances ? j : 0) + index * along, i);
            }
        }
        return good;
    }

    private interface IMove<T> where T : unmanaged
    {
        /// <summary>Moves between the place of the data and that of the index.</summary>
        static abstract void Do(T* other, T* result, long data, long index);
    }

    private readonly struct Take<T> : IMove<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Do(T* other, T* result, long data, long index) => result[index] = other[data];
    }

    private readonly struct Put<T> : IMove<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Do(T* other, T* result, long data, long index) => result[data] = other[index];
    }

    private readonly struct Reduce<T, TOp> : IMove<T> where T : unmanaged where TOp : struct, IBinaryOp<T, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Do(T* other, T* result, long data, long index) => result[data] = TOp.Apply(result[data], other[index]);
    }
}
