using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Vectors;

/// <summary>
/// The loop that carries an <see cref="IUnaryF32"/> over contiguous floats. The function stands once in the loop, for whole vectors and tail
/// alike: a second copy of a long function would exceed the compiler's inlining budget.
/// </summary>
public static unsafe class UnaryLoop
{
    /// <summary>y[i] = f(x[i]) for i in 0…n−1; y may be x. Any alignment; nothing beyond n is touched.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Run<TF, T>(float* x, float* y, long n, ActivationArgs* args) where TF : struct, IUnaryF32 where T : unmanaged, IVec<T>
    {
        var a = *args;
        for (long i = 0; i < n; i += T.Count)
        {
            var left = n - i;
            var v = left >= T.Count ? T.Load(x + i) : T.LoadPart(x + i, (int)left);
            v = TF.Apply(v, a);
            if (left >= T.Count) T.Store(y + i, v);
            else T.StorePart(y + i, v, (int)left);
        }
    }
}
