using AiOptix.Verification;

namespace AiOptix.Conformance.Tests;

/// <summary>
/// <c>tests/conformance.txt</c>: the cases that pass, one a line, sorted, each with the levels at which it passes. What is not listed must fail (an operator that is not
/// supported, mostly), so that every step forward and back is a line in a commit. <c>AIOPTIX_UPDATE_MANIFEST=1</c> has it written anew.
/// <c>tests/conformance-excluded.txt</c> holds each case that does not pass at some level, with the reason.
/// </summary>
internal static class Manifest
{
    public static string Root { get; } = FindRoot();

    public static bool Update => Environment.GetEnvironmentVariable("AIOPTIX_UPDATE_MANIFEST") == "1";

    /// <summary>The folder of data beside the repository; null when it is not there.</summary>
    public static string? Shared
    {
        get
        {
            var given = Environment.GetEnvironmentVariable("AIOPTIX_SHARED");
            var folder = string.IsNullOrEmpty(given) ? Path.Combine(Root, "..", "shared") : given;
            return Directory.Exists(folder) ? Path.GetFullPath(folder) : null;
        }
    }

    /// <summary>A line <c>CASE LEVEL…</c> for every case of which some level passes.</summary>
    public static IEnumerable<string> Lines(IEnumerable<(string Case, VerificationLevel Level)> passing) => passing
        .GroupBy(p => p.Case, p => p.Level, StringComparer.Ordinal)
        .OrderBy(g => g.Key, StringComparer.Ordinal)
        .Select(g => string.Join(' ', g.Order().Select(l => $"{l}".ToLowerInvariant()).Prepend(g.Key)));

    /// <summary>What is listed.</summary>
    public static IReadOnlySet<(string Case, VerificationLevel Level)> Read() => File.ReadLines(FilePath)
        .Where(l => l.Length > 0)
        .Select(l => l.Split(' '))
        .SelectMany(p => p.Skip(1).Select(level => (p[0], Enum.Parse<VerificationLevel>(level, ignoreCase: true))))
        .ToHashSet();

    /// <summary>The cases that do not pass, each with its reason: lines <c>CASE REASON</c>.</summary>
    public static IReadOnlyDictionary<string, string> Excluded() => File.ReadLines(Path.Combine(Root, "tests", "conformance-excluded.txt"))
        .Where(l => l.Length > 0 && l[0] != '#')
        .Select(l => l.Split(' ', 2))
        .ToDictionary(p => p[0], p => p[1], StringComparer.Ordinal);

    public static void Write(IEnumerable<(string Case, VerificationLevel Level)> passing) => File.WriteAllLines(FilePath, Lines(passing));

    private static string FilePath => Path.Combine(Root, "tests", "conformance.txt");

    private static string FindRoot()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "AiOptix.slnx"))) at = at.Parent;
        return at?.FullName ?? throw new DirectoryNotFoundException("the tests do not run inside the repository");
    }
}
