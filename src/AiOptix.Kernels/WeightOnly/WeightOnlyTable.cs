using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.WeightOnly;

/// <summary>A row of <see cref="WeightOnlyTable"/>.</summary>
public readonly unsafe struct WeightOnlyKernel
{
    internal WeightOnlyKernel(string name, Isa needs, int bits, bool hasZeros, int width, delegate*<float*, byte*, int, int, float*, void> multiply, delegate*<byte*, int, int, float*, void> dequantize)
    {
        (Name, Needs, Bits, HasZeros, Width) = (name, needs, bits, hasZeros, width);
        Multiply = multiply;
        Dequantize = dequantize;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>Bits of a weight.</summary>
    public readonly int Bits;
    /// <summary>Whether there are zero points.</summary>
    public readonly bool HasZeros;
    /// <summary>Columns of a panel.</summary>
    public readonly int Width;
    /// <summary>One row times a panel: row, panel, terms, terms of a block, result.</summary>
    public readonly delegate*<float*, byte*, int, int, float*, void> Multiply;
    /// <summary>A panel as float32 [terms][columns]: panel, terms, terms of a block, result.</summary>
    public readonly delegate*<byte*, int, int, float*, void> Dequantize;
}

/// <summary>Products with weights of 4 and 8 bits, for each form best first, the scalar reference last. All rows of a form give the same bits where the machine has fused multiply-add.</summary>
public static unsafe class WeightOnlyTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<WeightOnlyKernel> Rows { get; } = [.. Of<NibbleForm>(4, false), .. Of<NibbleZeroForm>(4, true), .. Of<ByteForm>(8, false), .. Of<ByteZeroForm>(8, true)];

    /// <summary>The first row for a shape that the target can run.</summary>
    public static WeightOnlyKernel Select(in WeightOnlyShape shape, Target target)
    {
        var (bits, hasZeros) = (shape.Bits, shape.HasZeros);
        return Rows.First(r => r.Bits == bits && r.HasZeros == hasZeros && target.Has(r.Needs));
    }

    private static WeightOnlyKernel[] Of<TF>(int bits, bool hasZeros) where TF : struct, IWeightForm
    {
        var stem = $"gemv_f32q{bits}{(hasZeros ? "z" : "")}_";
        return
        [
            new(stem + "1x32_avx512", Isa.Avx512, bits, hasZeros, 32, &WeightOnlyLoop.Multiply<TF, Weights16, V16>, &WeightOnlyLoop.Dequantize<TF, Weights16, V16>),
            new(stem + "1x16_avx2", Isa.Avx2, bits, hasZeros, 16, &WeightOnlyLoop.Multiply<TF, Weights8, V8>, &WeightOnlyLoop.Dequantize<TF, Weights8, V8>),
            new(stem + "1x8_v128", Isa.None, bits, hasZeros, 8, &WeightOnlyLoop.Multiply<TF, Weights4, V4>, &WeightOnlyLoop.Dequantize<TF, Weights4, V4>),
            new(stem + "scalar", Isa.None, bits, hasZeros, 2, &WeightOnlyLoop.Multiply<TF, Weights1, V1>, &WeightOnlyLoop.Dequantize<TF, Weights1, V1>),
        ];
    }
}
