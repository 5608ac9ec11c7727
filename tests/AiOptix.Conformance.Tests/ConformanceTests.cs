using System.Collections.Concurrent;
using AiOptix.Verification;
using Xunit.Abstractions;

namespace AiOptix.Conformance.Tests;

/// <summary>The cases of the ONNX project against the reference evaluation.</summary>
public class ConformanceTests(ITestOutputHelper output)
{
    private static readonly string[] groups = ["node", "simple", "pytorch-converted", "pytorch-operator"];

    [SkippableFact]
    public void The_reference_evaluation_passes_the_listed_cases_and_no_others()
    {
        Skip.If(Manifest.Shared is null, "../shared is not there");
        var root = Path.Combine(Manifest.Shared!, "onnx-backend");
        var cases = groups.SelectMany(g => ModelCases.Find(Path.Combine(root, g)).Select(c => c with { Name = $"{g}/{c.Name}" })).ToList();
        Assert.True(cases.Count > 1000, $"only {cases.Count} cases under {root}");
        var results = new ConcurrentBag<CaseResult>();
        Parallel.ForEach(cases, c => results.Add(CaseVerifier.Verify(c, VerificationLevel.Reference)));
        Report(results);
        var passing = results.Where(r => r.Passed).Select(r => r.Case.Name).ToHashSet(StringComparer.Ordinal);
        if (Manifest.Update) Manifest.Write(passing);
        var listed = Manifest.Read();
        var broken = results.Where(r => !r.Passed && listed.Contains(r.Case.Name)).Select(r => $"{r.Case.Name}: {r.Failure}");
        var gone = listed.Where(l => cases.TrueForAll(c => c.Name != l)).Select(l => $"{l}: listed, but there is no such case");
        var gained = passing.Where(p => !listed.Contains(p)).Select(p => $"{p}: passes, but is not listed; run with AIOPTIX_UPDATE_MANIFEST=1 and commit the manifest");
        Assert.Empty(broken.Concat(gone).Concat(gained).Order(StringComparer.Ordinal));
    }

    private void Report(IReadOnlyCollection<CaseResult> results)
    {
        output.WriteLine($"{results.Count} cases: {results.Count(r => r.Passed)} pass, {results.Count(r => r.Unsupported)} not supported, {results.Count(r => !r.Passed && !r.Unsupported)} fail");
        foreach (var r in results.Where(r => !r.Passed).OrderBy(r => r.Unsupported).ThenBy(r => r.Case.Name, StringComparer.Ordinal))
            output.WriteLine($"{(r.Unsupported ? "unsupported" : "FAILED")} {r.Case.Name}: {r.Failure}");
        foreach (var r in results.OrderByDescending(r => r.Elapsed).Take(10)) output.WriteLine($"{r.Elapsed.TotalMilliseconds:F0} ms {r.Case.Name}");
    }
}
