using System.Text.RegularExpressions;

namespace AiOptix.Walls.Tests;

public sealed partial class FileTests
{
    private const int MostLines = 600;

    private static readonly string[] textEndings =
        [".cs", ".csproj", ".props", ".targets", ".slnx", ".md", ".sh", ".py", ".pyi", ".toml", ".json", ".yml", ".txt", ".proto", ".editorconfig", ".npmrc", ".gitignore"];

    public static TheoryData<string> Code =>
        [.. Repository.Files.Where(f => f.StartsWith("src/", StringComparison.Ordinal) || f.StartsWith("tests/", StringComparison.Ordinal))
            .Where(f => f.EndsWith(".cs", StringComparison.Ordinal)).Select(f => f.Split('/')[1]).Distinct()];

    [Theory]
    [MemberData(nameof(Code))]
    public void FilesStayShort(string project)
    {
        var files = Repository.Files.Where(f => f.EndsWith(".cs", StringComparison.Ordinal) && f.Split('/') is ["src" or "tests", var p, ..] && p == project);
        Assert.All(files, f => Assert.InRange(Repository.Read(f).Count(c => c == '\n'), 1, MostLines));
    }

    [Fact]
    public void NoFileKnowsTheMachineItWasWrittenOn() => Assert.Empty(Lines(MachinePath()));

    [Fact]
    public void NoFileNamesAPackageRegistry() => Assert.Empty(Lines(RegistryHost()));

    [Fact]
    public void NoCodePromisesWhatItDoesNotDo() => Assert.DoesNotContain(Lines(Promise()), l => l.Contains(".cs:", StringComparison.Ordinal));

    [Fact]
    public void HotCodeAsksForItsCompilationInOnePlace() =>
        Assert.Equal(["src/AiOptix.Kernels/Bytes/ByteTable.cs", "src/HotCode.cs"], Lines(FullOptimization()).Where(l => l.Contains(".cs:", StringComparison.Ordinal) && l.StartsWith("src/", StringComparison.Ordinal)).Select(l => l.Split(':')[0]).Order(StringComparer.Ordinal));

    private static IEnumerable<string> Lines(Regex pattern) => Repository.Files
        .Where(f => Array.Exists(textEndings, e => f.EndsWith(e, StringComparison.Ordinal)) || !Path.HasExtension(f))
        .SelectMany(f => Repository.Read(f).Split('\n').Select((line, i) => (f, i, line)))
        .Where(l => pattern.IsMatch(l.line))
        .Select(l => $"{l.f}:{l.i + 1}: {l.line.Trim()}");

    [GeneratedRegex(@"MethodImplOptions\.AggressiveOptimization", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex FullOptimization();

    [GeneratedRegex(@"(^|[^A-Za-z0-9_.~*$}])/(work|farm|home|root|tmp|Users)/[A-Za-z]", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"(registry|nuget|npm|npmjs|pypi|crates|artifactory|nexus)[A-Za-z0-9-]*\.[a-z0-9.-]+(:[0-9]+)?/(v3|simple|index|repository|api|artifactory)|registry\.npmjs|api\.nuget|resolved""\s*:\s*""http", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex RegistryHost();

    [GeneratedRegex("""\b(TO[D]O|FIX[M]E|NotImplemented[E]xception)\b""", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Promise();
}
