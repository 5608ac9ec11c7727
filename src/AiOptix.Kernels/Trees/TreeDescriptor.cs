using AiOptix.Tensors;

namespace AiOptix.Kernels.Trees;

/// <summary>How the votes of the trees for a target become one number.</summary>
public enum TreeTotal
{
    /// <summary>The sum over the number of trees.</summary>
    Average,
    /// <summary>The sum.</summary>
    Sum,
    /// <summary>The least.</summary>
    Min,
    /// <summary>The greatest.</summary>
    Max,
}

/// <summary>What becomes of the numbers of a row.</summary>
public enum TreeTransform
{
    /// <summary>They stay.</summary>
    None,
    /// <summary>exp(s) over their sum.</summary>
    Softmax,
    /// <summary>1 / (1 + exp(-s)).</summary>
    Logistic,
    /// <summary>Softmax of those that are not zero; zeros stay.</summary>
    SoftmaxZero,
    /// <summary>The quantile of the normal distribution.</summary>
    Probit,
}

/// <summary>How a row of scores names a class.</summary>
/// <param name="Labels">The number that stands for each class; for none it is <paramref name="None"/>.</param>
/// <param name="None">What stands for no class: one class whose score is not above 0.</param>
/// <param name="OnlyTarget">With two classes, the one that all votes are for; -1 where votes are for both. Its score s becomes two: 1 - s and s, or -s and s.</param>
/// <param name="IsProbability">Whether that one score is a probability: no vote is negative.</param>
public sealed record TreeClasses(long[] Labels, long None, int OnlyTarget, bool IsProbability);

/// <summary>The contract of a forest over rows: features dense [rows, features], results [rows, targets] in float32, float64 or float16, labels int64 [rows].</summary>
/// <param name="Rows">How many rows.</param>
/// <param name="Features">Features of a row, at least as many as the trees ask for.</param>
/// <param name="Targets">Numbers a row gets.</param>
/// <param name="Result">The type of the results.</param>
/// <param name="Total">How votes become one number.</param>
/// <param name="Transform">What becomes of the numbers of a row.</param>
/// <param name="Base">What is added to the first targets.</param>
/// <param name="Classes">How a row names a class; null where it does not.</param>
public sealed record TreeDescriptor(long Rows, long Features, int Targets, DType Result, TreeTotal Total, TreeTransform Transform, double[] Base, TreeClasses? Classes = null);
