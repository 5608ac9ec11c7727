using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Fold;

/// <summary>One output pixel of a fold; vectors run along the channels.</summary>
internal static unsafe class FoldLoop
{
    /// <summary>Adds up stretches of channels, beginning with the addends.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Pixel<T>(float** x, int count, float* addends, float* y, int n) where T : unmanaged, IVec<T>
    {
        var c = 0;
        for (; c <= n - T.Count; c += T.Count)
        {
            var sum = addends == null ? T.Zero : T.Load(addends + c);
            for (var i = 0; i < count; i++) sum += T.Load(x[i] + c);
            T.Store(y + c, sum);
        }
        if (c == n) return;
        var last = addends == null ? T.Zero : T.LoadPart(addends + c, n - c);
        for (var i = 0; i < count; i++) last += T.LoadPart(x[i] + c, n - c);
        T.StorePart(y + c, last, n - c);
    }
}
