using System.Globalization;
using Xunit.Abstractions;

namespace AiOptix.Differential.Tests;

/// <summary>
/// Generated graphs at every level and in ONNX Runtime. <c>AIOPTIX_DIFFERENTIAL</c> says how many (<c>./sweep.sh differential</c> asks for many), and
/// <c>AIOPTIX_DIFFERENTIAL_ONLY</c> names operators to draw from. A graph that differs is shrunk and, with its inputs and ONNX Runtime's answers, written as a case into the folder that
/// <c>AIOPTIX_DIFFERENTIAL_KEEP</c> names: once it is known who is right, it moves to <c>Kept</c>, which <see cref="KeptTests"/> runs.
/// </summary>
public class DifferentialTests(ITestOutputHelper output)
{
    private static int Count => int.TryParse(Environment.GetEnvironmentVariable("AIOPTIX_DIFFERENTIAL"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var n) ? n : 400;

    private static string[] Only => Environment.GetEnvironmentVariable("AIOPTIX_DIFFERENTIAL_ONLY") is { Length: > 0 } names ? names.Split(' ') : [];

    [SkippableFact]
    public void GeneratedGraphsGiveTheSameEverywhere()
    {
        Skip.IfNot(OrtPeer.IsInstalled, "ONNX Runtime is not installed (npm ci in bench/)");
        var counts = new int[Enum.GetValues<Verdict>().Length];
        var differing = new List<string>();
        var excepted = new Dictionary<string, int>(StringComparer.Ordinal);
        var refused = new Dictionary<string, int>(StringComparer.Ordinal);
        Parallel.For(0, Count, seed =>
        {
            var (verdict, what, name) = Judge(seed);
            lock (counts)
            {
                counts[(int)verdict]++;
                if (verdict == Verdict.Differs) differing.Add($"{name}: {what}");
                if (verdict == Verdict.Excepted) excepted[what] = excepted.GetValueOrDefault(what) + 1;
                if (verdict is Verdict.Invalid or Verdict.NotInOnnxRuntime) refused[$"{verdict} {name[(name.IndexOf(':', StringComparison.Ordinal) + 2)..]}: {what}"] = 1;
            }
        });
        foreach (var verdict in Enum.GetValues<Verdict>()) output.WriteLine($"{verdict}: {counts[(int)verdict]}");
        foreach (var (why, times) in excepted.OrderBy(e => e.Key, StringComparer.Ordinal)) output.WriteLine($"excepted {times}: {why}");
        foreach (var line in differing.Order(StringComparer.Ordinal)) output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("AIOPTIX_DIFFERENTIAL_REPORT") is { Length: > 0 } report)
            File.WriteAllLines(report, [.. Enum.GetValues<Verdict>().Select(v => $"{v}: {counts[(int)v]}"), .. excepted.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"excepted {e.Value}: {e.Key}"), .. differing.Order(StringComparer.Ordinal)]);
        if (Environment.GetEnvironmentVariable("AIOPTIX_DIFFERENTIAL_REFUSED") is { Length: > 0 } list) File.WriteAllLines(list, refused.Keys.Order(StringComparer.Ordinal));
        Assert.Empty(differing);
        Assert.True(counts[(int)Verdict.Invalid] * 20 < Count, $"{counts[(int)Verdict.Invalid]} of {Count} graphs are invalid");
        Assert.True(counts[(int)Verdict.Agrees] * 3 > Count, $"ONNX Runtime takes only {counts[(int)Verdict.Agrees]} of {Count} graphs");
    }

    private static (Verdict Verdict, string What, string Name) Judge(int seed)
    {
        var g = Generator.Draw(seed, only: Only);
        var (verdict, what) = Comparison.Of(g);
        if (verdict != Verdict.Differs) return (verdict, what, g.Name);
        var (smallest, why, name) = Smaller(seed, g, what);
        if (Environment.GetEnvironmentVariable("AIOPTIX_DIFFERENTIAL_KEEP") is { Length: > 0 } folder) Kept.Write(Path.Combine(folder, $"{smallest.Drafts[0].OpType.ToLowerInvariant()}_{seed}"), smallest);
        return (verdict, why, name);
    }

    /// <summary>The smallest graph found that differs in the same operators: fewer nodes first, then smaller extents.</summary>
    private static (Generated Graph, string What, string Name) Smaller(int seed, Generated g, string what)
    {
        foreach (var draft in g.Drafts.Where(_ => g.Drafts.Count > 1))
        {
            var single = Generated.Of($"{g.Name}, {draft.OpType} alone", draft);
            if (Comparison.Of(single) is (Verdict.Differs, var why)) return (single, why, Named(single));
        }
        for (var size = 1; size < 4; size++)
        {
            var small = Generator.Draw(seed, size, Only);
            if (small.Drafts.Count == g.Drafts.Count && small.Drafts.Select(d => d.OpType).SequenceEqual(g.Drafts.Select(d => d.OpType)) && Comparison.Of(small) is (Verdict.Differs, var why))
                return (small, why, $"{Named(small)} at size {size}");
        }
        return (g, what, Named(g));
    }

    private static string Named(Generated g) => $"{g.Name} {string.Join(" | ", g.Drafts.Select(d => d.ToString()))}";
}
