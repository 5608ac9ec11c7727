using System.Runtime.CompilerServices;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Bytes;

/// <summary>A function of two quantised arguments whose result is quantised: each element is what float32 arithmetic between dequantisation and quantisation gives.</summary>
/// <param name="Kind">The function: Add, Sub or Mul.</param>
/// <param name="A">How the first argument stands for numbers.</param>
/// <param name="B">The second one.</param>
/// <param name="Y">The result.</param>
/// <param name="Low">The least byte of the result.</param>
/// <param name="High">The greatest one.</param>
public readonly record struct ByteFunction(BinaryKind Kind, ByteNumbers A, ByteNumbers B, ByteNumbers Y, int Low, int High);

/// <summary>A row of <see cref="ByteBinaryTable"/>.</summary>
public readonly unsafe struct ByteBinaryKernel
{
    internal ByteBinaryKernel(string name, Isa needs, BinaryKind kind, delegate*<byte*, byte*, byte*, BinaryTile*, ByteFunction*, void> run, delegate*<byte*, byte*, byte*, BinaryTile*, ByteFunction*, ByteSteps*, void> runSteps)
    {
        (Name, Needs, Kind) = (name, needs, kind);
        Run = run;
        RunSteps = runSteps;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>The function.</summary>
    public readonly BinaryKind Kind;
    /// <summary>The code: first argument, second argument, result, rectangle, numbers.</summary>
    public readonly delegate*<byte*, byte*, byte*, BinaryTile*, ByteFunction*, void> Run;
    /// <summary>The code with steps that give the function's bytes, as its last argument; null where it would gain nothing.</summary>
    public readonly delegate*<byte*, byte*, byte*, BinaryTile*, ByteFunction*, ByteSteps*, void> RunSteps;
}

/// <summary>Functions of two quantised arguments; per function best first, the scalar reference last. All rows of a function give the same bytes.</summary>
public static unsafe class ByteBinaryTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<ByteBinaryKernel> Rows { get; } = [.. Of<AddF32, SumSteps>(BinaryKind.Add), .. Of<SubF32, SumSteps>(BinaryKind.Sub), .. Of<MulF32, ProductSteps>(BinaryKind.Mul)];

    /// <summary>The first row that the target can run, or null when the function has none.</summary>
    public static ByteBinaryKernel? Select(BinaryKind kind, Target target)
    {
        for (var i = 0; i < Rows.Count; i++)
        {
            var row = Rows[i];
            if (row.Kind == kind && target.Has(row.Needs)) return row;
        }
        return null;
    }

    private static ByteBinaryKernel[] Of<TF, TS>(BinaryKind kind) where TF : struct, IBinaryF32 where TS : struct, IByteSteps
    {
        var stem = $"binary_{kind.ToString().ToLowerInvariant()}_bytes_";
        return
        [
            new(stem + "avx512", Isa.Avx512, kind, &ByteBinaryLoop.Run<TF, Bytes16, V16>, &ByteBinaryLoop.RunSteps<TF, TS, Bytes16, V16>),
            new(stem + "avx2", Isa.Avx2, kind, &ByteBinaryLoop.Run<TF, Bytes8, V8>, &ByteBinaryLoop.RunSteps<TF, TS, Bytes8, V8>),
            new(stem + "vector128", Isa.None, kind, &ByteBinaryLoop.Run<TF, Bytes4, V4>, null),
            new(stem + "scalar", Isa.None, kind, &ByteBinaryLoop.Run<TF, Bytes1, V1>, null),
        ];
    }
}

