using System.Globalization;
using System.Text;

namespace AiOptix.Mutation.Tests;

/// <summary>How many mutants ended how, and those that must not have.</summary>
internal sealed class Histogram(int series)
{
    private const int Shown = 40;

    private readonly SortedDictionary<string, (int Count, int First)> counts = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, string> failures = [];

    /// <summary>How many.</summary>
    public int Total { get; private set; }

    /// <summary>How many reached the run of the compiled program.</summary>
    public int Ran { get; private set; }

    /// <summary>The failures by number of mutant.</summary>
    public IReadOnlyDictionary<int, string> Failures => failures;

    public void Add(int number, string kind, bool failed, bool ran, string error)
    {
        lock (counts)
        {
            Total++;
            if (ran) Ran++;
            var title = failed ? "FAILED " + kind : kind;
            counts[title] = counts.TryGetValue(title, out var c) ? (c.Count + 1, Math.Min(c.First, number)) : (1, number);
            if (failed) failures[number] = $"{kind}: {error}";
        }
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Total} mutants of series {series}, {100.0 * Ran / Math.Max(1, Total):F1} % reached the run, {failures.Count} failures\n");
        foreach (var (kind, count) in counts.OrderByDescending(c => c.Value.Count)) text.Append(CultureInfo.InvariantCulture, $"{count.Count,8}  {kind} (first: {count.First})\n");
        foreach (var (number, failure) in failures.Take(Shown)) text.Append(CultureInfo.InvariantCulture, $"mutant {number} (show {series} {number}): {failure}\n");
        if (failures.Count > Shown) text.Append(CultureInfo.InvariantCulture, $"and {failures.Count - Shown} more\n");
        return text.ToString().TrimEnd();
    }
}
