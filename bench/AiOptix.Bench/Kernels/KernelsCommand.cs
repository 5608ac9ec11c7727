using System.CommandLine;
using System.Diagnostics;
using AiOptix.Kernels;
using AiOptix.Kernels.Choice;

namespace AiOptix.Bench.Kernels;

/// <summary><c>./bench.sh kernels</c>: measures the kernels that the cost model chooses between, and writes the costs anew.</summary>
internal static class KernelsCommand
{
    private const int Rounds = 12;
    private const double TooSlow = 4;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var fit = new Option<bool>("--fit-only") { Description = "Write the costs from the points that are there." };
        var keep = new Option<bool>("--keep") { Description = "Keep the points that are there where they are faster: several runs on a busy machine." };
        var only = new Option<string?>("--only") { Description = "Measure problems whose text begins so, and keep the points of others.", HelpName = "TEXT" };
        var command = new Command("kernels", "Measure kernels for the cost model, one thread.") { fit, keep, only };
        command.SetAction(parsed =>
        {
            var path = Path.Combine(Repository.Root, CostFit.PointsFile);
            if (!parsed.GetValue(fit)) Measure(path, parsed.GetValue(keep), parsed.GetValue(only));
            var (target, points) = CostFit.Read(path);
            File.WriteAllText(Path.Combine(Repository.Root, CostFit.CostsFile), CostFit.Code(CostFit.Fit(points, target)));
            return 0;
        });
        return command;
    }

    private static void Measure(string path, bool keep, string? only)
    {
        var machine = MachineReport.Create();
        var known = File.Exists(path) ? CostFit.Read(path).Points.ToDictionary(p => (p.Problem, p.Candidate), p => p.Seconds) : [];
        var points = new List<CostPoint>();
        string[] problems = [.. File.ReadAllLines(Path.Combine(Repository.Root, "bench/kernels/problems.txt")).Where(l => l.Length > 0 && l[0] != '#')];
        for (var i = 0; i < problems.Length; i++)
        {
            if (only is not null && !problems[i].StartsWith(only, StringComparison.Ordinal))
            {
                points.AddRange(known.Where(k => k.Key.Problem == problems[i]).Select(k => new CostPoint(k.Key.Problem, k.Key.Candidate, k.Value)));
                continue;
            }
            foreach (var (candidate, seconds) in Least(KernelProblem.Parse(problems[i])))
                points.Add(new(problems[i], candidate, keep && known.TryGetValue((problems[i], candidate), out var before) ? Math.Min(before, seconds) : seconds));
            if (i % 50 == 49) Console.Error.WriteLine($"{i + 1} of {problems.Length}");
        }
        CostFit.Write(path, machine.Processor, machine.Target, points);
    }

    // The least time of each candidate, in turns; those that are far behind after two runs get no more.
    private static IEnumerable<(string Candidate, double Seconds)> Least(KernelProblem problem)
    {
        var target = HostTarget.Current;
        var names = problem.Candidates(target);
        var trials = names.Select(n => problem.Try(n, target)).ToArray();
        var least = new double[trials.Length];
        for (var i = 0; i < trials.Length; i++)
        {
            trials[i].Run();
            least[i] = Math.Min(Time(trials[i], 1), Time(trials[i], 1));
        }
        var limit = least.Min() * TooSlow;
        for (var round = 0; round < Rounds; round++)
            for (var i = 0; i < trials.Length; i++)
                if (least[i] <= limit) least[i] = Math.Min(least[i], Time(trials[i], (int)Math.Clamp(2e-4 / least[i], 1, 1000)));
        foreach (var t in trials) t.Dispose();
        return names.Zip(least);
    }

    private static double Time(KernelTrial trial, int repeats)
    {
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; i < repeats; i++) trial.Run();
        return Math.Max(1e-9, Stopwatch.GetElapsedTime(begin).TotalSeconds / repeats);
    }
}
