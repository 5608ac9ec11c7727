using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Elementwise;

/// <summary>The contract of Where with broadcasting: the result is dense and row-major over <paramref name="Dims"/>.</summary>
/// <param name="ElementSize">Bytes of an element: 1, 2, 4 or 8.</param>
/// <param name="Dims">Sizes of the result.</param>
/// <param name="ConditionStrides">Distances in elements in the boolean condition, one an axis of the result; 0 stretches.</param>
/// <param name="AStrides">The same for the values taken where the condition holds.</param>
/// <param name="BStrides">The same for the values taken elsewhere.</param>
public sealed record WhereDescriptor(int ElementSize, long[] Dims, long[] ConditionStrides, long[] AStrides, long[] BStrides);

/// <summary>Where with broadcasting, made ready. Immutable.</summary>
public sealed unsafe class WherePlan
{
    private readonly RectangleGrid grid;
    private readonly int size;
    private readonly bool words;

    /// <summary>Plans the operation.</summary>
    /// <exception cref="UnsupportedModelException">The element size is not served.</exception>
    public WherePlan(WhereDescriptor descriptor, Target target)
    {
        size = descriptor.ElementSize;
        if (size is not (1 or 2 or 4 or 8)) throw new UnsupportedModelException($"no Where kernel for elements of {size} bytes; 1, 2, 4 and 8 are served");
        var axes = AxisList.Broadcast(descriptor.Dims, size, (descriptor.ConditionStrides, 1), (descriptor.AStrides, size), (descriptor.BStrides, size));
        grid = new RectangleGrid(axes);
        words = size == 4 && target.Has(Isa.Avx2) && grid.ColumnStride(0) == 1 && grid.ColumnStride(1) is 0 or 4 && grid.ColumnStride(2) is 0 or 4;
    }

    /// <summary>The name of the code that runs.</summary>
    public string KernelName => words ? "where_u32_avx2" : $"where_u{size * 8}_scalar";

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => grid.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* condition, byte* a, byte* b, byte* y, int firstTask, int endTask)
    {
        RectangleGrid.Cursor cursor;
        grid.Begin(&cursor, firstTask, endTask);
        while (grid.Next(&cursor))
            for (long r = 0; r < cursor.Rows; r++)
            {
                var pc = condition + cursor.Offset[0] + r * grid.RowStride(0);
                var pa = a + cursor.Offset[1] + r * grid.RowStride(1);
                var pb = b + cursor.Offset[2] + r * grid.RowStride(2);
                var py = y + cursor.Offset[3] + r * grid.RowStride(3);
                if (words) Words(pc, pa, pb, py, cursor.Columns);
                else if (size == 1) Row<byte>(pc, pa, pb, py, cursor.Columns);
                else if (size == 2) Row<ushort>(pc, pa, pb, py, cursor.Columns);
                else if (size == 4) Row<uint>(pc, pa, pb, py, cursor.Columns);
                else Row<ulong>(pc, pa, pb, py, cursor.Columns);
            }
    }

    /// <summary>Rehearses the code for an element size: runs it over a few elements in every layout, so that it is compiled before a run needs it.</summary>
    public static void Rehearse(int elementSize, Target target)
    {
        using var memory = new RehearsalMemory();
        const int rows = 3, columns = RehearsalMemory.Row;
        var (c, v, y) = ((nint)memory.Bytes(rows * columns), (nint)memory.Bytes(rows * columns * sizeof(double)), (nint)memory.Bytes(rows * columns * sizeof(double)));
        foreach (var strides in new long[][] { [columns, 1], [1, rows] })
        {
            var plan = new WherePlan(new(elementSize, [rows, columns], strides, strides, strides), target);
            plan.Run((byte*)c, (byte*)v, (byte*)v, (byte*)y, 0, plan.Tasks);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void Row<T>(byte* c, byte* a, byte* b, byte* y, long n) where T : unmanaged
    {
        var (dc, da, db) = (grid.ColumnStride(0), grid.ColumnStride(1), grid.ColumnStride(2));
        for (long i = 0; i < n; i++)
        {
            var (yes, no) = (Unsafe.ReadUnaligned<T>(a), Unsafe.ReadUnaligned<T>(b));
            Unsafe.WriteUnaligned(y, *c != 0 ? yes : no);
            c += dc;
            a += da;
            b += db;
            y += sizeof(T);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void Words(byte* c, byte* a, byte* b, byte* y, long n)
    {
        var (da, db) = (grid.ColumnStride(1), grid.ColumnStride(2));
        long i = 0;
        for (; i <= n - 8; i += 8)
        {
            var zero = Avx2.CompareEqual(Avx2.ConvertToVector256Int32(c + i), Vector256<int>.Zero);
            var yes = da != 0 ? Vector256.Load((int*)(a + i * 4)) : Vector256.Create(*(int*)a);
            var no = db != 0 ? Vector256.Load((int*)(b + i * 4)) : Vector256.Create(*(int*)b);
            Avx2.BlendVariable(yes, no, zero).Store((int*)(y + i * 4));
        }
        if (i < n) Row<uint>(c + i, a + i * da, b + i * db, y + i * 4, n - i);
    }
}
