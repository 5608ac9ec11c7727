using System.Numerics;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Elementwise;

/// <summary>A row of the table of binary functions.</summary>
public readonly unsafe struct BinaryKernel
{
    internal BinaryKernel(string name, Isa needs, BinaryKind kind, DType type, delegate*<byte*, byte*, byte*, BinaryTile*, void> run)
    {
        Name = name;
        Needs = needs;
        Kind = kind;
        Type = type;
        Run = run;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>The function.</summary>
    public readonly BinaryKind Kind;
    /// <summary>The element type of the arguments.</summary>
    public readonly DType Type;
    /// <summary>The code: first argument, second argument, result, rectangle.</summary>
    public readonly delegate*<byte*, byte*, byte*, BinaryTile*, void> Run;
}

/// <summary>
/// The table of binary functions; per function and type best first, the scalar reference last. Rows are made when they are asked for: each one is an
/// instance of generic code that costs time to load.
/// </summary>
public static unsafe class BinaryTable
{
    private static readonly DType[] Types =
    [
        DType.Float32, DType.Float64, DType.Int64, DType.Int32, DType.Int16, DType.Int8, DType.UInt64, DType.UInt32, DType.UInt16, DType.UInt8, DType.Bool,
    ];

    /// <summary>All rows.</summary>
    public static IReadOnlyList<BinaryKernel> Rows => [.. Types.SelectMany(type => Enum.GetValues<BinaryKind>().SelectMany(kind => Of(kind, type)))];

    /// <summary>The first row that the target can run, or null when the function has none for this type.</summary>
    public static BinaryKernel? Select(BinaryKind kind, DType type, Target target)
    {
        foreach (var row in Of(kind, type))
            if (target.Has(row.Needs)) return row;
        return null;
    }

    private static BinaryKernel[] Of(BinaryKind kind, DType type) => type switch
    {
        DType.Float32 => Singles(kind),
        DType.Float64 => kind == BinaryKind.Pow ? [Scalar<PowF64, double, double>(kind, type)] : Floats<double>(kind, type),
        DType.Int64 => Integers<long>(kind, type),
        DType.Int32 => Compares4<int>(kind, type) is { Length: > 0 } compares ? compares : Integers<int>(kind, type),
        DType.Int16 => Integers<short>(kind, type),
        DType.Int8 => Integers<sbyte>(kind, type),
        DType.UInt64 => Integers<ulong>(kind, type),
        DType.UInt32 => Integers<uint>(kind, type),
        DType.UInt16 => Integers<ushort>(kind, type),
        DType.UInt8 => Integers<byte>(kind, type),
        DType.Bool => kind is BinaryKind.And or BinaryKind.Or or BinaryKind.Xor ? Bits<byte>(kind, type) : Compares<byte>(kind, type),
        _ => [],
    };

    private static BinaryKernel[] Singles(BinaryKind kind) => kind switch
    {
        BinaryKind.Add => Vector<AddF32>(kind, Scalar<AddOp<float>, float, float>(kind, DType.Float32)),
        BinaryKind.Sub => Vector<SubF32>(kind, Scalar<SubOp<float>, float, float>(kind, DType.Float32)),
        BinaryKind.Mul => Vector<MulF32>(kind, Scalar<MulOp<float>, float, float>(kind, DType.Float32)),
        BinaryKind.Div => Vector<DivF32>(kind, Scalar<FloatDivOp<float>, float, float>(kind, DType.Float32)),
        BinaryKind.Min => Vector<MinF32>(kind, Scalar<MinOp<float>, float, float>(kind, DType.Float32)),
        BinaryKind.Max => Vector<MaxF32>(kind, Scalar<MaxOp<float>, float, float>(kind, DType.Float32)),
        BinaryKind.PRelu => Vector<PReluF32>(kind, Scalar<PReluOp<float>, float, float>(kind, DType.Float32)),
        BinaryKind.Pow => [Scalar<PowF32, float, float>(kind, DType.Float32)],
        _ => Compares4<float>(kind, DType.Float32) is { Length: > 0 } compares ? compares : Floats<float>(kind, DType.Float32),
    };

    private static string Stem(BinaryKind kind, DType type) => $"binary_{kind.ToString().ToLowerInvariant()}_{type.Name()}_";

    private static BinaryKernel[] Vector<TF>(BinaryKind kind, BinaryKernel scalar) where TF : struct, IBinaryF32
    {
        var stem = Stem(kind, DType.Float32);
        return
        [
            new(stem + "avx512", Isa.Avx512, kind, DType.Float32, &BinaryFloatLoop.Run<TF, V16>),
            new(stem + "avx2", Isa.Avx2, kind, DType.Float32, &BinaryFloatLoop.Run<TF, V8>),
            new(stem + "vector128", Isa.None, kind, DType.Float32, &BinaryFloatLoop.Run<TF, V4>),
            scalar,
        ];
    }

    /// <summary>Comparisons of elements of four bytes.</summary>
    private static BinaryKernel[] Compares4<T>(BinaryKind kind, DType type) where T : unmanaged, INumber<T> => kind switch
    {
        BinaryKind.Equal => Compare<EqualVector<T>, EqualOp<T>, T>(kind, type),
        BinaryKind.NotEqual => Compare<NotEqualVector<T>, NotEqualOp<T>, T>(kind, type),
        BinaryKind.Less => Compare<LessVector<T>, LessOp<T>, T>(kind, type),
        BinaryKind.LessOrEqual => Compare<LessOrEqualVector<T>, LessOrEqualOp<T>, T>(kind, type),
        BinaryKind.Greater => Compare<GreaterVector<T>, GreaterOp<T>, T>(kind, type),
        BinaryKind.GreaterOrEqual => Compare<GreaterOrEqualVector<T>, GreaterOrEqualOp<T>, T>(kind, type),
        _ => [],
    };

    private static BinaryKernel[] Compare<TF, TScalar, T>(BinaryKind kind, DType type) where TF : struct, ICompareVector<T> where TScalar : struct, IBinaryOp<T, byte> where T : unmanaged =>
        [new(Stem(kind, type) + "vector128", Isa.None, kind, type, &CompareVectorLoop.Run<TF, TScalar, T>), Scalar<TScalar, T, byte>(kind, type)];

    private static BinaryKernel[] Numbers<T>(BinaryKind kind, DType type) where T : unmanaged, INumber<T> => kind switch
    {
        BinaryKind.Add => [Scalar<AddOp<T>, T, T>(kind, type)],
        BinaryKind.Sub => [Scalar<SubOp<T>, T, T>(kind, type)],
        BinaryKind.Mul => [Scalar<MulOp<T>, T, T>(kind, type)],
        BinaryKind.Min => [Scalar<MinOp<T>, T, T>(kind, type)],
        BinaryKind.Max => [Scalar<MaxOp<T>, T, T>(kind, type)],
        BinaryKind.PRelu => [Scalar<PReluOp<T>, T, T>(kind, type)],
        _ => Compares<T>(kind, type),
    };

    private static BinaryKernel[] Compares<T>(BinaryKind kind, DType type) where T : unmanaged, INumber<T> => kind switch
    {
        BinaryKind.Equal => [Scalar<EqualOp<T>, T, byte>(kind, type)],
        BinaryKind.NotEqual => [Scalar<NotEqualOp<T>, T, byte>(kind, type)],
        BinaryKind.Less => [Scalar<LessOp<T>, T, byte>(kind, type)],
        BinaryKind.LessOrEqual => [Scalar<LessOrEqualOp<T>, T, byte>(kind, type)],
        BinaryKind.Greater => [Scalar<GreaterOp<T>, T, byte>(kind, type)],
        BinaryKind.GreaterOrEqual => [Scalar<GreaterOrEqualOp<T>, T, byte>(kind, type)],
        _ => [],
    };

    private static BinaryKernel[] Floats<T>(BinaryKind kind, DType type) where T : unmanaged, INumber<T> => kind switch
    {
        BinaryKind.Div => [Scalar<FloatDivOp<T>, T, T>(kind, type)],
        BinaryKind.Mod => [Scalar<FloatModOp<T>, T, T>(kind, type)],
        BinaryKind.FMod => [Scalar<FloatFModOp<T>, T, T>(kind, type)],
        _ => Numbers<T>(kind, type),
    };

    private static BinaryKernel[] Integers<T>(BinaryKind kind, DType type) where T : unmanaged, IBinaryInteger<T> => kind switch
    {
        BinaryKind.Div => [Scalar<DivOp<T>, T, T>(kind, type)],
        BinaryKind.Mod => [Scalar<ModOp<T>, T, T>(kind, type)],
        BinaryKind.FMod => [Scalar<FModOp<T>, T, T>(kind, type)],
        BinaryKind.Pow => [Scalar<PowOp<T>, T, T>(kind, type)],
        BinaryKind.ShiftLeft => [Scalar<ShiftLeftOp<T>, T, T>(kind, type)],
        BinaryKind.ShiftRight => [Scalar<ShiftRightOp<T>, T, T>(kind, type)],
        BinaryKind.And or BinaryKind.Or or BinaryKind.Xor => Bits<T>(kind, type),
        _ => Numbers<T>(kind, type),
    };

    private static BinaryKernel[] Bits<T>(BinaryKind kind, DType type) where T : unmanaged, IBinaryInteger<T> => kind switch
    {
        BinaryKind.And => [Scalar<AndOp<T>, T, T>(kind, type)],
        BinaryKind.Or => [Scalar<OrOp<T>, T, T>(kind, type)],
        _ => [Scalar<XorOp<T>, T, T>(kind, type)],
    };

    private static BinaryKernel Scalar<TF, T, TResult>(BinaryKind kind, DType type)
        where TF : struct, IBinaryOp<T, TResult> where T : unmanaged where TResult : unmanaged =>
        new(Stem(kind, type) + "scalar", Isa.None, kind, type, &BinaryScalarLoop.Run<TF, T, TResult>);
}
