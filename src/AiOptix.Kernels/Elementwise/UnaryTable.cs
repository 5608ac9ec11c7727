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

/// <summary>
/// The table of unary functions over dense elements; per function best first, the scalar reference last. Rows are made when they are asked for: each one is
/// an instance of generic code that costs time to load.
/// </summary>
public static unsafe class UnaryTable
{
    private static readonly DType[] Types = [DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.Int8, DType.UInt8, DType.Bool];

    /// <summary>All rows.</summary>
    public static IReadOnlyList<UnaryKernel> Rows => [.. Types.SelectMany(type => Enum.GetValues<UnaryKind>().SelectMany(kind => Of(kind, type)))];

    /// <summary>The first row that the target can run, or null when the function has none for this type.</summary>
    public static UnaryKernel? Select(UnaryKind kind, DType type, Target target)
    {
        foreach (var row in Of(kind, type))
            if (target.Has(row.Needs)) return row;
        return null;
    }

    internal static UnaryKernel[] Of(UnaryKind kind, DType type) => type switch
    {
        DType.Float32 => Singles(kind),
        DType.Float64 => kind == UnaryKind.Sqrt ? [Scalar<double, SqrtOp>(kind, type)] : Numbers<double>(kind, type),
        DType.Int32 => Integers<int>(kind, type),
        DType.Int64 => Integers<long>(kind, type),
        DType.Int8 => Integers<sbyte>(kind, type),
        DType.UInt8 => Integers<byte>(kind, type),
        DType.Bool => kind == UnaryKind.Not ? [Scalar<byte, NotOp>(kind, type)] : [],
        _ => [],
    };

    private static UnaryKernel[] Singles(UnaryKind kind) => kind switch
    {
        UnaryKind.None => Float<IdentityF32>(kind),
        UnaryKind.Relu => Float<ReluF32>(kind),
        UnaryKind.LeakyRelu => Float<LeakyReluF32>(kind),
        UnaryKind.Clip => Float<ClipF32>(kind),
        UnaryKind.Sigmoid => Float<SigmoidF32>(kind),
        UnaryKind.Tanh => Float<TanhF32>(kind),
        UnaryKind.Silu => Float<SiluF32>(kind),
        UnaryKind.Gelu => Float<GeluF32>(kind),
        UnaryKind.GeluTanh => Float<GeluTanhF32>(kind),
        UnaryKind.HardSwish => Float<HardSwishF32>(kind),
        UnaryKind.HardSigmoid => Float<HardSigmoidF32>(kind),
        UnaryKind.Elu => Float<EluF32>(kind),
        UnaryKind.Selu => Float<SeluF32>(kind),
        UnaryKind.Softplus => Float<SoftplusF32>(kind),
        UnaryKind.Mish => Float<MishF32>(kind),
        UnaryKind.Swish => Float<SwishF32>(kind),
        UnaryKind.Exp => Float<ExpF32>(kind),
        UnaryKind.Log => Float<LogF32>(kind),
        UnaryKind.Sqrt => Float<SqrtF32>(kind),
        UnaryKind.ReciprocalSqrt => Float<ReciprocalSqrtF32>(kind),
        UnaryKind.Reciprocal => Float<ReciprocalF32>(kind),
        UnaryKind.Abs => Float<AbsF32>(kind),
        UnaryKind.Neg => Float<NegF32>(kind),
        UnaryKind.Floor => Float<FloorF32>(kind),
        UnaryKind.Ceil => Float<CeilF32>(kind),
        UnaryKind.Round => Float<RoundF32>(kind),
        UnaryKind.Sign => Float<SignF32>(kind),
        UnaryKind.Square => Float<SquareF32>(kind),
        UnaryKind.Cube => Float<CubeF32>(kind),
        UnaryKind.Erf => Float<ErfF32>(kind),
        UnaryKind.Affine => Float<AffineF32>(kind),
        UnaryKind.Softsign => Float<SoftsignF32>(kind),
        UnaryKind.ThresholdedRelu => Float<ThresholdedReluF32>(kind),
        UnaryKind.Celu => Float<CeluF32>(kind),
        UnaryKind.Sin => Library<SinF>(kind),
        UnaryKind.Cos => Library<CosF>(kind),
        UnaryKind.Tan => Library<TanF>(kind),
        UnaryKind.Asin => Library<AsinF>(kind),
        UnaryKind.Acos => Library<AcosF>(kind),
        UnaryKind.Atan => Library<AtanF>(kind),
        UnaryKind.Sinh => Library<SinhF>(kind),
        UnaryKind.Cosh => Library<CoshF>(kind),
        UnaryKind.Asinh => Library<AsinhF>(kind),
        UnaryKind.Acosh => Library<AcoshF>(kind),
        UnaryKind.Atanh => Library<AtanhF>(kind),
        _ => [],
    };

    private static string Stem(UnaryKind kind, DType type) => $"unary_{kind.ToString().ToLowerInvariant()}_{type.Name()}_";

    private static UnaryKernel[] Float<TF>(UnaryKind kind) where TF : struct, IUnaryF32
    {
        var stem = Stem(kind, DType.Float32);
        return
        [
            new(stem + "avx512", Isa.Avx512, kind, DType.Float32, &Vector<TF, V16>),
            new(stem + "avx2", Isa.Avx2, kind, DType.Float32, &Vector<TF, V8>),
            new(stem + "vector128", Isa.None, kind, DType.Float32, &Vector<TF, V4>),
            new(stem + "scalar", Isa.None, kind, DType.Float32, &Vector<TF, V1>),
        ];
    }

    private static UnaryKernel[] Library<TF>(UnaryKind kind) where TF : struct, IScalarF32 =>
        [new(Stem(kind, DType.Float32) + "scalar", Isa.None, kind, DType.Float32, &Vector<Lanewise<TF>, V1>)];

    private static UnaryKernel[] Numbers<T>(UnaryKind kind, DType type) where T : unmanaged, INumber<T> => kind switch
    {
        UnaryKind.Neg => [Scalar<T, NegOp<T>>(kind, type)],
        UnaryKind.Abs => [Scalar<T, AbsOp<T>>(kind, type)],
        UnaryKind.Sign => [Scalar<T, SignOp<T>>(kind, type)],
        _ => [],
    };

    private static UnaryKernel[] Integers<T>(UnaryKind kind, DType type) where T : unmanaged, IBinaryInteger<T> =>
        kind == UnaryKind.Not ? [Scalar<T, FlipOp<T>>(kind, type)] : Numbers<T>(kind, type);

    private static UnaryKernel Scalar<T, TF>(UnaryKind kind, DType type) where T : unmanaged where TF : struct, IUnaryOp<T> =>
        new(Stem(kind, type) + "scalar", Isa.None, kind, type, &Loop<T, TF>);

    private static void Vector<TF, T>(void* x, void* y, long n, ActivationArgs* args) where TF : struct, IUnaryF32 where T : unmanaged, IVec<T> =>
        UnaryLoop.Run<TF, T>((float*)x, (float*)y, n, args);

    [MethodImpl(HotCode.Optimized)]
    private static void Loop<T, TF>(void* x, void* y, long n, ActivationArgs* args) where T : unmanaged where TF : struct, IUnaryOp<T>
    {
        var (from, to) = ((nint)x, (nint)y);
        for (long i = 0; i < n; i++) ((T*)to)[i] = TF.Apply(((T*)from)[i]);
    }
}
