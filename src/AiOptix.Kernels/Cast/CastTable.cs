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

/// <summary>
/// The cast table: float32, float64, float16, bfloat16, all integers of 8 to 64 bits and bool, each to each; best first, the scalar reference last. Rows are
/// made when they are asked for: each one is an instance of generic code that costs time to load.
/// </summary>
public static unsafe class CastTable
{
    private static readonly DType[] Types =
    [
        DType.Float32, DType.Float64, DType.Float16, DType.BFloat16, DType.Int64, DType.Int32, DType.Int16, DType.Int8, DType.UInt64, DType.UInt32, DType.UInt16,
        DType.UInt8, DType.Bool,
    ];

    /// <summary>All rows.</summary>
    public static IReadOnlyList<CastKernel> Rows => [.. Types.SelectMany(from => Types.SelectMany(to => Of(from, to)))];

    /// <summary>The first row for the two types, or null when there is none.</summary>
    public static CastKernel? Select(DType from, DType to) => Of(from, to) is [var row, ..] ? row : null;

    private static CastKernel[] Of(DType from, DType to) => (from, to) switch
    {
        (DType.Float16, DType.Float32) => Vector(from, to, &CastLoops.HalfToSingle),
        (DType.Float32, DType.Float16) => Vector(from, to, &CastLoops.SingleToHalf),
        (DType.BFloat16, DType.Float32) => Vector(from, to, &CastLoops.BrainToSingle),
        (DType.Float32, DType.BFloat16) => Vector(from, to, &CastLoops.SingleToBrain),
        (DType.Float32, DType.Int32) => Vector(from, to, &CastLoops.SingleToInt32),
        (DType.Int32, DType.Float32) => Vector(from, to, &CastLoops.Int32ToSingle),
        (DType.Bool, DType.Float32) => Vector(from, to, &CastLoops.FlagToSingle),
        _ => Scalar(from, to),
    };

    private static CastKernel[] Vector(DType from, DType to, delegate*<byte*, byte*, long, void> run) =>
        [new($"cast_{from.Name()}_{to.Name()}_vector128", from, to, run), Scalar(from, to)[0]];

    private static CastKernel[] Scalar(DType from, DType to) => from switch
    {
        DType.Float32 => From<float>(from, to),
        DType.Float64 => From<double>(from, to),
        DType.Float16 => From<Half>(from, to),
        DType.BFloat16 => From<BFloat16>(from, to),
        DType.Int64 => From<long>(from, to),
        DType.Int32 => From<int>(from, to),
        DType.Int16 => From<short>(from, to),
        DType.Int8 => From<sbyte>(from, to),
        DType.UInt64 => From<ulong>(from, to),
        DType.UInt32 => From<uint>(from, to),
        DType.UInt16 => From<ushort>(from, to),
        DType.UInt8 => From<byte>(from, to),
        DType.Bool => From<Flag>(from, to),
        _ => [],
    };

    private static CastKernel[] From<T>(DType from, DType to) where T : unmanaged => to switch
    {
        DType.Float32 => [Row<T, float>(from, to)],
        DType.Float64 => [Row<T, double>(from, to)],
        DType.Float16 => [Row<T, Half>(from, to)],
        DType.BFloat16 => [Row<T, BFloat16>(from, to)],
        DType.Int64 => [Row<T, long>(from, to)],
        DType.Int32 => [Row<T, int>(from, to)],
        DType.Int16 => [Row<T, short>(from, to)],
        DType.Int8 => [Row<T, sbyte>(from, to)],
        DType.UInt64 => [Row<T, ulong>(from, to)],
        DType.UInt32 => [Row<T, uint>(from, to)],
        DType.UInt16 => [Row<T, ushort>(from, to)],
        DType.UInt8 => [Row<T, byte>(from, to)],
        DType.Bool => [Row<T, Flag>(from, to)],
        _ => [],
    };

    private static CastKernel Row<TFrom, TTo>(DType from, DType to) where TFrom : unmanaged where TTo : unmanaged =>
        new($"cast_{from.Name()}_{to.Name()}_scalar", from, to, &CastLoops.Scalar<TFrom, TTo>);
}
