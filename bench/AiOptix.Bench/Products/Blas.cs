using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Bench.Products;

/// <summary>Float32 products of other libraries, as Debian ships them, on one thread: <c>C[M,N] = A[M,K] · B[K,N]</c>, rows one after the other.</summary>
internal static unsafe partial class Blas
{
    /// <summary>What <c>cblas.h</c> calls rows one after the other, and operands that are not turned.</summary>
    private const int RowMajor = 101, NoTrans = 111;

    /// <summary>OpenBLAS.</summary>
    public static void OpenBlas(int m, int n, int k, float* a, float* b, float* c) => CblasSgemm(RowMajor, NoTrans, NoTrans, m, n, k, 1, a, k, b, n, 0, c, n);

    /// <summary>oneDNN.</summary>
    public static void OneDnn(int m, int n, int k, float* a, float* b, float* c)
    {
        if (DnnlSgemm((byte)'N', (byte)'N', m, n, k, 1, a, k, b, n, 0, c, n) is not 0 and var status) throw new AiOptixException($"dnnl_sgemm: status {status}");
    }

    /// <summary>Both on one thread; oneDNN takes its number from OpenMP, which reads the environment when it is loaded.</summary>
    public static void OneThread()
    {
        if (Environment.GetEnvironmentVariable("OMP_NUM_THREADS") != "1") throw new AiOptixException("OMP_NUM_THREADS=1 is not set: run ./bench.sh products");
        OpenBlasSetNumThreads(1);
    }

    [LibraryImport("libopenblas.so.0", EntryPoint = "cblas_sgemm")]
    private static partial void CblasSgemm(int order, int transA, int transB, int m, int n, int k, float alpha, float* a, int lda, float* b, int ldb, float beta, float* c, int ldc);

    [LibraryImport("libopenblas.so.0", EntryPoint = "openblas_set_num_threads")]
    private static partial void OpenBlasSetNumThreads(int threads);

    [LibraryImport("libdnnl.so.2", EntryPoint = "dnnl_sgemm")]
    private static partial int DnnlSgemm(byte transA, byte transB, long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb, float beta, float* c, long ldc);
}
