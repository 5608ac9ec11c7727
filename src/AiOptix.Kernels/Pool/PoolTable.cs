using AiOptix.Kernels.Reduce;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Pool;

/// <summary>A row of the pooling table.</summary>
public readonly unsafe struct PoolKernel
{
    internal PoolKernel(string name, Isa needs, bool max, delegate*<PoolLine*, void> run, delegate*<PoolPixel*, void> pixel)
    {
        Name = name;
        Needs = needs;
        Max = max;
        Run = run;
        Pixel = pixel;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>True for max, false for average.</summary>
    public readonly bool Max;
    /// <summary>The code: one output line.</summary>
    public readonly delegate*<PoolLine*, void> Run;
    /// <summary>The code where channels lie last: one output pixel.</summary>
    public readonly delegate*<PoolPixel*, void> Pixel;
}

/// <summary>The table of pooling kernels, best first, the scalar reference last; all rows of a kind give the same bits.</summary>
public static unsafe class PoolTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<PoolKernel> Rows { get; } = [.. Kind<MaxReduceF32>("pool_max_f32_", true), .. Kind<SumF32>("pool_average_f32_", false)];

    /// <summary>The first row that the target can run.</summary>
    public static PoolKernel Select(bool max, Target target) => Rows.First(row => row.Max == max && target.Has(row.Needs));

    private static PoolKernel[] Kind<TF>(string stem, bool max) where TF : struct, IReduceF32 =>
    [
        new(stem + "avx512", Isa.Avx512, max, &PoolLoop.Line<TF, V16>, &PoolPixelLoop.Pixel<TF, V16>),
        new(stem + "avx2", Isa.Avx2, max, &PoolLoop.Line<TF, V8>, &PoolPixelLoop.Pixel<TF, V8>),
        new(stem + "vector128", Isa.None, max, &PoolLoop.Line<TF, V4>, &PoolPixelLoop.Pixel<TF, V4>),
        new(stem + "scalar", Isa.None, max, &PoolLoop.Line<TF, V1>, &PoolPixelLoop.Pixel<TF, V1>),
    ];
}
