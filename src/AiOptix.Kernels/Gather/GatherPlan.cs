using System.Runtime.CompilerServices;
using AiOptix.Kernels.Copy;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Gather;

/// <summary>
/// The contract of Gather along one axis: data is dense [outer, length, inner], the result dense [outer, count, inner]. Negative indices count
/// from the end.
/// </summary>
/// <param name="Outer">Product of the sizes before the axis.</param>
/// <param name="Length">Size of the axis.</param>
/// <param name="InnerBytes">Bytes of one entry: the product of the sizes after the axis times the element size.</param>
/// <param name="Count">Number of indices.</param>
/// <param name="IndexType">Int32 or Int64.</param>
public sealed record GatherDescriptor(long Outer, long Length, long InnerBytes, long Count, DType IndexType);

/// <summary>What a gather kernel needs.</summary>
public unsafe struct GatherArgs
{
    /// <summary>Data.</summary>
    public byte* Data;
    /// <summary>Indices.</summary>
    public byte* Indices;
    /// <summary>Result.</summary>
    public byte* Result;
    /// <summary>Size of the axis.</summary>
    public long Length;
    /// <summary>Bytes of one entry.</summary>
    public long InnerBytes;
    /// <summary>Number of indices.</summary>
    public long Count;
}

/// <summary>A row of the gather table.</summary>
public readonly unsafe struct GatherKernel
{
    internal GatherKernel(string name, DType indexType, long innerBytes, delegate*<GatherArgs*, long, long, bool> run)
    {
        Name = name;
        IndexType = indexType;
        InnerBytes = innerBytes;
        Run = run;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses: none beyond the base.</summary>
    public readonly Isa Needs => Isa.None;
    /// <summary>The type of the indices.</summary>
    public readonly DType IndexType;
    /// <summary>Bytes of an entry; 0 for any.</summary>
    public readonly long InnerBytes;
    /// <summary>The code: arguments, first and end entry of the result; false when an index was out of range, whose entry is left alone.</summary>
    public readonly delegate*<GatherArgs*, long, long, bool> Run;
}

/// <summary>The gather table, best first; the rows for any entry size are the references.</summary>
public static unsafe class GatherTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<GatherKernel> Rows { get; } =
    [
        new("gather_u8_i64", DType.Int64, 1, &Values<byte, long>),
        new("gather_u16_i64", DType.Int64, 2, &Values<ushort, long>),
        new("gather_u32_i64", DType.Int64, 4, &Values<uint, long>),
        new("gather_u64_i64", DType.Int64, 8, &Values<ulong, long>),
        new("gather_u8_i32", DType.Int32, 1, &Values<byte, int>),
        new("gather_u16_i32", DType.Int32, 2, &Values<ushort, int>),
        new("gather_u32_i32", DType.Int32, 4, &Values<uint, int>),
        new("gather_u64_i32", DType.Int32, 8, &Values<ulong, int>),
        new("gather_bytes_i64", DType.Int64, 0, &Entries<long>),
        new("gather_bytes_i32", DType.Int32, 0, &Entries<int>),
    ];

    /// <summary>The first row that serves the entry size and index type.</summary>
    /// <exception cref="UnsupportedModelException">Indices are neither int32 nor int64.</exception>
    public static GatherKernel Select(long innerBytes, DType indexType)
    {
        for (var i = 0; i < Rows.Count; i++)
        {
            var row = Rows[i];
            if (row.IndexType == indexType && (row.InnerBytes == 0 || row.InnerBytes == innerBytes)) return row;
        }
        throw new UnsupportedModelException($"Gather takes indices of int32 or int64, not {indexType.Name()}");
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Index<TIndex>(byte* indices, long i) where TIndex : unmanaged =>
        sizeof(TIndex) == 8 ? Unsafe.ReadUnaligned<long>(indices + i * 8) : Unsafe.ReadUnaligned<int>(indices + i * 4);

    [MethodImpl(HotCode.Optimized)]
    private static bool Values<T, TIndex>(GatherArgs* args, long first, long end) where T : unmanaged where TIndex : unmanaged
    {
        var good = true;
        var (outer, i) = Math.DivRem(first, args->Count);
        var data = args->Data + outer * args->Length * sizeof(T);
        for (var n = first; n < end; n++)
        {
            var index = Index<TIndex>(args->Indices, i);
            if (index < 0) index += args->Length;
            if ((ulong)index < (ulong)args->Length) Unsafe.WriteUnaligned(args->Result + n * sizeof(T), Unsafe.ReadUnaligned<T>(data + index * sizeof(T)));
            else good = false;
            if (++i < args->Count) continue;
            i = 0;
            data += args->Length * sizeof(T);
        }
        return good;
    }

    [MethodImpl(HotCode.Optimized)]
    private static bool Entries<TIndex>(GatherArgs* args, long first, long end) where TIndex : unmanaged
    {
        var good = true;
        var (outer, i) = Math.DivRem(first, args->Count);
        var bytes = args->InnerBytes;
        var data = args->Data + outer * args->Length * bytes;
        for (var n = first; n < end; n++)
        {
            var index = Index<TIndex>(args->Indices, i);
            if (index < 0) index += args->Length;
            if ((ulong)index < (ulong)args->Length) CopyLoops.Bytes(data + index * bytes, args->Result + n * bytes, bytes);
            else good = false;
            if (++i < args->Count) continue;
            i = 0;
            data += args->Length * bytes;
        }
        return good;
    }
}

/// <summary>Gather, made ready. Immutable.</summary>
public sealed unsafe class GatherPlan
{
    private readonly GatherDescriptor shape;
    private readonly Split split;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    /// <exception cref="UnsupportedModelException">Indices are neither int32 nor int64.</exception>
    public GatherPlan(GatherDescriptor descriptor, GatherKernel? row = null)
    {
        shape = descriptor;
        Kernel = row ?? GatherTable.Select(descriptor.InnerBytes, descriptor.IndexType);
        split = new Split(descriptor.Outer * descriptor.Count, Math.Max(descriptor.InnerBytes / 4, 1));
    }

    /// <summary>The chosen row.</summary>
    public GatherKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>
    /// Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>. False when an index was below −length or not below length: its
    /// entry of the result is left alone, and the caller raises the error.
    /// </summary>
    [MethodImpl(HotCode.Optimized)]
    public bool Run(byte* data, byte* indices, byte* result, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        if (first >= end) return true;
        var args = new GatherArgs { Data = data, Indices = indices, Result = result, Length = shape.Length, InnerBytes = shape.InnerBytes, Count = shape.Count };
        return Kernel.Run(&args, first, end);
    }

    /// <summary>Rehearses a row: gathers a few entries, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(GatherKernel row)
    {
        using var memory = new RehearsalMemory();
        var bytes = row.InnerBytes == 0 ? RehearsalMemory.Row : row.InnerBytes;
        var plan = new GatherPlan(new(2, 3, bytes, 4, row.IndexType), row);
        plan.Run(memory.Bytes(6 * bytes), memory.Bytes(4 * sizeof(long)), memory.Bytes(8 * bytes), 0, plan.Tasks);
    }
}
