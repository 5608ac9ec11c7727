using AiOptix.Kernels.Bytes;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Quantize;

/// <summary>A row of the quantisation table.</summary>
public readonly unsafe struct QuantizeKernel
{
    internal QuantizeKernel(string name, DType from, DType to, delegate*<byte*, byte*, long, float, int, void> run, Isa needs = Isa.None)
    {
        Name = name;
        Needs = needs;
        From = from;
        To = to;
        Run = run;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>The type converted from.</summary>
    public readonly DType From;
    /// <summary>The type converted to.</summary>
    public readonly DType To;
    /// <summary>The code: argument, result, elements, scale, zero point.</summary>
    public readonly delegate*<byte*, byte*, long, float, int, void> Run;
}

/// <summary>Conversions between float32 and quantised bytes, best first for each pair of types; the last one of a pair is the scalar reference. All rows of a pair give the same bits.</summary>
public static unsafe class QuantizeTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<QuantizeKernel> Rows { get; } =
    [
        new("quantize_float32_int8_avx512", DType.Float32, DType.Int8, &QuantizeLoops.QuantizeLanes<sbyte, Bytes16, V16>, Isa.Avx512),
        new("quantize_float32_int8_avx2", DType.Float32, DType.Int8, &QuantizeLoops.QuantizeLanes<sbyte, Bytes8, V8>, Isa.Avx2),
        new("quantize_float32_int8_vector128", DType.Float32, DType.Int8, &QuantizeLoops.QuantizeVector<sbyte>),
        new("quantize_float32_int8_scalar", DType.Float32, DType.Int8, &QuantizeLoops.Quantize<sbyte>),
        new("quantize_float32_uint8_avx512", DType.Float32, DType.UInt8, &QuantizeLoops.QuantizeLanes<byte, Bytes16, V16>, Isa.Avx512),
        new("quantize_float32_uint8_avx2", DType.Float32, DType.UInt8, &QuantizeLoops.QuantizeLanes<byte, Bytes8, V8>, Isa.Avx2),
        new("quantize_float32_uint8_vector128", DType.Float32, DType.UInt8, &QuantizeLoops.QuantizeVector<byte>),
        new("quantize_float32_uint8_scalar", DType.Float32, DType.UInt8, &QuantizeLoops.Quantize<byte>),
        new("dequantize_int8_float32_avx512", DType.Int8, DType.Float32, &QuantizeLoops.DequantizeLanes<sbyte, Bytes16, V16>, Isa.Avx512),
        new("dequantize_int8_float32_avx2", DType.Int8, DType.Float32, &QuantizeLoops.DequantizeLanes<sbyte, Bytes8, V8>, Isa.Avx2),
        new("dequantize_int8_float32_vector128", DType.Int8, DType.Float32, &QuantizeLoops.DequantizeVector<sbyte>),
        new("dequantize_int8_float32_scalar", DType.Int8, DType.Float32, &QuantizeLoops.Dequantize<sbyte>),
        new("dequantize_uint8_float32_avx512", DType.UInt8, DType.Float32, &QuantizeLoops.DequantizeLanes<byte, Bytes16, V16>, Isa.Avx512),
        new("dequantize_uint8_float32_avx2", DType.UInt8, DType.Float32, &QuantizeLoops.DequantizeLanes<byte, Bytes8, V8>, Isa.Avx2),
        new("dequantize_uint8_float32_vector128", DType.UInt8, DType.Float32, &QuantizeLoops.DequantizeVector<byte>),
        new("dequantize_uint8_float32_scalar", DType.UInt8, DType.Float32, &QuantizeLoops.Dequantize<byte>),
    ];

    /// <summary>The first row for the two types that the target can run, or null when there is none.</summary>
    public static QuantizeKernel? Select(DType from, DType to, Target target)
    {
        for (var i = 0; i < Rows.Count; i++)
        {
            var row = Rows[i];
            if (row.From == from && row.To == to && target.Has(row.Needs)) return row;
        }
        return null;
    }
}
