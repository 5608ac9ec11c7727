using System.Numerics;
using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Trees;

/// <summary>What a leaf adds to a target.</summary>
/// <param name="Target">The target.</param>
/// <param name="Weight">How much.</param>
public readonly record struct TreeVote(int Target, double Weight);

/// <summary>Where NaN goes in all branches of a forest; decides which walk serves it.</summary>
public enum TreeMissing
{
    /// <summary>Down the side of numbers that are not above the split.</summary>
    NotAbove,
    /// <summary>Down the side of numbers above the split.</summary>
    Above,
    /// <summary>As each branch says.</summary>
    Each,
}

/// <summary>
/// A place of a tree in packed form. The two places that a branch leads to lie side by side; a leaf leads to itself, since nothing is above NaN, so that walks of different
/// lengths can go on side by side.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TreePlace<T>
{
    /// <summary>NaN in a leaf.</summary>
    public T Split;
    /// <summary>The feature; the sign bit is set when NaN goes to the second place and branches differ in that.</summary>
    public int Feature;
    /// <summary>The first of the two places that follow, in bytes from the beginning.</summary>
    public int Next;
    /// <summary>The index of a leaf, or -1.</summary>
    public int Leaf;
}

/// <summary>Trees in the form that kernels walk, for features of one type. Immutable.</summary>
public sealed unsafe class TreeForest
{
    private readonly MemoryBlock places;
    private readonly int[] roots;
    private readonly int[] depths;
    private readonly int[] firstVote;
    private readonly TreeVote[] votes;

    /// <summary>Takes over what is packed; <paramref name="roots"/> and <paramref name="depths"/> a tree.</summary>
    private TreeForest(DType type, TreeMissing missing, MemoryBlock places, int[] roots, int[] depths, TreeVote[][] leaves)
    {
        Type = type;
        Missing = missing;
        this.places = places;
        this.roots = roots;
        this.depths = depths;
        firstVote = GC.AllocateArray<int>(leaves.Length + 1, pinned: true);
        for (var i = 0; i < leaves.Length; i++) firstVote[i + 1] = checked(firstVote[i] + leaves[i].Length);
        votes = GC.AllocateArray<TreeVote>(firstVote[^1], pinned: true);
        IsSingle = true;
        for (var i = 0; i < leaves.Length; i++)
        {
            leaves[i].CopyTo(votes, firstVote[i]);
            IsSingle &= leaves[i] is [{ Target: 0 }];
        }
    }

    /// <summary>The type of the features: float32 or float64.</summary>
    public DType Type { get; }

    /// <summary>Where NaN goes.</summary>
    public TreeMissing Missing { get; }

    /// <summary>How many trees.</summary>
    public int Trees => roots.Length;

    /// <summary>How many features the branches ask for.</summary>
    public int Features { get; private init; }

    /// <summary>Steps from a root to the deepest leaf of its tree.</summary>
    public ReadOnlySpan<int> Depths => depths;

    /// <summary>Steps to the deepest leaf of all.</summary>
    public int Depth { get; private init; }

    /// <summary>Places that a walk passes on average, about; what a row costs.</summary>
    public long Cost { get; private init; }

    /// <summary>Bytes that it owns.</summary>
    public long Bytes => places.Length + sizeof(int) * (long)(roots.Length + firstVote.Length) + sizeof(TreeVote) * (long)votes.Length;

    /// <summary>True when every leaf has one vote for target 0.</summary>
    internal bool IsSingle { get; }

    internal byte* Places => places.Pointer;

    internal int* Roots => (int*)Marshal.UnsafeAddrOfPinnedArrayElement(roots, 0);

    internal int* FirstVote => (int*)Marshal.UnsafeAddrOfPinnedArrayElement(firstVote, 0);

    internal TreeVote* Votes => (TreeVote*)Marshal.UnsafeAddrOfPinnedArrayElement(votes, 0);

