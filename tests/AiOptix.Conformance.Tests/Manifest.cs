namespace AiOptix.Conformance.Tests;

/// <summary>
/// <c>tests/conformance.txt</c>: the cases that pass, one a line, sorted. What is not listed must fail (an operator that is not supported, mostly), so that every step
/// forward and back is a line in a commit. <c>AIOPTIX_UPDATE_MANIFEST=1</c> has it written anew.
/// </summary>
internal static class Manifest
{
    private static readonly string root = Root();

    public static bool Update => Environment.GetEnvironmentVariable("AIOPTIX_UPDATE_MANIFEST") == "1";

    /// <summary>The folder of data beside the repository; null when it is not there.</summary>
    public static string? Shared
    {
        get
        {
            var given = Environment.GetEnvironmentVariable("AIOPTIX_SHARED");
            var folder = string.IsNullOrEmpty(given) ? Path.Combine(root, "..", "shared") : given;
            return Directory.Exists(folder) ? Path.GetFullPath(folder) : null;
        }
    }

    public static IReadOnlySet<string> Read() => File.ReadLines(FilePath).Where(l => l.Length > 0).ToHashSet(StringComparer.Ordinal);

    public static void Write(IEnumerable<string> passing) => File.WriteAllLines(FilePath, passing.Order(StringComparer.Ordinal));

    private static string FilePath => Path.Combine(root, "tests", "conformance.txt");

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "AiOptix.slnx"))) at = at.Parent;
        return at?.FullName ?? throw new DirectoryNotFoundException("the tests do not run inside the repository");
    }
}
