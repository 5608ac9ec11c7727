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

/// <summary>The table of binary functions; per function and type best first, the scalar reference last.</summary>
public static unsafe class BinaryTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<BinaryKernel> Rows { get; } = Build();

    /// <summary>The first row that the target can run, or null when the function has none for this type.</summary>
    public static BinaryKernel? Select(BinaryKind kind, DType type, Target target)
    {
        foreach (var row in Rows)
            if (row.Kind == kind && row.Type == type && target.Has(row.Needs)) return row;
        return null;
    }

    private static List<BinaryKernel> Build()
    {
        var rows = new List<BinaryKernel>();
        Vector<AddF32>(rows, BinaryKind.Add);
        Vector<SubF32>(rows, BinaryKind.Sub);
        Vector<MulF32>(rows, BinaryKind.Mul);
        Vector<DivF32>(rows, BinaryKind.Div);
        Vector<MinF32>(rows, BinaryKind.Min);
        Vector<MaxF32>(rows, BinaryKind.Max);
        Vector<PReluF32>(rows, BinaryKind.PRelu);
        Compare<EqualF32, EqualOp<float>>(rows, BinaryKind.Equal);
        Compare<NotEqualF32, NotEqualOp<float>>(rows, BinaryKind.NotEqual);
        Compare<LessF32, LessOp<float>>(rows, BinaryKind.Less);
        Compare<LessOrEqualF32, LessOrEqualOp<float>>(rows, BinaryKind.LessOrEqual);
        Compare<GreaterF32, GreaterOp<float>>(rows, BinaryKind.Greater);
        Compare<GreaterOrEqualF32, GreaterOrEqualOp<float>>(rows, BinaryKind.GreaterOrEqual);
        Scalar<PowF32, float, float>(rows, BinaryKind.Pow, DType.Float32);
        Scalar<PowF64, double, double>(rows, BinaryKind.Pow, DType.Float64);
        Floats<float>(rows, DType.Float32);
        Floats<double>(rows, DType.Float64);
        Integers<long>(rows, DType.Int64);
        Integers<int>(rows, DType.Int32);
        Integers<short>(rows, DType.Int16);
        Integers<sbyte>(rows, DType.Int8);
        Integers<ulong>(rows, DType.UInt64);
        Integers<uint>(rows, DType.UInt32);
        Integers<ushort>(rows, DType.UInt16);
        Integers<byte>(rows, DType.UInt8);
        Bits<byte>(rows, DType.Bool);
        Compares<byte>(rows, DType.Bool);
        return rows;
    }

    private static string Stem(BinaryKind kind, DType type) => $"binary_{kind.ToString().ToLowerInvariant()}_{type.Name()}_";

    private static void Vector<TF>(List<BinaryKernel> rows, BinaryKind kind) where TF : struct, IBinaryF32
    {
        var stem = Stem(kind, DType.Float32);
        rows.Add(new(stem + "avx512", Isa.Avx512, kind, DType.Float32, &BinaryFloatLoop.Run<TF, V16>));
        rows.Add(new(stem + "avx2", Isa.Avx2, kind, DType.Float32, &BinaryFloatLoop.Run<TF, V8>));
        rows.Add(new(stem + "vector128", Isa.None, kind, DType.Float32, &BinaryFloatLoop.Run<TF, V4>));
    }

    private static void Compare<TF, TScalar>(List<BinaryKernel> rows, BinaryKind kind) where TF : struct, ICompareF32 where TScalar : struct, IBinaryOp<float, byte> =>
        rows.Add(new(Stem(kind, DType.Float32) + "vector128", Isa.None, kind, DType.Float32, &CompareFloatLoop.Run<TF, TScalar>));

    private static void Numbers<T>(List<BinaryKernel> rows, DType type) where T : unmanaged, INumber<T>
    {
        Scalar<AddOp<T>, T, T>(rows, BinaryKind.Add, type);
        Scalar<SubOp<T>, T, T>(rows, BinaryKind.Sub, type);
        Scalar<MulOp<T>, T, T>(rows, BinaryKind.Mul, type);
        Scalar<MinOp<T>, T, T>(rows, BinaryKind.Min, type);
        Scalar<MaxOp<T>, T, T>(rows, BinaryKind.Max, type);
        Scalar<PReluOp<T>, T, T>(rows, BinaryKind.PRelu, type);
        Compares<T>(rows, type);
    }

    private static void Compares<T>(List<BinaryKernel> rows, DType type) where T : unmanaged, INumber<T>
    {
        Scalar<EqualOp<T>, T, byte>(rows, BinaryKind.Equal, type);
        Scalar<NotEqualOp<T>, T, byte>(rows, BinaryKind.NotEqual, type);
        Scalar<LessOp<T>, T, byte>(rows, BinaryKind.Less, type);
        Scalar<LessOrEqualOp<T>, T, byte>(rows, BinaryKind.LessOrEqual, type);
        Scalar<GreaterOp<T>, T, byte>(rows, BinaryKind.Greater, type);
        Scalar<GreaterOrEqualOp<T>, T, byte>(rows, BinaryKind.GreaterOrEqual, type);
    }

    private static void Floats<T>(List<BinaryKernel> rows, DType type) where T : unmanaged, INumber<T>
    {
        Numbers<T>(rows, type);
        Scalar<FloatDivOp<T>, T, T>(rows, BinaryKind.Div, type);
        Scalar<FloatModOp<T>, T, T>(rows, BinaryKind.Mod, type);
        Scalar<FloatFModOp<T>, T, T>(rows, BinaryKind.FMod, type);
    }

    private static void Integers<T>(List<BinaryKernel> rows, DType type) where T : unmanaged, IBinaryInteger<T>
    {
        Numbers<T>(rows, type);
        Scalar<DivOp<T>, T, T>(rows, BinaryKind.Div, type);
        Scalar<ModOp<T>, T, T>(rows, BinaryKind.Mod, type);
        Scalar<FModOp<T>, T, T>(rows, BinaryKind.FMod, type);
        Scalar<PowOp<T>, T, T>(rows, BinaryKind.Pow, type);
        Scalar<ShiftLeftOp<T>, T, T>(rows, BinaryKind.ShiftLeft, type);
        Scalar<ShiftRightOp<T>, T, T>(rows, BinaryKind.ShiftRight, type);
        Bits<T>(rows, type);
    }

    private static void Bits<T>(List<BinaryKernel> rows, DType type) where T : unmanaged, IBinaryInteger<T>
    {
        Scalar<AndOp<T>, T, T>(rows, BinaryKind.And, type);
        Scalar<OrOp<T>, T, T>(rows, BinaryKind.Or, type);
        Scalar<XorOp<T>, T, T>(rows, BinaryKind.Xor, type);
    }

    private static void Scalar<TF, T, TResult>(List<BinaryKernel> rows, BinaryKind kind, DType type)
        where TF : struct, IBinaryOp<T, TResult> where T : unmanaged where TResult : unmanaged =>
        rows.Add(new(Stem(kind, type) + "scalar", Isa.None, kind, type, &BinaryScalarLoop.Run<TF, T, TResult>));
}
