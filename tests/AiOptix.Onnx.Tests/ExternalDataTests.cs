using AiOptix.Graphs;
using AiOptix.Onnx.Proto;
using AiOptix.Tensors;
using Google.Protobuf;
using static AiOptix.Onnx.Tests.Models;

namespace AiOptix.Onnx.Tests;

public sealed class ExternalDataTests : IDisposable
{
    private static readonly OnnxWriteOptions beside = new() { ExternalDataThreshold = 0 };
    private readonly TemporaryFolder folder = new();

    public ExternalDataTests()
    {
        Directory.CreateDirectory(folder.File("model/sub"));
        File.WriteAllBytes(folder.File("model/sub/w.bin"), [1, 2, 3, .. Raw(100)]);
        File.WriteAllBytes(folder.File("outside.bin"), Raw(100));
        File.CreateSymbolicLink(folder.File("model/out.bin"), "../outside.bin");
        File.CreateSymbolicLink(folder.File("model/in.bin"), "sub/w.bin");
        File.CreateSymbolicLink(folder.File("model/loop.bin"), "loop.bin");
        Directory.CreateSymbolicLink(folder.File("model/up"), "..");
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("sub/w.bin")]
    [InlineData("./sub/w.bin")]
    [InlineData("in.bin")]
    public void A_file_inside_the_folder_is_mapped_at_its_offset(string location)
    {
        var g = Read(External("w", 100, ("location", location), ("offset", "3"), ("length", "400")));
        Assert.Equal(Raw(100), g.Values["w"].Constant!.Bytes.ToArray());
    }

    [Theory]
    [InlineData("../outside.bin", "not allowed")]
    [InlineData("sub/../../outside.bin", "not allowed")]
    [InlineData("..\\outside.bin", "not allowed")]
    [InlineData("/etc/hostname", "not allowed")]
    [InlineData("C:\\file", "not allowed")]
    [InlineData("", "not allowed")]
    [InlineData("a\0b", "not allowed")]
    [InlineData("out.bin", "symbolic link")]
    [InlineData("up/outside.bin", "symbolic link")]
    [InlineData("loop.bin", "symbolic links")]
    [InlineData("sub", "missing")]
    [InlineData("none.bin", "missing")]
    public void Locations_outside_and_missing_ones_are_refused(string location, string message)
    {
        var e = Assert.Throws<ModelFormatException>(() => Read(External("w", 100, ("location", location))));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Contains("initializer 'w'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("offset", "4")]
    [InlineData("offset", "-1")]
    [InlineData("offset", "9223372036854775807")]
    [InlineData("offset", "99999999999999999999")]
    [InlineData("offset", " 3")]
    [InlineData("length", "399")]
    [InlineData("length", "-400")]
    public void Offsets_and_lengths_are_not_believed(string key, string value) =>
        Assert.Throws<ModelFormatException>(() => Read(External("w", 100, ("location", "sub/w.bin"), (key, value))));

    [Fact]
    public void Without_a_folder_there_is_no_external_data() =>
        Refuses<ModelFormatException>(Model(Graph(Node("MyOp", ["w"], ["y"])).With(External("w", 100, ("location", "sub/w.bin"))).Out("y")), "read from memory");

    [Fact]
    public void Large_initializers_are_written_beside_the_model_and_read_back()
    {
        var g = Model(Graph(Node("MyOp", ["a", "b", "c"], ["y"])).With(Floats("a", 1000), Floats("b", 3), Floats("c", 2000)).Out("y")).Read();
        var path = folder.File("written.onnx");
        OnnxFile.Write(g, path, beside);
        Assert.Equal(4096 + 8000, new FileInfo(path + ".data").Length);
        Assert.True(new FileInfo(path).Length < 1000);
        var again = OnnxFile.Read(path);
        Assert.Equal(Printer.Print(g), Printer.Print(again));
        foreach (var c in g.Constants) Assert.True(c.Constant!.BitEquals(again.Values[c.Name].Constant!));
        OnnxFile.Write(again, path, beside);
        Assert.Equal(Raw(2000), OnnxFile.Read(path).Values["c"].Constant!.Bytes.ToArray());
        Assert.Equal(["written.onnx", "written.onnx.1.data"], Files());
        OnnxFile.Write(again, path, beside);
        Assert.Equal(["written.onnx", "written.onnx.data"], Files());
        OnnxFile.Write(again, path);
        Assert.Equal(["written.onnx"], Files());
        Assert.Equal(Raw(2000), OnnxFile.Read(path).Values["c"].Constant!.Bytes.ToArray());
    }

    [Fact]
    public void A_write_that_ends_between_its_two_files_leaves_the_old_pair()
    {
        var path = folder.File("written.onnx");
        OnnxFile.Write(Model(Graph(Node("MyOp", ["a"], ["y"])).With(Floats("a", 1000)).Out("y")).Read(), path, beside);
        var other = Model(Graph(Node("MyOp", ["a"], ["y"])).With(Floats("a", 3000)).Out("y")).Read();
        using (var pending = OnnxFile.Prepare(other, path, beside))
        {
            pending.CommitData();
            Assert.Equal(["written.onnx", "written.onnx.1.data", "written.onnx.data"], Files().Where(f => !f.EndsWith(".tmp", StringComparison.Ordinal)));
            Assert.Equal(Raw(1000), OnnxFile.Read(path).Values["a"].Constant!.Bytes.ToArray());
        }
        Assert.Equal(["written.onnx", "written.onnx.data"], Files());
        Assert.Equal(Raw(1000), OnnxFile.Read(path).Values["a"].Constant!.Bytes.ToArray());
        File.WriteAllText(path + ".1.data", "left behind by a crash");
        OnnxFile.Write(other, path, beside);
        Assert.Equal(["written.onnx", "written.onnx.1.data"], Files());
        Assert.Equal(Raw(3000), OnnxFile.Read(path).Values["a"].Constant!.Bytes.ToArray());
    }

    [Fact]
    public void Data_of_other_models_stays()
    {
        var path = folder.File("model/m.onnx");
        Read(External("w", 100, ("location", "sub/w.bin"), ("offset", "3")));
        OnnxFile.Write(OnnxFile.Read(path), path, beside with { ExternalDataMinimum = 0 });
        Assert.True(File.Exists(folder.File("model/sub/w.bin")));
        Assert.True(File.Exists(path + ".data"));
    }

    private IEnumerable<string> Files() => Directory.GetFiles(folder.Root).Select(f => Path.GetFileName(f)).Where(f => f.StartsWith("written", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private Graph Read(TensorProto initializer)
    {
        var path = folder.File("model/m.onnx");
        File.WriteAllBytes(path, Model(Graph(Node("MyOp", ["w"], ["y"])).With(initializer).Out("y")).ToByteArray());
        return OnnxFile.Read(path);
    }
}
