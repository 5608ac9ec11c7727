using System.Xml.Linq;

namespace AiOptix.Walls.Tests;

/// <summary>This checkout, and what its project files say.</summary>
internal static class Repository
{
    private static readonly HashSet<string> outputs = new(StringComparer.Ordinal)
    {
        ".git", ".vs", ".venv", "bin", "obj", "artifacts", "node_modules", "TestResults", "__pycache__", "build", "dist", ".pytest_cache", ".mypy_cache", ".ruff_cache",
    };

    public static string Root { get; } = FindRoot();

    /// <summary>Every file that is no build output, relative to the root, with forward slashes.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. List(Root).Select(f => Path.GetRelativePath(Root, f).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    /// <summary>The projects below a folder.</summary>
    public static IReadOnlyList<ProjectFile> Projects(string folder) =>
        [.. Files.Where(f => f.StartsWith(folder + "/", StringComparison.Ordinal) && f.EndsWith(".csproj", StringComparison.Ordinal)).Select(f => new ProjectFile(f))];

    private static IEnumerable<string> List(string folder) => Directory.EnumerateFiles(folder)
        .Concat(Directory.EnumerateDirectories(folder).Where(d => !outputs.Contains(Path.GetFileName(d)) && !Path.GetFileName(d).EndsWith(".egg-info", StringComparison.Ordinal)).SelectMany(List));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "AiOptix.slnx"))) return folder.FullName;
        throw new InvalidOperationException($"no AiOptix.slnx above {AppContext.BaseDirectory}");
    }
}

/// <summary>A project file.</summary>
internal sealed class ProjectFile(string path)
{
    private readonly XDocument xml = XDocument.Parse(Repository.Read(path));

    public string Path => path;

    public string Name => System.IO.Path.GetFileNameWithoutExtension(path);

    public IReadOnlyList<string> References => Includes("ProjectReference", i => System.IO.Path.GetFileNameWithoutExtension(i.Replace('\\', '/')));

    public IReadOnlyList<string> Packages => Includes("PackageReference", i => i);

    public bool Mentions(string element) => xml.Descendants(element).Any();

    private List<string> Includes(string element, Func<string, string> name) => [.. xml.Descendants(element).Select(e => name(e.Attribute("Include")!.Value))];
}
