using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Jit;

/// <summary>What a generated tile applies before it stores, and what is left for afterwards.</summary>
internal static class TileActivation
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
}
