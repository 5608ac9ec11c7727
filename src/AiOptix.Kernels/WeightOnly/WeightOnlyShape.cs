namespace AiOptix.Kernels.WeightOnly;

/// <summary>The product of float32 rows with weights of 4 or 8 bits: C[M,N] = A[M,K] · ((Q[K,N] − zero) · scale), a scale, and perhaps a zero point, for each column of a block of K.</summary>
/// <param name="M">Rows.</param>
/// <param name="N">Columns.</param>
/// <param name="K">Terms.</param>
/// <param name="Bits">Bits of a weight: 4 or 8.</param>
/// <param name="Block">Terms that share a scale; the last block may have fewer.</param>
/// <param name="HasZeros">Whether zero points differ from the middle: 0 of signed weights, 8 or 128 of unsigned ones.</param>
public readonly record struct WeightOnlyShape(int M, int N, int K, int Bits, int Block, bool HasZeros)
{
    /// <summary>Blocks of a column.</summary>
    public int Blocks => (K + Block - 1) / Block;
}

/// <summary>What is packed.</summary>
public unsafe struct WeightOnlyWeights
{
    /// <summary>Q less the middle of its type, −8 to 7 or −128 to 127: [K,N] at any strides.</summary>
    public sbyte* Q;
    /// <summary>From a term to the next, and from a column to the next.</summary>
    public nint TermStride, ColumnStride;
    /// <summary>The scales of block and column at any strides.</summary>
    public float* Scales;
    /// <summary>From a block to the next, and from a column to the next; 0 repeats.</summary>
    public nint BlockStride, ScaleStride;
    /// <summary>Zero points less the middle, with the strides of the scales; null for none.</summary>
    public float* Zeros;
}