/// <summary>The rectangle loop. Along a row each argument is dense or one element; what is strided goes one by one, like the rest of a row.</summary>
internal static unsafe class ByteBinaryLoop
{
    [MethodImpl(HotCode.Optimized)]
    public static void Run<TF, TB, T>(byte* a, byte* b, byte* y, BinaryTile* tile, ByteFunction* f) where TF : struct, IBinaryF32 where TB : struct, IByteLanes<T> where T : unmanaged, IVec<T>
    {
        var isDense = tile->AColumn is 0 or 1 && tile->BColumn is 0 or 1;
        for (long r = 0; r < tile->Rows; r++)
        {
            var done = isDense ? Row<TF, TB, T>(a, (nint)tile->AColumn, b, (nint)tile->BColumn, y, tile->Columns, f) : 0;
            if (done < tile->Columns) Rest<TF>(a + done * tile->AColumn, (nint)tile->AColumn, b + done * tile->BColumn, (nint)tile->BColumn, y + done, tile->Columns - done, f);
            a += tile->ARow;
            b += tile->BRow;
            y += tile->YRow;
        }
    }

    [MethodImpl(HotCode.Optimized)]
    public static void RunSteps<TF, TS, TB, T>(byte* a, byte* b, byte* y, BinaryTile* tile, ByteFunction* f, ByteSteps* steps) where TF : struct, IBinaryF32 where TS : struct, IByteSteps where TB : struct, IByteLanes<T> where T : unmanaged, IVec<T>
    {
        var isDense = tile->AColumn is 0 or 1 && tile->BColumn is 0 or 1;
        for (long r = 0; r < tile->Rows; r++)
        {
            var done = isDense ? RowSteps<TS, TB, T>(a, (nint)tile->AColumn, b, (nint)tile->BColumn, y, tile->Columns, f, steps) : 0;
            if (done < tile->Columns) Rest<TF>(a + done * tile->AColumn, (nint)tile->AColumn, b + done * tile->BColumn, (nint)tile->BColumn, y + done, tile->Columns - done, f);
            a += tile->ARow;
            b += tile->BRow;
            y += tile->YRow;
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static long RowSteps<TS, TB, T>(byte* a, nint aStep, byte* b, nint bStep, byte* y, long n, ByteFunction* f, ByteSteps* steps) where TS : struct, IByteSteps where TB : struct, IByteLanes<T> where T : unmanaged, IVec<T>
    {
        var (aFlip, bFlip, first, second, third) = (f->A.Flip, f->B.Flip, T.Set(steps->A), T.Set(steps->B), T.Set(steps->C));
        var (zero, low, high) = (f->Y.Zero, T.Set(f->Low - f->Y.Zero), T.Set(f->High - f->Y.Zero));
        T left = T.Set(*a ^ aFlip), right = T.Set(*b ^ bFlip);
        long i = 0;
        for (; i <= n - T.Count; i += T.Count)
        {
            if (aStep != 0) left = TB.Load(a + i, aFlip);
            if (bStep != 0) right = TB.Load(b + i, bFlip);
            TB.Store(y + i, TS.Of(left, right, first, second, third), low, high, zero);
        }
        return i;
    }

    [MethodImpl(HotCode.Optimized)]
    private static long Row<TF, TB, T>(byte* a, nint aStep, byte* b, nint bStep, byte* y, long n, ByteFunction* f) where TF : struct, IBinaryF32 where TB : struct, IByteLanes<T> where T : unmanaged, IVec<T>
    {
        var (aFlip, aZero, aScale) = (f->A.Flip, f->A.UnsignedZero, T.Set(f->A.Scale));
        var (bFlip, bZero, bScale) = (f->B.Flip, f->B.UnsignedZero, T.Set(f->B.Scale));
        var (scale, zero, low, high) = (T.Set(f->Y.Scale), f->Y.Zero, T.Set(f->Low - f->Y.Zero), T.Set(f->High - f->Y.Zero));
        T left = T.Set(((*a ^ aFlip) - aZero) * f->A.Scale), right = T.Set(((*b ^ bFlip) - bZero) * f->B.Scale);
        long i = 0;
        for (; i <= n - T.Count; i += T.Count)
        {
            if (aStep != 0) left = TB.Load(a + i, aFlip, aZero, aScale);
            if (bStep != 0) right = TB.Load(b + i, bFlip, bZero, bScale);
            TB.Store(y + i, TF.Apply(left, right) / scale, low, high, zero);
        }
        return i;
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Rest<TF>(byte* a, nint aStep, byte* b, nint bStep, byte* y, long n, ByteFunction* f) where TF : struct, IBinaryF32
    {
        V1 aScale = new(f->A.Scale), bScale = new(f->B.Scale), scale = new(f->Y.Scale), low = new(f->Low - f->Y.Zero), high = new(f->High - f->Y.Zero);
        for (; n > 0; n--, a += aStep, b += bStep, y++)
            Bytes1.Store(y, TF.Apply(Bytes1.Load(a, f->A.Flip, f->A.UnsignedZero, aScale), Bytes1.Load(b, f->B.Flip, f->B.UnsignedZero, bScale)) / scale, low, high, f->Y.Zero);
    }
}

/// <summary>A function of two quantised arguments with broadcasting, made ready. Immutable.</summary>
public sealed unsafe class ByteBinaryPlan
{
    private readonly ByteFunction function;
    private readonly RectangleGrid grid;
    private readonly ByteSteps? steps;

    /// <summary>Plans it over a dense result of some sizes; strides of the arguments count elements.</summary>
    /// <param name="function">The function.</param>
    /// <param name="dims">The sizes.</param>
    /// <param name="aStrides">Strides of the first argument.</param>
    /// <param name="bStrides">Those of the second one.</param>
    /// <param name="row">The row of the table.</param>
    /// <param name="steps">What <see cref="StepsOf"/> found for both; null goes the longer way to the same bytes.</param>
    public ByteBinaryPlan(ByteFunction function, long[] dims, long[] aStrides, long[] bStrides, ByteBinaryKernel row, ByteSteps? steps = null)
    {
        this.function = function;
        this.steps = steps;
        Kernel = row;
        grid = new RectangleGrid(AxisList.Broadcast(dims, 1, (aStrides, 1), (bStrides, 1)));
    }

    /// <summary>The shorter way of a row to a function's bytes, tried on all pairs; null when there is none.</summary>
    public static ByteSteps? StepsOf(ByteFunction function, ByteBinaryKernel row) => ByteSteps.Find(function, row);

    /// <summary>The chosen row.</summary>
    public ByteBinaryKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => grid.Tasks;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* a, byte* b, byte* y, int firstTask, int endTask)
    {
        RectangleGrid.Cursor cursor;
        var f = function;
        var s = steps.GetValueOrDefault();
        var tile = new BinaryTile
        {
            ARow = grid.RowStride(0), AColumn = grid.ColumnStride(0), BRow = grid.RowStride(1), BColumn = grid.ColumnStride(1), YRow = grid.RowStride(2),
        };
        grid.Begin(&cursor, firstTask, endTask);
        while (grid.Next(&cursor))
        {
            (tile.Rows, tile.Columns) = (cursor.Rows, cursor.Columns);
            if (steps is null) Kernel.Run(a + cursor.Offset[0], b + cursor.Offset[1], y + cursor.Offset[2], &tile, &f);
            else Kernel.RunSteps(a + cursor.Offset[0], b + cursor.Offset[1], y + cursor.Offset[2], &tile, &f, &s);
        }
    }

    /// <summary>Rehearses a row: runs it over a few elements in every layout, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(ByteBinaryKernel row)
    {
        using var memory = new RehearsalMemory();
        const int rows = 3, columns = RehearsalMemory.Row;
        var (a, b, y) = ((nint)memory.Bytes(rows * columns), (nint)memory.Bytes(rows * columns), (nint)memory.Bytes(rows * columns));
        long[][] layouts = [[columns, 1], [1, 0], [1, rows]];
        ByteNumbers one = new(1, 0, false);
        foreach (var (left, right) in new[] { (0, 0), (0, 1), (1, 0), (2, 2) })
        {
            foreach (var steps in row.RunSteps == null ? [null] : (ByteSteps?[])[null, default(ByteSteps)])
            {
                var plan = new ByteBinaryPlan(new(row.Kind, one, one, one, 0, 255), [rows, columns], layouts[left], layouts[right], row, steps);
                plan.Run((byte*)a, (byte*)b, (byte*)y, 0, plan.Tasks);
            }
        }
    }
}
