using System.Globalization;
using System.Text;
using AiOptix.Kernels.Choice;
using AiOptix.Tensors;
using AiOptix.Tuning;

namespace AiOptix.Bench.Kernels;

/// <summary>A measured kernel.</summary>
/// <param name="Problem">The problem's text.</param>
/// <param name="Candidate">The candidate's name.</param>
/// <param name="Seconds">The least time of a run.</param>
internal sealed record CostPoint(string Problem, string Candidate, double Seconds);

/// <summary>Costs of kernel rows from measured points: non-negative, with the least sum of squared relative errors.</summary>
internal static class CostFit
{
    private const int Sweeps = 3_000;

    /// <summary>The file of the points, under the repository's root.</summary>
    public const string PointsFile = "bench/kernels/points.tsv";

    /// <summary>The file of the costs.</summary>
    public const string CostsFile = "src/AiOptix.Kernels/Choice/KernelCosts.cs";

    /// <summary>The file of the problems whose pick lags.</summary>
    public const string LaggingFile = "bench/kernels/lagging.txt";

    /// <summary>The problems whose pick by some costs takes over 10 % longer than the best candidate, by the points.</summary>
    public static IEnumerable<string> Lagging(IReadOnlyList<CostPoint> points, Target target, SortedDictionary<string, double[]> costs)
    {
        foreach (var of in points.GroupBy(p => p.Problem, StringComparer.Ordinal))
        {
            var problem = KernelProblem.Parse(of.Key);
            string[] candidates = [.. of.Select(p => p.Candidate)];
            var predicted = of.Select(p => (p.Seconds, Predicted: Enumerable.Range(0, KernelWork.Figures).Sum(i => problem.Work(p.Candidate, target)[i] * Rounded(costs[problem.RowOf(p.Candidate)][i])))).ToArray();
            var contenders = problem.Contenders(target).ToHashSet(StringComparer.Ordinal);
            var chosen = predicted.Where((_, i) => contenders.Contains(candidates[i])).ToArray();
            var limit = chosen.Min(p => p.Predicted) * (1 + KernelProblem.Doubt);
            if (chosen.First(p => p.Predicted <= limit).Seconds > predicted.Min(p => p.Seconds) * (1 + KernelComparison.AllowedLag)) yield return of.Key;
        }
    }

    /// <summary>Reads the points and the machine that they were measured on.</summary>
    public static (Target Target, IReadOnlyList<CostPoint> Points) Read(string path)
    {
        var lines = File.ReadAllLines(path).Where(l => l.Length > 0).Select(l => l.Split('\t')).ToArray();
        var machine = lines.First(l => l[0] == "# target");
        var target = new Target((Isa)int.Parse(machine[1], CultureInfo.InvariantCulture), int.Parse(machine[2], CultureInfo.InvariantCulture), int.Parse(machine[3], CultureInfo.InvariantCulture), long.Parse(machine[4], CultureInfo.InvariantCulture));
        return (target, [.. lines.Where(l => l[0][0] != '#').Select(l => new CostPoint(l[0], l[1], double.Parse(l[2], CultureInfo.InvariantCulture) * 1e-9))]);
    }

    /// <summary>Writes the points.</summary>
    public static void Write(string path, string machine, Target target, IEnumerable<CostPoint> points)
    {
        var text = new StringBuilder($"# Nanoseconds of a run, the third least of 15, on one thread, weights outside the second-level cache; written by ./bench.sh kernels\n# machine\t{machine}\n");
        text.Append(CultureInfo.InvariantCulture, $"# target\t{(int)target.Isa}\t{target.L1Bytes}\t{target.L2Bytes}\t{target.L3Bytes}\n");
        foreach (var p in points) text.Append(CultureInfo.InvariantCulture, $"{p.Problem}\t{p.Candidate}\t{p.Seconds * 1e9:0.0}\n");
        File.WriteAllText(path, text.ToString());
    }

    /// <summary>The costs of every row that was measured, in nanoseconds a figure.</summary>
    public static SortedDictionary<string, double[]> Fit(IReadOnlyList<CostPoint> points, Target target)
    {
        var costs = new SortedDictionary<string, double[]>(StringComparer.Ordinal);
        foreach (var row in points.Select(p => (Problem: KernelProblem.Parse(p.Problem), Point: p)).GroupBy(p => p.Problem.RowOf(p.Point.Candidate), StringComparer.Ordinal))
        {
            double[][] equations = [.. row.Select(p =>
            {
                var work = p.Problem.Work(p.Point.Candidate, target);
                return Enumerable.Range(0, KernelWork.Figures).Select(i => work[i] * 1e-9 / p.Point.Seconds).ToArray();
            })];
            costs[row.Key] = NonNegative(equations);
        }
        return costs;
    }

    /// <summary>The file of the costs.</summary>
    public static string Code(SortedDictionary<string, double[]> costs)
    {
        var text = new StringBuilder("""
            namespace AiOptix.Kernels.Choice;

            /// <summary>Costs of kernel rows, nanoseconds a figure of <see cref="KernelWork"/>; written by <c>./bench.sh kernels</c> from the points in <c>bench/kernels</c>.</summary>
            internal static class KernelCosts
            {
                /// <summary>Those that were measured.</summary>
                public static IReadOnlyDictionary<string, KernelCost> Measured { get; } = new Dictionary<string, KernelCost>(StringComparer.Ordinal)
                {

            """);
        foreach (var (row, cost) in costs) text.Append(CultureInfo.InvariantCulture, $"        [\"{row}\"] = new({string.Join(", ", cost.Select(Figure))}),\n");
        return text.Append("    };\n}\n").ToString();
    }

    private static string Figure(double cost) => cost.ToString("G5", CultureInfo.InvariantCulture);

    private static double Rounded(double cost) => double.Parse(Figure(cost), CultureInfo.InvariantCulture);

    // Coordinate descent for min |E·c − 1|² with c ≥ 0.
    private static double[] NonNegative(double[][] equations)
    {
        var cost = new double[KernelWork.Figures];
        var squares = Enumerable.Range(0, cost.Length).Select(i => equations.Sum(e => e[i] * e[i])).ToArray();
        var left = equations.Select(_ => 1.0).ToArray();
        for (var sweep = 0; sweep < Sweeps; sweep++)
            for (var i = 0; i < cost.Length; i++)
            {
                if (squares[i] == 0) continue;
                double slope = 0;
                for (var e = 0; e < equations.Length; e++) slope += equations[e][i] * left[e];
                var next = Math.Max(0, cost[i] + slope / squares[i]);
                var change = next - cost[i];
                if (change == 0) continue;
                cost[i] = next;
                for (var e = 0; e < equations.Length; e++) left[e] -= equations[e][i] * change;
            }
        return cost;
    }
}
