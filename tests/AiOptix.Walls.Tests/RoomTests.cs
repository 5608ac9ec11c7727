using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace AiOptix.Walls.Tests;

public sealed partial class RoomTests
{
    private static readonly string[] unsafeRooms = ["AiOptix.Codecs", "AiOptix.Cpu", "AiOptix.Kernels", "AiOptix.Python", "AiOptix.Runtime", "AiOptix.Tensors", "AiOptix.Threading"];
    private static readonly string[] faces = ["AiOptix.Cli", "AiOptix.Python", "AiOptix.Server"];
    private static readonly string[] hiddenFromFaces = ["AiOptix.Onnx", "AiOptix.Threading", "AiOptix.Kernels", "AiOptix.Cpu"];

    public static TheoryData<string> Rooms => [.. Repository.Projects("src").Select(p => p.Name)];

    [Fact]
    public void EveryProjectIsARoomOfTheTableAndEveryRoomIsAProject()
    {
        var projects = Repository.Projects("src").Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(projects.Except(Architecture.Rooms.Select(r => r.Name)));
        Assert.Empty(Architecture.Rooms.Where(r => !r.Later).Select(r => r.Name).Except(projects));
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void ReferencesAreThoseOfTheTable(string name)
    {
        var project = Repository.Projects("src").Single(p => p.Name == name);
        Assert.Empty(project.References.Except(Architecture.Rooms.Single(r => r.Name == name).MayReference));
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void PackagesAreThoseOfTheTable(string name)
    {
        var project = Repository.Projects("src").Single(p => p.Name == name);
        Assert.Empty(project.Packages.Except(Architecture.Packages.TryGetValue(name, out var may) ? may : new HashSet<string>()));
    }

    [Fact]
    public void PackagesOfTheTableBelongToRooms() => Assert.Empty(Architecture.Packages.Keys.Except(Architecture.Rooms.Select(r => r.Name)));

    [Fact]
    public void OnlyFacesReferenceTransitively() =>
        Assert.All(Repository.Projects("src").Where(p => p.Mentions("DisableTransitiveProjectReferences")), p => Assert.Contains(p.Name, faces));

    [Fact]
    public void TheCommandLineNamesOnlyWhatThePublicApiShows()
    {
        var referenced = Assembly.Load("optix").GetReferencedAssemblies().Select(a => a.Name);
        Assert.Contains("AiOptix", referenced);
        Assert.Empty(referenced.Intersect(hiddenFromFaces));
    }

    [Fact]
    public void ThePythonBridgeNamesOfTheKernelsOnlyCodeMemory()
    {
        using var file = new PEReader(File.OpenRead(Assembly.Load("AiOptix.Python").Location));
        var metadata = file.GetMetadataReader();
        var named = metadata.TypeReferences.Select(metadata.GetTypeReference).Where(t => t.ResolutionScope.Kind == HandleKind.AssemblyReference)
            .Select(t => (Assembly: metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)t.ResolutionScope).Name), Type: metadata.GetString(t.Name)))
            .Where(t => hiddenFromFaces.Contains(t.Assembly));
        Assert.Equal([("AiOptix.Kernels", "CodeMemory")], named);
    }

    [Fact]
    public void UnsafeCodeHasAnAddress()
    {
        var allowed = UnsafeRooms().Match(Repository.Read("src/Directory.Build.props")).Groups["names"].Value.Split('|').Select(n => "AiOptix." + n);
        Assert.Equal(unsafeRooms, allowed.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(Repository.Projects("src"), p => p.Mentions("AllowUnsafeBlocks") || p.Mentions("UnsafeRoom"));
    }

    [Fact]
    public void TheSolutionListsEveryProject()
    {
        var listed = ListedProject().Matches(Repository.Read("AiOptix.slnx")).Select(m => m.Groups["path"].Value).ToHashSet(StringComparer.Ordinal);
        var there = Repository.Files.Where(f => f.EndsWith(".csproj", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(there.Except(listed));
        Assert.Empty(listed.Except(there));
    }

    [Fact]
    public void ProjectsTurnNoWarningsOffByThemselves() =>
        Assert.DoesNotContain(Repository.Projects("src"), p => p.Mentions("NoWarn") || p.Mentions("TreatWarningsAsErrors") || p.Mentions("AnalysisLevel"));

    [GeneratedRegex(@"AiOptix\\\.\((?<names>[A-Za-z|]+)\)\$", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex UnsafeRooms();

    [GeneratedRegex("<Project Path=\"(?<path>[^\"]+)\"", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex ListedProject();
}
