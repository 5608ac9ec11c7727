using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Recurrent;

/// <summary>A row of <see cref="RecurrentTable"/>.</summary>
public sealed unsafe class RecurrentKernel
{
    /// <summary>The specification.</summary>
    public required string Name { get; init; }

    /// <summary>Instruction sets it needs.</summary>
    public Isa Isa => Gemm.Isa;

    /// <summary>The micro-kernel of the recurrent product.</summary>
    public required GemmKernel Gemm { get; init; }

    internal delegate*<float*, float*, float*, int, float, void> Sum { get; init; }

    internal delegate*<float*, float*, float*, float*, float*, int, float, void> Peephole { get; init; }

    internal delegate*<float*, float*, float*, float*, float*, int, float, void> Candidate { get; init; }

    internal delegate*<float*, float*, float*, float*, float*, int, float, void> Cell { get; init; }

    internal delegate*<float*, float*, float*, int, void> Product { get; init; }

    internal delegate*<float*, float*, float*, int, void> Blend { get; init; }
}

/// <summary>The table of recurrent layers, best first, the scalar reference last. The functions of gates come from the table of unary functions.</summary>
public static unsafe class RecurrentTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<RecurrentKernel> Rows { get; } =
    [
        Row<V16>("recurrent_f32_14x32_avx512_jit", GemmTable.Named("gemm_f32_14x32_avx512_jit")),
        Row<V16>("recurrent_f32_12x32_avx512", GemmTable.Named("gemm_f32_12x32_avx512")),
        Row<V8>("recurrent_f32_6x16_avx2_jit", GemmTable.Named("gemm_f32_6x16_avx2_jit")),
        Row<V8>("recurrent_f32_6x16_avx2", GemmTable.Named("gemm_f32_6x16_avx2")),
        Row<V4>("recurrent_f32_4x8_v128", GemmTable.Named("gemm_f32_4x8_v128")),
        Row<V1>("recurrent_f32_scalar", GemmTable.Named("gemm_f32_scalar")),
    ];

    /// <summary>The best row that the target can run.</summary>
    public static RecurrentKernel Select(Target target) => Rows.First(row => target.Has(row.Isa));

    private static RecurrentKernel Row<T>(string name, GemmKernel gemm) where T : unmanaged, IVec<T> => new()
    {
        Name = name,
        Gemm = gemm,
        Sum = &RecurrentLoops.Sum<T>,
        Peephole = &RecurrentLoops.Peephole<T>,
        Candidate = &RecurrentLoops.Candidate<T>,
        Cell = &RecurrentLoops.Cell<T>,
        Product = &RecurrentLoops.Product<T>,
        Blend = &RecurrentLoops.Blend<T>,
    };
}
