using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Jit;

/// <summary>
/// How a generated tile applies an activation before it stores: by a part of its own, by code that it calls (512-bit tiles), or not at all (256-bit tiles), so that it is left for afterwards.
/// </summary>
internal readonly unsafe struct TileActivation
{
    private const int WideLanes = 16;

    private static readonly Function?[] made = new Function?[Enum.GetValues<Activation>().Length];
    private static readonly Lock access = new();

    private readonly nint function;
    private readonly nint numbers;

    private TileActivation(TileFlags flag, nint function = 0, nint numbers = 0)
    {
        Flag = flag;
        this.function = function;
        this.numbers = numbers;
    }

    /// <summary>The flag of the part; none where the tile does nothing.</summary>
    public TileFlags Flag { get; }

    /// <summary>How tiles of a vector width apply an activation. The code that they call is made when it is first asked for and stays: rehearsals ask before any run does.</summary>
    /// <exception cref="Tensors.LimitExceededException">The system grants no memory for it.</exception>
    public static TileActivation Of(Activation activation, int lanes) => activation switch
    {
        Activation.None => default,
        Activation.Relu => new(TileFlags.Relu),
        Activation.LeakyRelu => new(TileFlags.Leaky),
        Activation.Clip => new(TileFlags.Clip),
        _ when lanes != WideLanes => default,
        _ => Called(activation),
    };

    /// <summary>Tells a tile the function and its parameters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Describe(TileArguments* t, in ActivationArgs args)
    {
        (t->First, t->Second) = (args.Alpha, args.Beta);
        (t->Function, t->Numbers) = (function, numbers);
    }

    /// <summary>True when an activation must be applied to what the tile stored.</summary>
    public bool IsLeft(Activation activation) => activation != Activation.None && Flag == TileFlags.None;

    /// <summary>Applies an activation to rows that tiles stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish(float* c, nint stride, int rows, int columns, in ActivationArgs args, delegate*<EpilogueTile*, void> left)
    {
        EpilogueTile e = default;
        e.Source = e.Destination = c;
        e.SourceStride = e.DestinationStride = stride;
        (e.Rows, e.Columns, e.Alpha, e.Args) = stride == columns && rows * (long)columns <= int.MaxValue ? (1, rows * columns, 1f, args) : (rows, columns, 1f, args);
        left(&e);
    }

    private static TileActivation Called(Activation activation)
    {
        var function = Volatile.Read(ref made[(int)activation]);
        if (function is null)
        {
            lock (access) function = made[(int)activation] ??= new Function(activation);
        }
        return new(TileFlags.Function, function.Kernel.Address, function.Numbers);
    }

    /// <summary>What the activation does, traced.</summary>
    internal static VectorTrace Trace(Activation activation) => activation switch
    {
        Activation.Sigmoid => TracedVector.Of<SigmoidF32>(),
        Activation.Tanh => TracedVector.Of<TanhF32>(),
        Activation.Silu => TracedVector.Of<SiluF32>(),
        Activation.Gelu => TracedVector.Of<GeluF32>(),
        Activation.GeluTanh => TracedVector.Of<GeluTanhF32>(),
        Activation.HardSwish => TracedVector.Of<HardSwishF32>(),
        Activation.HardSigmoid => TracedVector.Of<HardSigmoidF32>(),
        Activation.Elu => TracedVector.Of<EluF32>(),
        Activation.Selu => TracedVector.Of<SeluF32>(),
        Activation.Softplus => TracedVector.Of<SoftplusF32>(),
        Activation.Mish => TracedVector.Of<MishF32>(),
        Activation.Swish => TracedVector.Of<SwishF32>(),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "tiles call no code for it"),
    };

    /// <summary>Code that tiles call, and the numbers that it reads. As long as the process, like the tiles.</summary>
    private sealed class Function
    {
        public Function(Activation activation)
        {
            var code = new VectorCode(Trace(activation));
            Kernel = CodeCache.Shared.Get(new ActivationCode(activation, code));
            var numbers = (int*)NativeMemory.Alloc((nuint)Math.Max(1, code.Numbers.Count), sizeof(int));
            for (var i = 0; i < code.Numbers.Count; i++) numbers[i] = code.Numbers[i];
            Numbers = (nint)numbers;
        }

        public GeneratedKernel Kernel { get; }

        public nint Numbers { get; }
    }
}
