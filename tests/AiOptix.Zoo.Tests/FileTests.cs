using AiOptix.Graphs;
using AiOptix.Onnx;

namespace AiOptix.Zoo.Tests;

public sealed class FileTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("zoo-");

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(ModelZooTests.Names), MemberType = typeof(ModelZooTests))]
    public void AWrittenModelIsReadAsItWasBuilt(string name)
    {
        var path = Path.Combine(folder.FullName, name + ".onnx");
        ModelZoo.Find(name).Write(path, Built.Small(name));
        var (built, read) = (Built.SmallOf(name), OnnxFile.Read(path));
        Assert.Equal(Lines(built), Lines(read));
        Assert.Equal(built.Metadata.Opsets[""], read.Metadata.Opsets[""]);
        foreach (var c in built.Constants.Where(c => !c.Name.StartsWith('/'))) Assert.True(c.Constant!.BitEquals(read.Values[c.Name].Constant!), c.Name);
    }

    [Fact]
    public void TheSameSeedGivesTheSameBytes()
    {
        var entry = ModelZoo.Find("minilm-l6");
        string[] paths = [.. Enumerable.Range(0, 3).Select(i => Path.Combine(folder.FullName, $"{i}.onnx"))];
        entry.Write(paths[0], new ZooOptions { Seed = 9 });
        entry.Write(paths[1], new ZooOptions { Seed = 9 });
        entry.Write(paths[2], new ZooOptions { Seed = 10 });
        Assert.True(File.ReadAllBytes(paths[0]).AsSpan().SequenceEqual(File.ReadAllBytes(paths[1])));
        Assert.False(File.ReadAllBytes(paths[0]).AsSpan().SequenceEqual(File.ReadAllBytes(paths[2])));
    }

    /// <summary>Inputs, and nodes with what they make and read. A file may name constants of its own, and lists optional inputs that are left out.</summary>
    private static string[] Lines(Graph graph) =>
    [
        .. graph.Inputs.Select(i => i.ToString()),
        .. graph.Nodes.Select(n => $"{n.Name}: {n.Output} = {Printer.Text(n.Operator)}({string.Join(", ", n.Inputs.OfType<Value>().Select(i => i.IsConstant ? i.Type!.ToString() : i.Name))})"),
    ];
}
