using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using AiOptix.Kernels;
using AiOptix.Kernels.Choice;

namespace AiOptix.Bench.Kernels;

/// <summary><c>./bench.sh kernels</c>: measures the kernels that the cost model chooses between, and writes the costs anew.</summary>
internal static class KernelsCommand
{
    private const int Rounds = 15;
    private const int Rank = 2;
    private const double SecondsATime = 1e-4;
    private const double Shortest = 5e-8;
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
            var costs = CostFit.Fit(points, target);
            File.WriteAllText(Path.Combine(Repository.Root, CostFit.CostsFile), CostFit.Code(costs));
            File.WriteAllLines(Path.Combine(Repository.Root, CostFit.LaggingFile), ["# Problems whose pick lags the best candidate by more than 10 % by the points; written by ./bench.sh kernels", .. CostFit.Lagging(points, target, costs)]);
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
            if (i % 50 == 49) Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{i + 1} of {problems.Length}"));
        }
        CostFit.Write(path, machine.Processor, machine.Target, points);
    }

    // The third least time of each candidate, in turns: the least may be a slip of the clock. Those that are far behind after a few runs get no more.
    private static IEnumerable<(string Candidate, double Seconds)> Least(KernelProblem problem)
    {
        var target = HostTarget.Current;
        var names = problem.Candidates(target);
        var trials = names.Select(n => problem.Try(n, target)).ToArray();
        var least = new double[trials.Length];
        for (var i = 0; i < trials.Length; i++)
        {
            trials[i].Run();
            least[i] = Math.Min(Time(trials[i], 2), Time(trials[i], 2));
        }
        var limit = least.Min() * TooSlow;
        var times = trials.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < Rounds; round++)
            for (var i = 0; i < trials.Length; i++)
                if (least[i] <= limit) times[i].Add(Time(trials[i], (int)Math.Clamp(SecondsATime / least[i], 1, 5000)));
        for (var i = 0; i < trials.Length; i++)
            if (times[i].Count > 0) least[i] = times[i].Order().ElementAt(Rank);
        foreach (var t in trials) t.Dispose();
        return names.Zip(least);
    }

    private static double Time(KernelTrial trial, int repeats)
    {
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; i < repeats; i++) trial.Run();
        return Math.Max(Shortest, Stopwatch.GetElapsedTime(begin).TotalSeconds / repeats);
    }
}
