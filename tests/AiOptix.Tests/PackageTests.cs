using System.Diagnostics;
using System.IO.Compression;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using System.Xml.Linq;

namespace AiOptix.Tests;

/// <summary>The NuGet package as a stranger meets it: packed into a folder, added to a console project elsewhere, built, run.</summary>
public sealed class PackageTests : IDisposable
{
    /// <summary>All rooms but the faces, which are programs.</summary>
    private static readonly string[] rooms = [.. Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(Path.GetFileName).Except(["AiOptix.Cli", "AiOptix.Python"])!];

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("aioptix-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void AConsoleProjectElsewhereUsesThePackage()
    {
        var feed = folder.CreateSubdirectory("feed").FullName;
        var package = Pack(feed);
        CheckContent(package);

        var project = folder.CreateSubdirectory("elsewhere").FullName;
        File.WriteAllText(Path.Combine(project, "nuget.config"), $"""
            <configuration>
              <packageSources><add key="here" value="{feed}" /></packageSources>
              <config><add key="globalPackagesFolder" value="{Path.Combine(folder.FullName, "packages")}" /></config>
              <fallbackPackageFolders><add key="machine" value="{MachinePackages()}" /></fallbackPackageFolders>
            </configuration>
            """);
        File.WriteAllText(Path.Combine(project, "Elsewhere.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><TreatWarningsAsErrors>true</TreatWarningsAsErrors></PropertyGroup>
              <ItemGroup><PackageReference Include="AiOptix" Version="{Version(package)}" /></ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(project, "Program.cs"), """
            using AiOptix;
            using AiOptix.Tensors;

            var model = Model.Load(args[0]);
            using var session = model.Compile(new CompileOptions { Threads = 1 });
            using var x = Tensor.From<float>(Enumerable.Range(0, 64).Select(i => i % 17 / 16f).ToArray(), new Shape(1, 1, 8, 8));
            var logits = (Tensor)session.Run([x])[0];
            Console.WriteLine(string.Join(' ', logits.Span<float>().ToArray()));
            Console.WriteLine(AiOptix.Zoo.ModelZoo.Entries.Count);
            Console.WriteLine(typeof(Model).Assembly.Location);
            """);
        var printed = Dotnet(project, "run", "--project", project, "--", Repository.Digits).Split('\n');
        using var session = Model.Load(Repository.Digits).Compile(new CompileOptions { Threads = 1 });
        using var x = Tensors.Tensor.From<float>([.. Enumerable.Range(0, 64).Select(i => i % 17 / 16f)], new Tensors.Shape(1, 1, 8, 8));
        var expected = ((Tensors.Tensor)session.Run([x])[0]).Span<float>().ToArray();
        Assert.Equal(string.Join(' ', expected), printed[0].Trim());
        Assert.Equal($"{Zoo.ModelZoo.Entries.Count}", printed[1].Trim());
        var isAhead = OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;
        Assert.Equal(isAhead, printed[2].Contains("runtimes/linux-x64/lib", StringComparison.Ordinal));
    }

    private static void CheckContent(string package)
    {
        using var zip = ZipFile.OpenRead(package);
        var names = zip.Entries.Select(e => e.FullName).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(rooms.SelectMany(r => new[] { $"lib/net10.0/{r}.dll", $"lib/net10.0/{r}.xml" }).Order(StringComparer.Ordinal), names.Where(n => n.StartsWith("lib/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(rooms.Select(r => $"runtimes/linux-x64/lib/net10.0/{r}.dll").Order(StringComparer.Ordinal), names.Where(n => n.StartsWith("runtimes/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Superset(new HashSet<string> { "dotnet.md", "LICENSE", "AiOptix.nuspec" }, names);
        Assert.DoesNotContain(names, n => n.StartsWith("build", StringComparison.Ordinal) || n.StartsWith("tools", StringComparison.Ordinal) || n.StartsWith("content", StringComparison.Ordinal));
        using var stream = zip.GetEntry("AiOptix.nuspec")!.Open();
        var nuspec = XDocument.Load(stream);
        string Text(string element) => nuspec.Descendants().Single(e => e.Name.LocalName == element).Value;
        Assert.Equal(("AiOptix", "Apache-2.0", "dotnet.md"), (Text("id"), Text("license"), Text("readme")));
        Assert.Equal(["Google.Protobuf", "Iced", "Sep", "System.Numerics.Tensors"],
            nuspec.Descendants().Where(e => e.Name.LocalName == "dependency").Select(e => e.Attribute("id")!.Value).Order(StringComparer.Ordinal));
        foreach (var entry in zip.Entries.Where(e => e.FullName.EndsWith(".dll", StringComparison.Ordinal)))
        {
            using var memory = new MemoryStream();
            using (var file = entry.Open()) file.CopyTo(memory);
            Assert.DoesNotContain(Repository.Root, System.Text.Encoding.Latin1.GetString(memory.ToArray()), StringComparison.Ordinal);
            memory.Position = 0;
            using var image = new PEReader(memory);
            Assert.Equal(entry.FullName.StartsWith("runtimes/", StringComparison.Ordinal), image.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0);
        }
    }

    private static string Pack(string into)
    {
        Dotnet(Repository.Root, "pack", Path.Combine(Repository.Root, "packaging"), "--configuration", "Release", "--no-build", "--output", into);
        return Assert.Single(Directory.GetFiles(into));
    }

    private static string Version(string package) => Path.GetFileNameWithoutExtension(package)["AiOptix.".Length..];

    private static string MachinePackages() => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } given ? given
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static string Dotnet(string at, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = at, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) && k != "MSBUILDDISABLENODEREUSE").ToArray()) start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}: {output}{error.Result}");
        return output;
    }
}
