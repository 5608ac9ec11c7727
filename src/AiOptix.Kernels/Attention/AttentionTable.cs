using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Attention;

/// <summary>A row of <see cref="AttentionTable"/>.</summary>
public sealed unsafe class AttentionKernel
{
    internal AttentionKernel(string name, GemmKernel gemm) => (Name, Gemm) = (name, gemm);

    /// <summary>The specification in short.</summary>
    public string Name { get; }

    /// <summary>Instruction sets it needs.</summary>
    public Isa Isa => Gemm.Isa;

    /// <summary>The micro-kernel of both products.</summary>
    public GemmKernel Gemm { get; }

    /// <summary>Scores of a row to weights.</summary>
    internal delegate*<SoftmaxRow*, void> Softmax { get; init; }

    /// <summary>The same of rows that see all keys and have no mask; see <see cref="SoftmaxRow.RunAll"/>.</summary>
    internal delegate*<SoftmaxRow*, int, nint, float*, float*, float*, int> SoftmaxAll { get; init; }

    /// <summary>y = y·factor: y, elements, factor.</summary>
    internal delegate*<float*, int, float, void> Scale { get; init; }

    /// <summary>y = y·factor + added: y, added, elements, factor.</summary>
    internal delegate*<float*, float*, int, float, void> Join { get; init; }

    /// <summary>Scores of one query: query, keys, floats from key to key, width, keys, scores.</summary>
    internal delegate*<float*, float*, nint, int, int, float*, void> Dots { get; init; }

    /// <summary>The weighted sum of values: weights, values, floats from value to value, width, keys, result.</summary>
    internal delegate*<float*, float*, nint, int, int, float*, void> Mix { get; init; }
}

/// <summary>Every float32 attention, best first; the last row is the scalar reference.</summary>
public static unsafe class AttentionTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<AttentionKernel> Rows { get; } =
    [
        Row<V16>("attention_f32_14x32_avx512_jit", GemmTable.Named("gemm_f32_14x32_avx512_jit")),
        Row<V16>("attention_f32_12x32_avx512", GemmTable.Named("gemm_f32_12x32_avx512")),
        Row<Pair<V8>>("attention_f32_6x16_avx2_jit", GemmTable.Named("gemm_f32_6x16_avx2_jit")),
        Row<Pair<V8>>("attention_f32_6x16_avx2", GemmTable.Named("gemm_f32_6x16_avx2")),
        Row<Pair<Pair<V4>>>("attention_f32_4x8_v128", GemmTable.Named("gemm_f32_4x8_v128")),
        Row<Pair<Pair<Pair<Pair<V1>>>>>("attention_f32_scalar", GemmTable.Named("gemm_f32_scalar")),
    ];

    /// <summary>The best row that the target can run.</summary>
    public static AttentionKernel Select(Target target)
    {
        for (var i = 0; i < Rows.Count; i++)
            if (target.Has(Rows[i].Isa)) return Rows[i];
        return Rows[^1];
    }

    private static AttentionKernel Row<T>(string name, GemmKernel gemm) where T : unmanaged, IVec<T> => new(name, gemm)
    {
        Softmax = &SoftmaxRow.Run<T>,
        SoftmaxAll = &SoftmaxRow.RunAll<T>,
        Scale = &SoftmaxRow.Scale<T>,
        Join = &SoftmaxRow.Join<T>,
        Dots = &OneQuery.Dots<T>,
        Mix = &OneQuery.Mix<T>,
    };
}
