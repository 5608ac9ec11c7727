using AiOptix.Tensors;

namespace AiOptix.Kernels.Cast;

/// <summary>A row of the cast table.</summary>
public readonly unsafe struct CastKernel
{
    internal CastKernel(string name, DType from, DType to, delegate*<byte*, byte*, long, void> run)
    {
        Name = name;
        From = from;
        To = to;
        Run = run;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses: none beyond the base.</summary>
    public readonly Isa Needs => Isa.None;
    /// <summary>The type converted from.</summary>
    public readonly DType From;
    /// <summary>The type converted to.</summary>
    public readonly DType To;
    /// <summary>The code: argument, result, elements.</summary>
    public readonly delegate*<byte*, byte*, long, void> Run;
}

/// <summary>The cast table: float32, float64, float16, bfloat16, all integers of 8 to 64 bits and bool, each to each; best first, the scalar reference last.</summary>
public static unsafe class CastTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<CastKernel> Rows { get; } =
    [
        new("cast_float16_float32_vector128", DType.Float16, DType.Float32, &CastLoops.HalfToSingle),
        new("cast_float32_float16_vector128", DType.Float32, DType.Float16, &CastLoops.SingleToHalf),
        new("cast_bfloat16_float32_vector128", DType.BFloat16, DType.Float32, &CastLoops.BrainToSingle),
        new("cast_float32_bfloat16_vector128", DType.Float32, DType.BFloat16, &CastLoops.SingleToBrain),
        new("cast_float32_int32_vector128", DType.Float32, DType.Int32, &CastLoops.SingleToInt32),
        new("cast_int32_float32_vector128", DType.Int32, DType.Float32, &CastLoops.Int32ToSingle),
        .. From<float>(DType.Float32), .. From<double>(DType.Float64), .. From<Half>(DType.Float16), .. From<BFloat16>(DType.BFloat16),
        .. From<long>(DType.Int64), .. From<int>(DType.Int32), .. From<short>(DType.Int16), .. From<sbyte>(DType.Int8), .. From<ulong>(DType.UInt64),
        .. From<uint>(DType.UInt32), .. From<ushort>(DType.UInt16), .. From<byte>(DType.UInt8), .. From<Flag>(DType.Bool),
    ];

    /// <summary>The first row for the two types, or null when there is none.</summary>
    public static CastKernel? Select(DType from, DType to)
    {
        foreach (var row in Rows)
            if (row.From == from && row.To == to) return row;
        return null;
    }

    private static CastKernel[] From<T>(DType from) where T : unmanaged =>
    [
        Scalar<T, float>(from, DType.Float32), Scalar<T, double>(from, DType.Float64), Scalar<T, Half>(from, DType.Float16),
        Scalar<T, BFloat16>(from, DType.BFloat16), Scalar<T, long>(from, DType.Int64), Scalar<T, int>(from, DType.Int32),
        Scalar<T, short>(from, DType.Int16), Scalar<T, sbyte>(from, DType.Int8), Scalar<T, ulong>(from, DType.UInt64),
        Scalar<T, uint>(from, DType.UInt32), Scalar<T, ushort>(from, DType.UInt16), Scalar<T, byte>(from, DType.UInt8), Scalar<T, Flag>(from, DType.Bool),
    ];

    private static CastKernel Scalar<TFrom, TTo>(DType from, DType to) where TFrom : unmanaged where TTo : unmanaged =>
        new($"cast_{from.Name()}_{to.Name()}_scalar", from, to, &CastLoops.Scalar<TFrom, TTo>);
}
