using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>What a metric looks at: the answers of a model to one sample, beside those of the baseline.</summary>
/// <param name="Sample">The sample's index in the data.</param>
/// <param name="Outputs">The model's outputs in order.</param>
/// <param name="Baseline">The baseline's outputs in order; the same when it is the baseline that is scored.</param>
/// <param name="Label">The sample's label; null when there are none.</param>
public sealed record MetricCall(int Sample, IReadOnlyList<Tensor> Outputs, IReadOnlyList<Tensor> Baseline, Tensor? Label);

/// <summary>
/// How good the answers to a sample are. Either a score of their own, more being better (its mean is what <see cref="ErrorBudget.MaxAccuracyDrop"/> bounds the loss of), or an error against the
/// baseline's answers, of which <see cref="ErrorBudget.MaxError"/> bounds the largest.
/// </summary>
public abstract class Metric
{
    /// <summary>Right or wrong: whether the largest element of each row of the first output is the label's; without labels, the baseline's.</summary>
    public static Metric Top1 { get; } = new Top1Metric();

    /// <summary>The largest difference of any output's element from the baseline's, over the largest magnitude of that output.</summary>
    public static Metric LargestError { get; } = new ErrorMetric("largest error", (e, a) => TensorComparison.Compare(e, a, new Tolerance(0, double.MaxValue)) is { Failure: null } c ? c.MaxScaled : double.PositiveInfinity);

    /// <summary>The mean squared difference from the baseline's output over its mean square.</summary>
    public static Metric SquaredError { get; } = new ErrorMetric("mse", RelativeSquares);

    /// <summary>1 less the cosine between an output and the baseline's.</summary>
    public static Metric Cosine { get; } = new ErrorMetric("cosine", (e, a) => TensorComparison.Compare(e, a, new Tolerance(0, double.MaxValue)) is { Failure: null } c ? 1 - c.Cosine : double.PositiveInfinity);

    /// <summary>The name in reports.</summary>
    public abstract string Name { get; }

    /// <summary>Whether it is an error against the baseline's answers.</summary>
    public abstract bool IsError { get; }

    /// <summary>Whether every score is 1 for right or 0 for wrong.</summary>
    public virtual bool IsBinary => false;

    /// <summary>One number for the sample, or for each of its rows.</summary>
    public abstract double[] Score(MetricCall call);

    /// <summary>A score of the user's own.</summary>
    /// <param name="name">The name in reports.</param>
    /// <param name="score">Gives a number for the sample, or for each of its rows; more is better.</param>
    public static Metric Of(string name, Func<MetricCall, double[]> score) => new CallMetric(name, score);

    /// <summary>The mean squared difference over the mean square of what is expected; infinite where only one of two is finite.</summary>
    internal static double RelativeSquares(Tensor expected, Tensor actual)
    {
        if (expected.DType != actual.DType || expected.Shape != actual.Shape) return double.PositiveInfinity;
        if (!expected.DType.IsFloat()) return expected.BitEquals(actual) ? 0 : 1;
        double error = 0, size = 0;
        var (e, a) = (ElementTypes.ToFloat64(expected), ElementTypes.ToFloat64(actual));
        for (var i = 0; i < e.Length; i++)
        {
            if (e[i].Equals(a[i])) size += double.IsFinite(e[i]) ? e[i] * e[i] : 0;
            else (error, size) = (error + (a[i] - e[i]) * (a[i] - e[i]), size + e[i] * e[i]);
        }
        return error == 0 ? 0 : double.IsFinite(error) && size > 0 ? error / size : double.PositiveInfinity;
    }

    private sealed class ErrorMetric(string name, Func<Tensor, Tensor, double> error) : Metric
    {
        public override string Name => name;

        public override bool IsError => true;

        public override double[] Score(MetricCall call) => [call.Baseline.Zip(call.Outputs, error).DefaultIfEmpty(0).Max()];
    }

    private sealed class Top1Metric : Metric
    {
        public override string Name => "top-1";

        public override bool IsError => false;

        public override bool IsBinary => true;

        public override double[] Score(MetricCall call)
        {
            var found = Rows(call.Outputs[0]);
            if (call.Label is null) return [.. found.Zip(Rows(call.Baseline[0]), (a, b) => a == b ? 1.0 : 0.0)];
            if (!call.Label.DType.IsInteger()) throw new InvalidInputException($"the labels of top-1 must be integers, found {call.Label}");
            var labels = call.Label.ToInt64();
            if (labels.Length != found.Length) throw new InvalidInputException($"sample {call.Sample} has {labels.Length} labels, but the first output has {found.Length} rows: {call.Outputs[0]}");
            return [.. found.Zip(labels, (a, b) => a == b ? 1.0 : 0.0)];
        }

        /// <summary>The index of the largest element of every row along the last axis, the first of equals.</summary>
        private static long[] Rows(Tensor output)
        {
            if (output.Shape.Rank == 0 || output.Shape[-1] < 2) throw new InvalidInputException($"top-1 needs a first output with a number for each class along its last axis, found {output}");
            var values = ElementTypes.ToFloat64(output);
            var classes = (int)output.Shape[-1];
            var rows = new long[values.Length / classes];
            for (var r = 0; r < rows.Length; r++)
            {
                var best = 0;
                for (var c = 1; c < classes; c++)
                    if (values[r * classes + c] > values[r * classes + best]) best = c;
                rows[r] = best;
            }
            return rows;
        }
    }

    private sealed class CallMetric(string name, Func<MetricCall, double[]> score) : Metric
    {
        public override string Name => name;

        public override bool IsError => false;

        public override double[] Score(MetricCall call)
        {
            var scores = score(call);
            return scores.Length > 0 && scores.All(double.IsFinite) ? scores : throw new InvalidInputException($"metric '{name}' gave {(scores.Length == 0 ? "no number" : "a number that is not finite")} for sample {call.Sample}");
        }
    }
}
