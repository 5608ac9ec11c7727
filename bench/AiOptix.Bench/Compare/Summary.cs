using System.Globalization;

namespace AiOptix.Bench.Compare;

/// <summary>The geometric mean of the ratios of some models.</summary>
internal readonly record struct Group(string Name, int Models, double Ratio);

/// <summary>What a thread count's comparisons say together.</summary>
internal sealed class Summary
{
    /// <param name="threads">The thread count.</param>
    /// <param name="all">Its comparisons.</param>
    internal Summary(int threads, IReadOnlyList<Comparison> all)
    {
        Threads = threads;
        var counted = all.Where(c => c.Counts).ToArray();
        Groups = [.. Kinds.All.Select(k => (Kind: k, Of: counted.Where(c => c.Kind == k).ToArray())).Where(g => g.Of.Length > 0).Select(g => GroupOf(g.Kind, g.Of))];
        Overall = GroupOf("all", counted);
        Least = counted.MinBy(c => c.Ratio.Median);
        Models = all.Count;
        Unsupported = Names(all, Outcome.Unsupported);
        Failed = Names(all, Outcome.Failed);
        NoPeer = Names(all, Outcome.NoPeer);
    }

    internal int Threads { get; }

    /// <summary>A group for each kind that has models.</summary>
    internal IReadOnlyList<Group> Groups { get; }

    /// <summary>All models that were compared.</summary>
    internal Group Overall { get; }

    /// <summary>The slowest model in comparison; null when there is none.</summary>
    internal Comparison? Least { get; }

    /// <summary>How many models took part, those included that ended early.</summary>
    internal int Models { get; }

    internal IReadOnlyList<string> Unsupported { get; }

    internal IReadOnlyList<string> Failed { get; }

    internal IReadOnlyList<string> NoPeer { get; }

    /// <summary>The lines under a table, but for the last.</summary>
    internal IEnumerable<string> Details()
    {
        foreach (var g in Groups) yield return string.Create(CultureInfo.InvariantCulture, $"{g.Name}: {g.Ratio:F2} over {g.Models} models, {Threads} threads");
        if (Unsupported.Count > 0) yield return Listed("unsupported", Unsupported);
        if (Failed.Count > 0) yield return Listed("FAIL", Failed);
        if (NoPeer.Count > 0) yield return Listed("not run by ONNX Runtime", NoPeer);
    }

    /// <summary>The last line: <c>geomean 1.25 over 29 models, least 0.98 (mnist-8), 1 threads</c>.</summary>
    internal string Closing() => Least is null
        ? string.Create(CultureInfo.InvariantCulture, $"no model was compared, {Threads} threads")
        : string.Create(CultureInfo.InvariantCulture, $"geomean {Overall.Ratio:F2} over {Overall.Models} models, least {Least.Ratio.Median:F2} ({Least.Model.Name}), {Threads} threads");

    private static Group GroupOf(string name, Comparison[] members) => new(name, members.Length, members.Length == 0 ? 0 : Statistics.GeometricMean(members.Select(c => c.Ratio.Median)));

    private static string[] Names(IEnumerable<Comparison> all, Outcome outcome) => [.. all.Where(c => c.Outcome == outcome).Select(c => c.Model.Name)];

    private string Listed(string what, IReadOnlyList<string> names) =>
        string.Create(CultureInfo.InvariantCulture, $"{what}: {names.Count} of {Models} models, {Threads} threads: {string.Join(", ", names)}");
}
