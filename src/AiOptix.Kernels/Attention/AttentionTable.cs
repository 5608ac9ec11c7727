using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Attention;

/// <summary>A row of <see cref="AttentionTable"/>.</summary>
public sealed unsafe class AttentionKernel
{
    internal AttentionKernel(string name, int gemm, delegate*<SoftmaxRow*, void> softmax, delegate*<float*, int, float, void> scale)
    {
        Name = name;
        Gemm = GemmTable.Intrinsics[gemm];
        Softmax = softmax;
        Scale = scale;
    }

    /// <summary>The specification in short.</summary>
    public string Name { get; }

    /// <summary>Instruction sets it needs.</summary>
    public Isa Isa => Gemm.Isa;

    /// <summary>The micro-kernel of both products.</summary>
    public GemmKernel Gemm { get; }

    internal delegate*<SoftmaxRow*, void> Softmax { get; }

    internal delegate*<float*, int, float, void> Scale { get; }
}

/// <summary>Every float32 attention, best first; the last row is the scalar reference.</summary>
public static unsafe class AttentionTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<AttentionKernel> Rows { get; } =
    [
        new("attention_f32_12x32_avx512", 0, &SoftmaxRow.Run<V16>, &SoftmaxRow.Scale<V16>),
        new("attention_f32_6x16_avx2", 1, &SoftmaxRow.Run<V8>, &SoftmaxRow.Scale<V8>),
        new("attention_f32_4x8_v128", 2, &SoftmaxRow.Run<V4>, &SoftmaxRow.Scale<V4>),
        new("attention_f32_scalar", 3, &SoftmaxRow.Run<V1>, &SoftmaxRow.Scale<V1>),
    ];

    /// <summary>The best row that the target can run.</summary>
    public static AttentionKernel Select(Target target)
    {
        foreach (var row in Rows)
        {
            if (target.Has(row.Isa)) return row;
        }
        return Rows[^1];
    }
}
