using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Bytes;

/// <summary>A row of <see cref="ByteTableTable"/>: every byte replaced by what stands at its place in a table of 256.</summary>
public readonly unsafe struct ByteTableKernel
{
    internal ByteTableKernel(string name, Isa needs, delegate*<byte*, byte*, long, byte*, void> run)
    {
        (Name, Needs) = (name, needs);
        Run = run;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>The code: argument, result, bytes, table.</summary>
    public readonly delegate*<byte*, byte*, long, byte*, void> Run;
}

/// <summary>Table look-ups, best first, the scalar reference last.</summary>
public static unsafe class ByteTableTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<ByteTableKernel> Rows { get; } = [new("table_bytes_avx512vbmi", Isa.Avx512 | Isa.Avx512Vbmi, &Vector), new("table_bytes_scalar", Isa.None, &Scalar)];

    /// <summary>The first row that the target can run.</summary>
    public static ByteTableKernel Select(Target target) => Rows.First(row => target.Has(row.Needs));

    // Four registers hold the table; two look-ups in halves of it, and the highest bit chooses. Images of the kernels are for CPUs that may lack VBMI: the JIT compiles it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Vector(byte* x, byte* y, long n, byte* table)
    {
        Vector512<byte> a = Vector512.Load(table), b = Vector512.Load(table + 64), c = Vector512.Load(table + 128), d = Vector512.Load(table + 192);
        long i = 0;
        for (; i <= n - 64; i += 64)
        {
            var at = Vector512.Load(x + i);
            Avx512BW.BlendVariable(Avx512Vbmi.PermuteVar64x8x2(a, at, b), Avx512Vbmi.PermuteVar64x8x2(c, at, d), at).Store(y + i);
        }
        Scalar(x + i, y + i, n - i, table);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Scalar(byte* x, byte* y, long n, byte* table)
    {
        long i = 0;
        for (; i <= n - 8; i += 8)
        {
            var eight = *(ulong*)(x + i);
            *(ulong*)(y + i) = table[(byte)eight] | (ulong)table[(byte)(eight >> 8)] << 8 | (ulong)table[(byte)(eight >> 16)] << 16 | (ulong)table[(byte)(eight >> 24)] << 24
                | (ulong)table[(byte)(eight >> 32)] << 32 | (ulong)table[(byte)(eight >> 40)] << 40 | (ulong)table[(byte)(eight >> 48)] << 48 | (ulong)table[eight >> 56] << 56;
        }
        for (; i < n; i++) y[i] = table[x[i]];
    }
}

/// <summary>A table look-up of every byte, made ready. Immutable.</summary>
public sealed unsafe class ByteTablePlan
{
    private readonly Split split;

    /// <summary>Plans it for some bytes.</summary>
    public ByteTablePlan(long bytes, ByteTableKernel row)
    {
        split = new Split(bytes, 1, 64);
        Kernel = row;
    }

    /// <summary>The chosen row.</summary>
    public ByteTableKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>; the table has 256 bytes.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* x, byte* y, byte* table, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        Kernel.Run(x + first, y + first, end - first, table);
    }

    /// <summary>Rehearses a row, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(ByteTableKernel row)
    {
        using var memory = new RehearsalMemory();
        var plan = new ByteTablePlan(RehearsalMemory.Row, row);
        plan.Run(memory.Bytes(RehearsalMemory.Row), memory.Bytes(RehearsalMemory.Row), memory.Bytes(256), 0, plan.Tasks);
    }
}
