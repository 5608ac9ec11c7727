using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Gemm;

/// <summary>The argument of an epilogue: a tile of finished sums and what is to be done to it.</summary>
public unsafe struct EpilogueTile
{
    /// <summary>The sums; readable for <see cref="Columns"/> floats a row.</summary>
    public float* Source;
    /// <summary>Where results go; may be <see cref="Source"/>.</summary>
    public float* Destination;
    /// <summary>One addend a row, or null.</summary>
    public float* RowBias;
    /// <summary>Floats between addends of rows; 0 for one addend for all.</summary>
    public nint RowBiasStride;
    /// <summary>One addend a column, or null.</summary>
    public float* ColumnBias;
    /// <summary>A matrix to add, or null.</summary>
    public float* Residual;
    /// <summary>Floats between rows of <see cref="Source"/>.</summary>
    public nint SourceStride;
    /// <summary>Floats between rows of <see cref="Destination"/>.</summary>
    public nint DestinationStride;
    /// <summary>Floats between rows of <see cref="Residual"/>.</summary>
    public nint ResidualStride;
    /// <summary>Rows.</summary>
    public int Rows;
    /// <summary>Columns.</summary>
    public int Columns;
    /// <summary>The factor of the sums.</summary>
    public float Alpha;
    /// <summary>Parameters of the activation.</summary>
    public ActivationArgs Args;
}

/// <summary>activation(alpha·sum + bias + residual) over a tile, element by element: the same bits at every vector width.</summary>
internal static unsafe class Epilogue
{
    /// <summary>The epilogue for an activation and a vector width of 1, 4, 8 or 16 lanes.</summary>
    public static delegate*<EpilogueTile*, void> Select(Activation activation, int width) => width switch
    {
        16 => Select<V16>(activation),
        8 => Select<V8>(activation),
        4 => Select<V4>(activation),
        _ => Select<V1>(activation),
    };

    private static delegate*<EpilogueTile*, void> Select<T>(Activation activation) where T : unmanaged, IVec<T> => activation switch
    {
        Activation.None => &Run<IdentityF32, T>,
        Activation.Relu => &Run<ReluF32, T>,
        Activation.LeakyRelu => &Run<LeakyReluF32, T>,
        Activation.Clip => &Run<ClipF32, T>,
        Activation.Sigmoid => &Run<SigmoidF32, T>,
        Activation.Tanh => &Run<TanhF32, T>,
        Activation.Silu => &Run<SiluF32, T>,
        Activation.Gelu => &Run<GeluF32, T>,
        Activation.GeluTanh => &Run<GeluTanhF32, T>,
        Activation.HardSwish => &Run<HardSwishF32, T>,
        Activation.HardSigmoid => &Run<HardSigmoidF32, T>,
        Activation.Elu => &Run<EluF32, T>,
        Activation.Selu => &Run<SeluF32, T>,
        Activation.Softplus => &Run<SoftplusF32, T>,
        Activation.Mish => &Run<MishF32, T>,
        Activation.Swish => &Run<SwishF32, T>,
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "no such activation"),
    };

    [MethodImpl(HotCode.Optimized)]
    private static void Run<TF, T>(EpilogueTile* t) where TF : struct, IUnaryF32 where T : unmanaged, IVec<T>
    {
        var args = t->Args;
        var alpha = T.Set(t->Alpha);
        for (var i = 0; i < t->Rows; i++)
        {
            float* source = t->Source + i * t->SourceStride, destination = t->Destination + i * t->DestinationStride;
            var residual = t->Residual == null ? null : t->Residual + i * t->ResidualStride;
            var rowBias = T.Set(t->RowBias == null ? -0f : t->RowBias[i * t->RowBiasStride]);
            for (var j = 0; j < t->Columns; j += T.Count)
            {
                var left = t->Columns - j;
                var whole = left >= T.Count;
                var v = whole ? T.Load(source + j) : T.LoadPart(source + j, left);
                v = T.Fma(v, alpha, rowBias);
                if (t->ColumnBias != null) v += whole ? T.Load(t->ColumnBias + j) : T.LoadPart(t->ColumnBias + j, left);
                if (residual != null) v += whole ? T.Load(residual + j) : T.LoadPart(residual + j, left);
                v = TF.Apply(v, args);
                if (whole) T.Store(destination + j, v);
                else T.StorePart(destination + j, v, left);
            }
        }
    }
}
