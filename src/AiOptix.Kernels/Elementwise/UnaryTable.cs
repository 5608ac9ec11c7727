using System.Numerics;
using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Elementwise;

/// <summary>A row of the table of unary functions.</summary>
public readonly unsafe struct UnaryKernel
{
    internal UnaryKernel(string name, Isa needs, UnaryKind kind, DType type, delegate*<void*, void*, long, ActivationArgs*, void> run)
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
    public readonly UnaryKind Kind;
    /// <summary>The element type of argument and result.</summary>
    public readonly DType Type;
    /// <summary>The code: argument, result (may be the same), elements, parameters.</summary>
    public readonly delegate*<void*, void*, long, ActivationArgs*, void> Run;
}

/// <summary>The table of unary functions over dense elements; per function best first, the scalar reference last.</summary>
public static unsafe class UnaryTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<UnaryKernel> Rows { get; } = Build();

    /// <summary>The first row that the target can run, or null when the function has none for this type.</summary>
    public static UnaryKernel? Select(UnaryKind kind, DType type, Target target)
    {
        foreach (var row in Rows)
            if (row.Kind == kind && row.Type == type && target.Has(row.Needs)) return row;
        return null;
    }

    private static List<UnaryKernel> Build()
    {
        var rows = new List<UnaryKernel>();
        Float<IdentityF32>(rows, UnaryKind.None);
        Float<ReluF32>(rows, UnaryKind.Relu);
        Float<LeakyReluF32>(rows, UnaryKind.LeakyRelu);
        Float<ClipF32>(rows, UnaryKind.Clip);
        Float<SigmoidF32>(rows, UnaryKind.Sigmoid);
        Float<TanhF32>(rows, UnaryKind.Tanh);
        Float<SiluF32>(rows, UnaryKind.Silu);
        Float<GeluF32>(rows, UnaryKind.Gelu);
        Float<GeluTanhF32>(rows, UnaryKind.GeluTanh);
        Float<HardSwishF32>(rows, UnaryKind.HardSwish);
        Float<HardSigmoidF32>(rows, UnaryKind.HardSigmoid);
        Float<EluF32>(rows, UnaryKind.Elu);
        Float<SeluF32>(rows, UnaryKind.Selu);
        Float<SoftplusF32>(rows, UnaryKind.Softplus);
        Float<MishF32>(rows, UnaryKind.Mish);
        Float<ExpF32>(rows, UnaryKind.Exp);
        Float<LogF32>(rows, UnaryKind.Log);
        Float<SqrtF32>(rows, UnaryKind.Sqrt);
        Float<ReciprocalSqrtF32>(rows, UnaryKind.ReciprocalSqrt);
        Float<ReciprocalF32>(rows, UnaryKind.Reciprocal);
        Float<AbsF32>(rows, UnaryKind.Abs);
        Float<NegF32>(rows, UnaryKind.Neg);
        Float<FloorF32>(rows, UnaryKind.Floor);
        Float<CeilF32>(rows, UnaryKind.Ceil);
        Float<RoundF32>(rows, UnaryKind.Round);
        Float<SignF32>(rows, UnaryKind.Sign);
        Float<SquareF32>(rows, UnaryKind.Square);
        Float<CubeF32>(rows, UnaryKind.Cube);
        Float<ErfF32>(rows, UnaryKind.Erf);
        Float<AffineF32>(rows, UnaryKind.Affine);
        Float<SoftsignF32>(rows, UnaryKind.Softsign);
        Float<ThresholdedReluF32>(rows, UnaryKind.ThresholdedRelu);
        Float<CeluF32>(rows, UnaryKind.Celu);
        Library<SinF>(rows, UnaryKind.Sin);
        Library<CosF>(rows, UnaryKind.Cos);
        Library<TanF>(rows, UnaryKind.Tan);
        Library<AsinF>(rows, UnaryKind.Asin);
        Library<AcosF>(rows, UnaryKind.Acos);
        Library<AtanF>(rows, UnaryKind.Atan);
        Library<SinhF>(rows, UnaryKind.Sinh);
        Library<CoshF>(rows, UnaryKind.Cosh);
        Library<AsinhF>(rows, UnaryKind.Asinh);
        Library<AcoshF>(rows, UnaryKind.Acosh);
        Library<AtanhF>(rows, UnaryKind.Atanh);
        Numbers<double>(rows, DType.Float64);
        Scalar<double, SqrtOp>(rows, UnaryKind.Sqrt, DType.Float64);
        Integers<int>(rows, DType.Int32);
        Integers<long>(rows, DType.Int64);
        Integers<sbyte>(rows, DType.Int8);
        Integers<byte>(rows, DType.UInt8);
        Scalar<byte, NotOp>(rows, UnaryKind.Not, DType.Bool);
        return rows;
    }

    private static string Stem(UnaryKind kind, DType type) => $"unary_{kind.ToString().ToLowerInvariant()}_{type.Name()}_";

    private static void Float<TF>(List<UnaryKernel> rows, UnaryKind kind) where TF : struct, IUnaryF32
    {
        var stem = Stem(kind, DType.Float32);
        rows.Add(new(stem + "avx512", Isa.Avx512, kind, DType.Float32, &Vector<TF, V16>));
        rows.Add(new(stem + "avx2", Isa.Avx2, kind, DType.Float32, &Vector<TF, V8>));
        rows.Add(new(stem + "vector128", Isa.None, kind, DType.Float32, &Vector<TF, V4>));
        rows.Add(new(stem + "scalar", Isa.None, kind, DType.Float32, &Vector<TF, V1>));
    }

    private static void Library<TF>(List<UnaryKernel> rows, UnaryKind kind) where TF : struct, IScalarF32 =>
        rows.Add(new(Stem(kind, DType.Float32) + "scalar", Isa.None, kind, DType.Float32, &Vector<Lanewise<TF>, V1>));

    private static void Numbers<T>(List<UnaryKernel> rows, DType type) where T : unmanaged, INumber<T>
    {
        Scalar<T, NegOp<T>>(rows, UnaryKind.Neg, type);
        Scalar<T, AbsOp<T>>(rows, UnaryKind.Abs, type);
        Scalar<T, SignOp<T>>(rows, UnaryKind.Sign, type);
    }

    private static void Integers<T>(List<UnaryKernel> rows, DType type) where T : unmanaged, IBinaryInteger<T>
    {
        Numbers<T>(rows, type);
        Scalar<T, FlipOp<T>>(rows, UnaryKind.Not, type);
    }

    private static void Scalar<T, TF>(List<UnaryKernel> rows, UnaryKind kind, DType type) where T : unmanaged where TF : struct, IUnaryOp<T> =>
        rows.Add(new(Stem(kind, type) + "scalar", Isa.None, kind, type, &Loop<T, TF>));

    private static void Vector<TF, T>(void* x, void* y, long n, ActivationArgs* args) where TF : struct, IUnaryF32 where T : unmanaged, IVec<T> =>
        UnaryLoop.Run<TF, T>((float*)x, (float*)y, n, args);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Loop<T, TF>(void* x, void* y, long n, ActivationArgs* args) where T : unmanaged where TF : struct, IUnaryOp<T>
    {
        var (from, to) = ((nint)x, (nint)y);
        for (long i = 0; i < n; i++) ((T*)to)[i] = TF.Apply(((T*)from)[i]);
    }
}
