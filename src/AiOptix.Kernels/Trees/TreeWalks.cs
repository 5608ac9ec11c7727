using System.Numerics;
using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Trees;

/// <summary>Whether a feature leads to the second of a place's two followers.</summary>
internal unsafe interface ITreeStep
{
    /// <summary>The answer for the feature of a place.</summary>
    static abstract bool IsSecond<T>(T* row, TreePlace<T>* place) where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}

/// <summary>NaN is not above; the second follower is the one above.</summary>
internal readonly unsafe struct MissingNotAbove : ITreeStep
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSecond<T>(T* row, TreePlace<T>* place) where T : unmanaged, IBinaryFloatingPointIeee754<T> => row[place->Feature] > place->Split;
}

/// <summary>NaN is above; the first follower is the one above.</summary>
internal readonly unsafe struct MissingAbove : ITreeStep
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSecond<T>(T* row, TreePlace<T>* place) where T : unmanaged, IBinaryFloatingPointIeee754<T> => row[place->Feature] <= place->Split;
}

/// <summary>NaN goes as the sign bit of the feature says; the second follower is the one above.</summary>
internal readonly unsafe struct MissingEach : ITreeStep
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSecond<T>(T* row, TreePlace<T>* place) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var x = row[place->Feature & int.MaxValue];
        return x > place->Split | (T.IsNaN(x) & place->Feature < 0);
    }
}

/// <summary>
/// Walks from roots to leaves. A step has no branch: the comparison's bit picks the follower. One walk waits for memory at each step, so eight go side by side: eight trees
/// over one row, or eight rows down one tree. Those that have come to a leaf stay there; four steps on, all may have.
/// </summary>
internal static unsafe class TreeWalks<T, TStep> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TStep : struct, ITreeStep
{
    private const int Abreast = 8;
    private const int StepsAtOnce = 4;

    /// <summary>The leaves of some trees for one row, eight at a time.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Trees(byte* places, int* roots, int trees, void* row, int depth, int* leaves)
    {
        var x = (T*)row;
        for (; trees >= Abreast; trees -= Abreast, roots += Abreast, leaves += Abreast) Eight(places, roots[0], roots[1], roots[2], roots[3], roots[4], roots[5], roots[6], roots[7], x, 0, depth, leaves);
        for (var t = 0; t < trees; t++) leaves[t] = One(places, roots[t], x);
    }

    /// <summary>The leaves of one tree for some rows, eight at a time.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Rows(byte* places, int root, void* rows, nint stride, int count, int depth, int* leaves)
    {
        var x = (T*)rows;
        for (; count >= Abreast; count -= Abreast, x += Abreast * stride, leaves += Abreast) Eight(places, root, root, root, root, root, root, root, root, x, stride, depth, leaves);
        for (var r = 0; r < count; r++, x += stride) leaves[r] = One(places, root, x);
    }

    /// <summary>The scalar reference of <see cref="Trees"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void TreesOne(byte* places, int* roots, int trees, void* row, int depth, int* leaves)
    {
        for (var t = 0; t < trees; t++) leaves[t] = One(places, roots[t], (T*)row);
    }

    /// <summary>The scalar reference of <see cref="Rows"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void RowsOne(byte* places, int root, void* rows, nint stride, int count, int depth, int* leaves)
    {
        for (var r = 0; r < count; r++) leaves[r] = One(places, root, (T*)rows + r * stride);
    }

    [MethodImpl(HotCode.Optimized)]
    private static int One(byte* places, nint at, T* x)
    {
        while (Place(places, at)->Leaf < 0) at = Step(places, at, x);
        return Place(places, at)->Leaf;
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Eight(byte* places, nint a, nint b, nint c, nint d, nint e, nint f, nint g, nint h, T* x, nint stride, int depth, int* leaves)
    {
        for (; ; depth -= StepsAtOnce)
        {
            for (var i = Math.Min(depth, StepsAtOnce); i > 0; i--)
            {
                var p = x;
                a = Step(places, a, p);
                p += stride;
                b = Step(places, b, p);
                p += stride;
                c = Step(places, c, p);
                p += stride;
                d = Step(places, d, p);
                p += stride;
                e = Step(places, e, p);
                p += stride;
                f = Step(places, f, p);
                p += stride;
                g = Step(places, g, p);
                p += stride;
                h = Step(places, h, p);
            }
            leaves[0] = Place(places, a)->Leaf;
            leaves[1] = Place(places, b)->Leaf;
            leaves[2] = Place(places, c)->Leaf;
            leaves[3] = Place(places, d)->Leaf;
            leaves[4] = Place(places, e)->Leaf;
            leaves[5] = Place(places, f)->Leaf;
            leaves[6] = Place(places, g)->Leaf;
            leaves[7] = Place(places, h)->Leaf;
            if ((leaves[0] | leaves[1] | leaves[2] | leaves[3] | leaves[4] | leaves[5] | leaves[6] | leaves[7]) >= 0) return;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Step(byte* places, nint at, T* x)
    {
        var place = Place(places, at);
        return place->Next + (nint)Unsafe.BitCast<bool, byte>(TStep.IsSecond(x, place)) * sizeof(TreePlace<T>);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TreePlace<T>* Place(byte* places, nint at) => (TreePlace<T>*)(places + at);
}
