using AiOptix.Graphs;
using AiOptix.Onnx.Proto;
using AiOptix.Tensors;
using Google.Protobuf;
using static AiOptix.Onnx.Tests.Models;

namespace AiOptix.Onnx.Tests;

public sealed class ExternalDataTests : IDisposable
{
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
        OnnxFile.Write(g, path, new OnnxWriteOptions { ExternalDataThreshold = 0 });
        Assert.Equal(4096 + 8000, new FileInfo(path + ".data").Length);
        Assert.True(new FileInfo(path).Length < 1000);
        var again = OnnxFile.Read(path);
        Assert.Equal(Printer.Print(g), Printer.Print(again));
        foreach (var c in g.Constants) Assert.True(c.Constant!.BitEquals(again.Values[c.Name].Constant!));
        OnnxFile.Write(again, path, new OnnxWriteOptions { ExternalDataThreshold = 0 });
        Assert.Equal(Raw(2000), OnnxFile.Read(path).Values["c"].Constant!.Bytes.ToArray());
    }

    private Graph Read(TensorProto initializer)
    {
        var path = folder.File("model/m.onnx");
        File.WriteAllBytes(path, Model(Graph(Node("MyOp", ["w"], ["y"])).With(initializer).Out("y")).ToByteArray());
        return OnnxFile.Read(path);
    }
}
