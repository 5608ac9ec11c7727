using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>Matrix products of widened numbers, row-major; what every contraction is evaluated with.</summary>
internal static class Products
{
    /// <summary>c [m,n] += a [m,k] · b [k,n].</summary>
    public static void Accumulate<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> c, int m, int k, int n) where T : struct, INumber<T>
    {
        for (var i = 0; i < m; i++)
        {
            var row = c.Slice(i * n, n);
            var weights = a.Slice(i * k, k);
            var p = 0;
            for (; p + 4 <= k; p += 4)
            {
                var (w0, w1, w2, w3) = (weights[p], weights[p + 1], weights[p + 2], weights[p + 3]);
                var b0 = b.Slice(p * n, row.Length);
                var b1 = b.Slice((p + 1) * n, row.Length);
                var b2 = b.Slice((p + 2) * n, row.Length);
                var b3 = b.Slice((p + 3) * n, row.Length);
                for (var j = 0; j < row.Length; j++) row[j] = unchecked(row[j] + w0 * b0[j] + w1 * b1[j] + w2 * b2[j] + w3 * b3[j]);
            }
            for (; p < k; p++)
            {
                var w = weights[p];
                var line = b.Slice(p * n, row.Length);
                for (var j = 0; j < row.Length; j++) row[j] = unchecked(row[j] + w * line[j]);
            }
        }
    }

    /// <summary>The transpose of a matrix.</summary>
    public static T[] Transposed<T>(ReadOnlySpan<T> matrix, int rows, int columns)
    {
        var r = new T[matrix.Length];
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++) r[j * rows + i] = matrix[i * columns + j];
        return r;
    }

    /// <summary>Floating-point types and integers of 32 and 64 bits: what ONNX multiplies matrices of.</summary>
    public static bool IsMultiplicable(DType type) => Numbers.IsReal(type) || type is DType.Int32 or DType.Int64 or DType.UInt32 or DType.UInt64;
}
