using AiOptix.Tensors;

namespace AiOptix.Kernels.Choice;

/// <summary>
/// Something to compute that several kernels can: what a choice of kernel looks at, and nothing else. Its text (<see cref="Key"/>) names it in files and on command lines; a candidate's name is that of
/// a row of its family's table, and for products also says whether B is read as it lies.
/// </summary>
public abstract record KernelProblem
{
    /// <summary>By how much less than an earlier candidate of the table a later one must be said to take.</summary>
    public const double Doubt = 0.05;

    private const double MostElements = 1 << 28;

    /// <summary>The problem as <see cref="Parse"/> reads it; the same problem has the same text.</summary>
    public abstract string Key { get; }

    /// <summary>Operations, a multiply-add counting as two.</summary>
    public abstract double Operations { get; }

    /// <summary>True when bytes are multiplied.</summary>
    public virtual bool IsInteger => false;

    /// <summary>Elements of its largest operand.</summary>
    private protected abstract double Elements { get; }

    /// <summary>True when there is something to compute, and operands of at most 2²⁸ elements to try it with.</summary>
    public bool CanTry => Elements <= MostElements && Operations > 0;

    /// <summary>The candidates that a machine can run, best row of the table first; at least one. The scalar reference, a table's last row, is none where there is another.</summary>
    public abstract IReadOnlyList<string> Candidates(Target target);

    /// <summary>Those of the candidates that the cost model chooses among; at least one.</summary>
    public virtual IReadOnlyList<string> Contenders(Target target) => Candidates(target);

    /// <summary>How much a candidate does.</summary>
    public abstract KernelWork Work(string candidate, Target target);

    /// <summary>The row whose cost counts for a candidate.</summary>
    public virtual string RowOf(string candidate) => candidate;

    /// <summary>Operands and a plan, to run a candidate.</summary>
    public abstract KernelTrial Try(string candidate, Target target);

    /// <summary>What the cost model says that a candidate takes, in seconds; infinite for a row without measured cost.</summary>
    public double Seconds(string candidate, Target target) => KernelCost.Of(RowOf(candidate))?.Seconds(Work(candidate, target)) ?? double.PositiveInfinity;

    /// <summary>
    /// The first contender of those that the cost model says to be the fastest, or within <see cref="Doubt"/> of that: it is not exact, and tables stand in an order. A function of the problem and the
    /// target only.
    /// </summary>
    public string Pick(Target target)
    {
        ArgumentNullException.ThrowIfNull(target);
        var all = Contenders(target);
        if (all.Count == 1) return all[0];
        var seconds = new double[all.Count];
        var least = double.PositiveInfinity;
        for (var i = 0; i < seconds.Length; i++) least = Math.Min(least, seconds[i] = Seconds(all[i], target));
        var limit = least * (1 + Doubt);
        return all[Math.Max(0, Array.FindIndex(seconds, s => s <= limit))];
    }

    /// <summary>Reads the text of a problem.</summary>
    /// <exception cref="FormatException">It is not one.</exception>
    public static KernelProblem Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var words = new ProblemText(text);
        KernelProblem problem = words.Operation switch
        {
            "gemm" => GemmProblem.Read(words),
            "conv" => new ConvProblem(ConvProblem.ReadShape(words)),
            "conv_int8" or "gemm_int8" => QuantizedProblem.Read(words),
            _ => throw words.Wrong("expected gemm:M=…,N=…,K=…, gemm_int8:M=…,N=…,K=…, conv:NxCxHxW,OxCxKxK,pad=…,stride=…,group=… or conv_int8:…"),
        };
        words.End();
        return problem.Elements <= MostElements ? problem : throw words.Wrong("an operand of it is larger than 2^28 elements");
    }

    /// <inheritdoc/>
    public sealed override string ToString() => Key;
}
