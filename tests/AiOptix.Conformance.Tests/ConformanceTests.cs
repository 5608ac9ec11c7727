using System.Collections.Concurrent;
using AiOptix.Optimization;
using AiOptix.Verification;
using Xunit.Abstractions;

namespace AiOptix.Conformance.Tests;

/// <summary>The cases of the ONNX project at every level, and real models as compiled programs. Other levels of these, and capped instruction sets, belong to <c>sweep.sh</c>.</summary>
public class ConformanceTests(ITestOutputHelper output)
{
    private static readonly VerificationLevel[] all = Enum.GetValues<VerificationLevel>();

    private static readonly (string Folder, string Group, VerificationLevel[] Levels, Tolerance Tolerance)[] groups =
    [
        ("onnx-backend/node", "node", all, new()),
        ("onnx-backend/simple", "simple", all, new()),
        ("onnx-backend/pytorch-converted", "pytorch-converted", all, new()),
        ("onnx-backend/pytorch-operator", "pytorch-operator", all, new()),
        ("models", "models", [VerificationLevel.Plan], Tolerance.Model),
    ];

    [SkippableFact]
    public void The_listed_cases_pass_at_the_listed_levels_and_no_others()
    {
        Skip.If(Manifest.Shared is null, "../shared is not there");
        var jobs = groups.SelectMany(g => ModelCases.Find(Path.Combine(Manifest.Shared!, g.Folder))
            .SelectMany(c => g.Levels.Select(l => (Case: c with { Name = $"{g.Group}/{c.Name}" }, Level: l, Options: new VerificationOptions { Tolerance = g.Tolerance })))).ToList();
        var cases = jobs.Select(j => j.Case.Name).ToHashSet(StringComparer.Ordinal);
        Assert.True(cases.Count > 1000, $"only {cases.Count} cases in {Manifest.Shared}");
        var results = new ConcurrentBag<(VerificationLevel Level, CaseResult Result)>();
        Parallel.ForEach(jobs, j => results.Add((j.Level, CaseVerifier.Verify(j.Case, j.Level, j.Options))));
        Report(results);
        var passing = results.Where(r => r.Result.Passed).Select(r => (r.Result.Case.Name, r.Level)).ToHashSet();
        if (Manifest.Update) Manifest.Write(passing);
        var listed = Manifest.Read();
        var broken = results.Where(r => !r.Result.Passed && listed.Contains((r.Result.Case.Name, r.Level))).Select(r => $"{r.Result.Case.Name} ({r.Level}): {r.Result.Failure}");
        var gone = listed.Where(l => !cases.Contains(l.Case)).Select(l => $"{l.Case}: listed, but there is no such case");
        var gained = passing.Where(p => !listed.Contains(p)).Select(p => $"{p.Name} ({p.Level}): passes, but is not listed; run with AIOPTIX_UPDATE_MANIFEST=1 and commit the manifest");
        var excluded = Manifest.Excluded();
        var failing = results.Where(r => !r.Result.Passed).Select(r => r.Result.Case.Name).ToHashSet(StringComparer.Ordinal);
        var unexplained = failing.Where(c => !excluded.ContainsKey(c)).Select(c => $"{c}: fails, and conformance-excluded.txt gives no reason");
        var explained = excluded.Keys.Where(c => !failing.Contains(c)).Select(c => $"{c}: conformance-excluded.txt says that it fails, but it does not");
        Assert.All(excluded.Values, reason => Assert.EndsWith(".", reason, StringComparison.Ordinal));
        Assert.Empty(broken.Concat(gone).Concat(gained).Concat(unexplained).Concat(explained).Order(StringComparer.Ordinal));
    }

    private void Report(IReadOnlyCollection<(VerificationLevel Level, CaseResult Result)> results)
    {
        foreach (var level in results.GroupBy(r => r.Level, r => r.Result).OrderBy(g => g.Key))
            output.WriteLine($"{level.Key}: {level.Count()} cases: {level.Count(r => r.Passed)} pass, {level.Count(r => r.Unsupported)} not supported, {level.Count(r => !r.Passed && !r.Unsupported)} fail");
        foreach (var (level, r) in results.Where(r => !r.Result.Passed).OrderBy(r => r.Result.Unsupported).ThenBy(r => r.Result.Case.Name, StringComparer.Ordinal).ThenBy(r => r.Level))
            output.WriteLine($"{(r.Unsupported ? "unsupported" : "FAILED")} {r.Case.Name} ({level}): {r.Failure}");
        foreach (var (level, r) in results.OrderByDescending(r => r.Result.Elapsed).Take(10)) output.WriteLine($"{r.Elapsed.TotalMilliseconds:F0} ms {r.Case.Name} ({level})");
    }
}
