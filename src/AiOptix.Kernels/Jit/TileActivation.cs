using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Jit;

/// <summary>What a generated tile applies before it stores, and what is left for afterwards.</summary>
internal static unsafe class TileActivation
{
    /// <summary>The flag of an activation that the tile itself applies; none for the others and for no activation.</summary>
    public static TileFlags Flag(Activation activation) => activation switch
    {
        Activation.Relu => TileFlags.Relu,
        Activation.LeakyRelu => TileFlags.Leaky,
        Activation.Clip => TileFlags.Clip,
        _ => TileFlags.None,
    };

    /// <summary>True when an activation must be applied to what the tile stored.</summary>
    public static bool IsLeft(Activation activation) => activation != Activation.None && Flag(activation) == TileFlags.None;

    /// <summary>Applies an activation to rows that tiles stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish(float* c, nint stride, int rows, int columns, in ActivationArgs args, delegate*<EpilogueTile*, void> left)
    {
        EpilogueTile e = default;
        e.Source = e.Destination = c;
        e.SourceStride = e.DestinationStride = stride;
        (e.Rows, e.Columns, e.Alpha, e.Args) = (rows, columns, 1f, args);
        left(&e);
    }
}