    /// <summary>Packs trees.</summary>
    /// <param name="type">The type of the features: float32 or float64.</param>
    /// <param name="trees">Where each tree begins: a branch or the complement (~) of a leaf.</param>
    /// <param name="branches">The branches; no way leads from one back to itself.</param>
    /// <param name="leaves">The votes of each leaf.</param>
    /// <returns>Null when the packed form would take 2 GiB or more.</returns>
    public static TreeForest? Pack(DType type, ReadOnlySpan<int> trees, ReadOnlySpan<TreeBranch> branches, TreeVote[][] leaves) => type switch
    {
        DType.Float32 => Pack<float>(type, trees, branches, leaves),
        DType.Float64 => Pack<double>(type, trees, branches, leaves),
        _ => throw new ArgumentException($"features of type {type}", nameof(type)),
    };

    private static TreeForest? Pack<T>(DType type, ReadOnlySpan<int> trees, ReadOnlySpan<TreeBranch> branches, TreeVote[][] leaves)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var questions = new TreeQuestions<T>(branches).All;
        var (above, features) = (0, 0);
        foreach (var q in questions)
        {
            if (q.MissingIsAbove) above++;
            features = Math.Max(features, q.Feature + 1);
        }
        var missing = above == 0 ? TreeMissing.NotAbove : above == questions.Length ? TreeMissing.Above : TreeMissing.Each;
        var size = sizeof(TreePlace<T>);
        if ((trees.Length + 2L * questions.Length) * size > int.MaxValue) return null;
        // The places of a branch's children are found by the branch: two ways to one branch share what follows it.
        var next = new int[questions.Length];
        var order = new List<int>(trees.Length + 2 * questions.Length);
        order.AddRange(trees);
        for (var i = 0; i < trees.Length; i++) Follow(i);
        var places = MemoryBlock.Allocate((long)order.Count * size);
        var all = (TreePlace<T>*)places.Pointer;
        for (var i = 0; i < order.Count; i++) all[i] = order[i] < 0 ? new TreePlace<T>() { Split = T.NaN, Next = i * size, Leaf = ~order[i] } : Place(order[i]);
        var below = new int[questions.Length];
        var roots = GC.AllocateArray<int>(trees.Length, pinned: true);
        var depths = new int[trees.Length];
        for (var i = 0; i < trees.Length; i++) (roots[i], depths[i]) = (i * size, Depth(trees[i]));
        return new(type, missing, places, roots, depths, leaves) { Features = features, Depth = depths.DefaultIfEmpty().Max(), Cost = depths.Sum(d => 2L + d) };

        TreePlace<T> Place(int question)
        {
            var q = questions[question];
            return new() { Split = q.Split, Feature = missing == TreeMissing.Each && q.MissingIsAbove ? q.Feature | int.MinValue : q.Feature, Next = next[question], Leaf = -1 };
        }

        // Without recursion: a file may hold a tree of any depth.
        int Depth(int root)
        {
            var open = new Stack<int>([root]);
            while (open.TryPeek(out var at))
            {
                if (at < 0 || below[at] > 0)
                {
                    open.Pop();
                    continue;
                }
                var q = questions[at];
                if (IsOpen(q.NotAbove)) open.Push(q.NotAbove);
                if (IsOpen(q.Above)) open.Push(q.Above);
                if (open.Peek() == at) below[open.Pop()] = 1 + Math.Max(q.NotAbove < 0 ? 0 : below[q.NotAbove], q.Above < 0 ? 0 : below[q.Above]);
            }
            return root < 0 ? 0 : below[root];

            bool IsOpen(int follower) => follower >= 0 && below[follower] == 0;
        }

        // Level by level below one root.
        void Follow(int root)
        {
            var at = order.Count;
            for (Enter(root); at < order.Count; at++) Enter(at);
        }

        void Enter(int at)
        {
            var question = order[at];
            if (question < 0 || next[question] != 0) return;
            next[question] = order.Count * size;
            var q = questions[question];
            order.Add(missing == TreeMissing.Above ? q.Above : q.NotAbove);
            order.Add(missing == TreeMissing.Above ? q.NotAbove : q.Above);
        }
    }
}
