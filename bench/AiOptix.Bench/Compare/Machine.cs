using System.Globalization;
using System.Text.RegularExpressions;
using AiOptix.Kernels;

namespace AiOptix.Bench.Compare;

/// <summary>The machine that a timing was taken on.</summary>
internal static partial class Machine
{
    /// <summary>The CPU as it names itself, with family and model.</summary>
    internal static string Cpu { get; } = Describe();

    /// <summary>The name of the CPU's folder under <c>bench/results</c>.</summary>
    internal static string Slug { get; } = Separators().Replace(Cpu.ToLowerInvariant(), "-").Trim('-');

    /// <summary>What the CPU offers to kernels.</summary>
    internal static string Target => HostTarget.Current.Isa.ToString();

    private static string Describe()
    {
        var fields = File.ReadLines("/proc/cpuinfo").TakeWhile(l => l.Length > 0).Select(l => l.Split(':', 2, StringSplitOptions.TrimEntries))
            .Where(p => p.Length == 2).DistinctBy(p => p[0]).ToDictionary(p => p[0], p => p[1], StringComparer.Ordinal);
        var name = fields.GetValueOrDefault("model name", "unknown CPU");
        return fields.TryGetValue("cpu family", out var family) && fields.TryGetValue("model", out var model)
            ? string.Create(CultureInfo.InvariantCulture, $"{name} family {family} model {model}")
            : name;
    }

    [GeneratedRegex("[^a-z0-9]+", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Separators();
}
