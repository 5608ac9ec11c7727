using System.Globalization;

namespace AiOptix.Kernels.Jit;

/// <summary>How a tile's rows of A lie in memory, and whether B is packed on the way.</summary>
internal enum TileForm
{
    /// <summary>Rows <see cref="TileArguments.AStride"/> apart, steps adjacent. Up to 14 rows.</summary>
    Strided,
    /// <summary>Rows adjacent, steps <see cref="TileArguments.AStride"/> apart.</summary>
    Adjacent,
    /// <summary>As <see cref="Strided"/>, and what is read of B goes to <see cref="TileArguments.Panel"/>, for the tiles that meet the same columns afterwards.</summary>
    Packing,
}

/// <summary>Everything that the code of a product tile depends on: the key by which it is shared.</summary>
/// <param name="VectorBytes">Bytes of a vector: 64 (AVX-512) or 32 (AVX2).</param>
/// <param name="Rows">Rows of the tile.</param>
/// <param name="Vectors">Vectors a row.</param>
/// <param name="HasTail">Whether the last vector is partly used.</param>
/// <param name="Form">How A lies in memory.</param>
internal readonly record struct TileCode(int VectorBytes, int Rows, int Vectors, bool HasTail, TileForm Form) : IKernelCode
{
    /// <inheritdoc/>
    public string Name => string.Create(CultureInfo.InvariantCulture,
        $"tile_f32_{Rows}x{Vectors * VectorBytes / sizeof(float)}{(HasTail ? "tail" : "")}_{Form.ToString().ToLowerInvariant()}_{(VectorBytes == 64 ? "avx512" : "avx2")}_jit");

    // By hand: comparers of enumerations are made by reflection when they are first met.
    /// <inheritdoc/>
    public bool Equals(TileCode other) => VectorBytes == other.VectorBytes && Rows == other.Rows && Vectors == other.Vectors && HasTail == other.HasTail && Form == other.Form;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(VectorBytes, Rows, Vectors, HasTail ? 1 : 0, (int)Form);

    /// <summary>The first vector register behind the accumulators.</summary>
    public int FirstFree => Rows * Vectors;

    /// <summary>The vector registers at a width.</summary>
    public static int Registers(int vectorBytes) => vectorBytes == 64 ? 32 : 16;

    /// <inheritdoc/>
    public KernelGenerator Generator() => new TileGenerator(this);
}
