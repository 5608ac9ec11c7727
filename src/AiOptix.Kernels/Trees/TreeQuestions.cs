using System.Numerics;

namespace AiOptix.Kernels.Trees;

/// <summary>How a branch compares its feature with its split.</summary>
public enum TreeComparison : byte
{
    /// <summary>At most the split.</summary>
    LessOrEqual,
    /// <summary>Below the split.</summary>
    Less,
    /// <summary>At least the split.</summary>
    GreaterOrEqual,
    /// <summary>Above the split.</summary>
    Greater,
    /// <summary>The split.</summary>
    Equal,
    /// <summary>Not the split.</summary>
    NotEqual,
    /// <summary>One of a set.</summary>
    Member,
}

/// <summary>A branch of a tree as models have them. A child is the index of a branch, or the complement (~) of the index of a leaf.</summary>
/// <param name="Comparison">The question.</param>
/// <param name="Split">What the feature is compared with.</param>
/// <param name="Feature">Which feature.</param>
/// <param name="True">Where to go when the answer is yes.</param>
/// <param name="False">Where to go when it is no.</param>
/// <param name="MissingIsTrue">Where to go when the feature is NaN.</param>
/// <param name="Members">The set of a <see cref="TreeComparison.Member"/> branch.</param>
public readonly record struct TreeBranch(TreeComparison Comparison, double Split, int Feature, int True, int False, bool MissingIsTrue, ReadOnlyMemory<double> Members = default);

/// <summary>The one question that kernels ask: is the feature above the split? NaN is above or not, as the question says.</summary>
/// <param name="Split">The split; never NaN.</param>
/// <param name="Feature">Which feature.</param>
/// <param name="NotAbove">Where to go when it is not above.</param>
/// <param name="Above">Where to go when it is.</param>
/// <param name="MissingIsAbove">Where to go when the feature is NaN.</param>
internal readonly record struct TreeQuestion<T>(T Split, int Feature, int NotAbove, int Above, bool MissingIsAbove);

/// <summary>
/// Puts every branch into the form of <see cref="TreeQuestion{T}"/>, which answers the same for every feature of type T: splits are rounded to the neighbour in T on the side that
/// keeps the answers, equality takes two questions, and a set is searched. Branch i becomes question i; further questions follow behind.
/// </summary>
internal sealed class TreeQuestions<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly List<TreeQuestion<T>> questions;

    public TreeQuestions(ReadOnlySpan<TreeBranch> branches)
    {
        questions = new(branches.Length);
        for (var i = 0; i < branches.Length; i++) questions.Add(default);
        for (var i = 0; i < branches.Length; i++) questions[i] = Ask(branches[i]);
    }

    /// <summary>The questions.</summary>
    public TreeQuestion<T>[] All => [.. questions];

    private TreeQuestion<T> Ask(TreeBranch b) => b.Comparison switch
    {
        TreeComparison.LessOrEqual when AtMost(b.Split) is { } s => new(s, b.Feature, b.True, b.False, !b.MissingIsTrue),
        TreeComparison.Less when Below(b.Split) is { } s => new(s, b.Feature, b.True, b.False, !b.MissingIsTrue),
        TreeComparison.GreaterOrEqual when Below(b.Split) is { } s => new(s, b.Feature, b.False, b.True, b.MissingIsTrue),
        TreeComparison.GreaterOrEqual when b.Split == double.NegativeInfinity => Always(b, b.True),
        TreeComparison.Greater when AtMost(b.Split) is { } s => new(s, b.Feature, b.False, b.True, b.MissingIsTrue),
        TreeComparison.Equal => Equal(b),
        TreeComparison.NotEqual => Equal(b with { True = b.False, False = b.True, MissingIsTrue = !b.MissingIsTrue }),
        TreeComparison.Member => Member(b),
        _ => Always(b, b.False),
    };

    /// <summary>A question with one answer for all numbers; NaN goes its way.</summary>
    private static TreeQuestion<T> Always(TreeBranch b, int child) => new(T.PositiveInfinity, b.Feature, child, b.MissingIsTrue ? b.True : b.False, true);

    private TreeQuestion<T> Equal(TreeBranch b)
    {
        if (!IsExact(b.Split)) return Always(b, b.False);
        var notAbove = Below(b.Split) is { } s ? Add(new(s, b.Feature, b.False, b.True, true)) : b.True;
        return new(T.CreateChecked(b.Split), b.Feature, notAbove, b.False, !b.MissingIsTrue);
    }

    private TreeQuestion<T> Member(TreeBranch b)
    {
        double[] members = [.. b.Members.ToArray().Where(IsExact).Distinct().Order()];
        return Always(b, Search(members));

        int Search(ReadOnlySpan<double> some)
        {
            if (some.IsEmpty) return b.False;
            var middle = some.Length / 2;
            var least = Search(some[..middle]);
            var notAbove = Below(some[middle]) is { } s ? Add(new(s, b.Feature, least, b.True, true)) : b.True;
            return Add(new(T.CreateChecked(some[middle]), b.Feature, notAbove, Search(some[(middle + 1)..]), true));
        }
    }

    private int Add(TreeQuestion<T> question)
    {
        questions.Add(question);
        return questions.Count - 1;
    }

    private static bool IsExact(double value) => !double.IsNaN(value) && double.CreateChecked(T.CreateTruncating(value)) == value;

    /// <summary>The greatest value that is at most the split; null for NaN.</summary>
    private static T? AtMost(double split)
    {
        if (double.IsNaN(split)) return null;
        var near = T.CreateTruncating(split);
        return double.CreateChecked(near) > split ? T.BitDecrement(near) : near;
    }

    /// <summary>The greatest value below the split; null when there is none.</summary>
    private static T? Below(double split)
    {
        if (double.IsNaN(split) || split == double.NegativeInfinity) return null;
        var near = T.CreateTruncating(split);
        return double.CreateChecked(near) >= split ? T.BitDecrement(near) : near;
    }
}
