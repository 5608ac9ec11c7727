namespace AiOptix.Kernels.Gemm;

/// <summary>The product C[M,N] = A[M,K] · B[K,N], repeated over two batch dimensions.</summary>
/// <param name="M">Rows of A and C.</param>
/// <param name="N">Columns of B and C.</param>
/// <param name="K">Columns of A, rows of B; 0 gives sums of 0.</param>
/// <param name="Batch1">The outer batch dimension.</param>
/// <param name="Batch2">The inner batch dimension.</param>
/// <param name="PackedA">A is given as <see cref="GemmPlan.PackA"/> wrote it.</param>
/// <param name="PackedB">B is given as <see cref="GemmPlan.PackB"/> wrote it.</param>
/// <param name="CompactB">The packed B is compact: 28 bits a weight, for products of few rows; see <see cref="GemmKernel.CanCompact"/>.</param>
public readonly record struct GemmShape(int M, int N, int K, int Batch1 = 1, int Batch2 = 1, bool PackedA = false, bool PackedB = false, bool CompactB = false)
{
    /// <summary>Products over both batch dimensions.</summary>
    public int Batch => checked(Batch1 * Batch2);
}
