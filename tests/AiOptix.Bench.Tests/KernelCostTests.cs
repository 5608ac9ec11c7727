using AiOptix.Bench.Kernels;
using AiOptix.Kernels.Choice;
using AiOptix.Tuning;

namespace AiOptix.Bench.Tests;

/// <summary>The cost model against the committed points; nothing is timed.</summary>
public sealed class KernelCostTests
{
    private static string Root => Repository.Root;

    [Fact]
    public void TheCostsAreFittedToThePoints()
    {
        var (target, points) = CostFit.Read(Path.Combine(Root, CostFit.PointsFile));
        Assert.Equal(CostFit.Code(CostFit.Fit(points, target)), File.ReadAllText(Path.Combine(Root, CostFit.CostsFile)).ReplaceLineEndings("\n"));
    }

    [Fact]
    public void EveryPickLagsByTenPercentAtMostOrIsListed()
    {
        var (target, points) = CostFit.Read(Path.Combine(Root, CostFit.PointsFile));
        var lagging = new List<string>();
        foreach (var problem in points.GroupBy(p => p.Problem, StringComparer.Ordinal))
        {
            var times = problem.ToDictionary(p => p.Candidate, p => p.Seconds, StringComparer.Ordinal);
            var pick = KernelProblem.Parse(problem.Key).Pick(target);
            if (times[pick] > times.Values.Min() * (1 + KernelComparison.AllowedLag)) lagging.Add(problem.Key);
        }
        string[] known = [.. File.ReadAllLines(Path.Combine(Root, CostFit.LaggingFile)).Where(l => l.Length > 0 && l[0] != '#')];
        Assert.Equal(known, lagging);
    }

    [Fact]
    public void PointsAreOfTheProblemsThatAreListed()
    {
        var (target, points) = CostFit.Read(Path.Combine(Root, CostFit.PointsFile));
        var problems = File.ReadAllLines(Path.Combine(Root, "bench/kernels/problems.txt")).Where(l => l.Length > 0 && l[0] != '#');
        Assert.Equal(problems, points.Select(p => p.Problem).Distinct());
        Assert.All(points.GroupBy(p => p.Problem), p => Assert.Equal(KernelProblem.Parse(p.Key).Candidates(target), p.Select(c => c.Candidate)));
    }
}
