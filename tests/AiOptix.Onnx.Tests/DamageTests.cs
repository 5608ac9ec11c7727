using AiOptix.Onnx.Proto;
using AiOptix.Tensors;
using Google.Protobuf;
using static AiOptix.Onnx.Tests.Models;

namespace AiOptix.Onnx.Tests;

public class DamageTests
{
    private static readonly OnnxReadOptions small = new() { Limits = new Limits { MaxTensorBytes = 1 << 24, MaxTotalBytes = 1 << 26 }, MaxNodes = 10_000 };

    [Fact]
    public void Truncated_files_are_refused_with_a_typed_error()
    {
        var bytes = Sample();
        for (var i = 0; i < 50; i++)
        {
            var cut = bytes[..(bytes.Length * i / 50)];
            var e = Assert.ThrowsAny<AiOptixException>(() => OnnxFile.Read(cut, null, small));
            Assert.StartsWith("model in memory", e.Message, StringComparison.Ordinal);
        }
        OnnxFile.Read(bytes, null, small);
    }

    [Fact]
    public void Flipped_bits_give_a_graph_or_a_typed_error() => Flip(Sample(), 500);

    [SkippableFact]
    public void Flipped_bits_in_real_models_give_a_graph_or_a_typed_error()
    {
        foreach (var name in new[] { "mnist-8", "rnn-loop-tiny", "bert-toy" })
            Flip(File.ReadAllBytes(Path.Combine(SharedData.Folder("models"), name, "model.onnx")), 20);
    }

    [Fact]
    public void Wire_errors_name_the_offset()
    {
        Assert.Contains("byte 2: ", Refused(0x08, 0x07, 0x80), StringComparison.Ordinal);
        Assert.Contains("64 bits", Refused(0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02), StringComparison.Ordinal);
        Assert.Contains("past the end", Refused(0x3A, 0x05, 0x0A), StringComparison.Ordinal);
        Assert.Contains("past the end", Refused(0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01), StringComparison.Ordinal);
        Assert.Contains("wire type 0", Refused(0x38, 0x05), StringComparison.Ordinal);
        Assert.Contains("wire type 3", Refused(0x0B), StringComparison.Ordinal);
        Assert.Contains("no field tag", Refused(0x00), StringComparison.Ordinal);
        Assert.Contains("neither", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Shapes_of_more_axes_than_any_tensor_has_are_refused()
    {
        var tensor = new TensorProto { Name = "w", DataType = 1, RawData = ByteString.CopyFrom(new byte[4]) };
        tensor.Dims.Add(Enumerable.Repeat(1L, 100_000));
        var input = Info("x", [.. Enumerable.Repeat<object>(1, 100_000)]);
        Refuses<LimitExceededException>(Model(Graph(Node("Add", ["x", "w"], ["y"])).In("x", 1).With(tensor).Out("y")), "'w'");
        var graph = Graph(Node("Relu", ["x"], ["y"])).Out("y");
        graph.Input.Add(input);
        Refuses<LimitExceededException>(Model(graph), "'x'");
    }

    [Fact]
    public void A_rule_that_meets_more_than_63_bits_names_its_node()
    {
        var sizes = new TensorProto { Name = "s", DataType = (int)DType.Int64 };
        sizes.Dims.Add(2);
        sizes.Int64Data.Add([1L << 40, 1L << 40]);
        Refuses<InvalidGraphException>(Model(Graph(Node("Expand", ["x", "s"], ["h"]), Node("Flatten", ["h"], ["y"], Attribute("axis", 2))).In("x", 1, 1).With(sizes).Out("y")), "Flatten");
    }

    private static string Refused(params byte[] bytes) => Assert.Throws<ModelFormatException>(() => OnnxFile.Read(bytes)).Message;

    private static void Flip(byte[] bytes, int cases)
    {
        for (var seed = 0; seed < cases; seed++)
        {
            var random = new Random(seed);
            var damaged = (byte[])bytes.Clone();
            for (var n = random.Next(1, 4); n > 0; n--) damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                OnnxFile.Read(damaged, null, small);
            }
            catch (AiOptixException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }
    }

    private static byte[] Sample()
    {
        var body = Graph(Node("Add", ["h", "w"], ["r"])).With(Floats("v", 4)).Out("r");
        var typed = new TensorProto { Name = "s", DataType = (int)DType.Int64 };
        typed.Dims.Add(2);
        typed.Int64Data.Add([-1, 4]);
        var graph = Graph(Node("MyF", ["x"], ["h"]), Node("MyBranch", ["h"], ["b"], Attribute("then", body), Attribute("n", 3)), Node("Reshape", ["h", "s"], ["y"]),
                Node("Transpose", ["y"], ["z"], new AttributeProto { Name = "perm", Type = AttributeProto.Types.AttributeType.Ints }.Mutated(a => a.Ints.Add([1, 0]))))
            .In("x", "batch", 4).With(Floats("w", 100), typed).Out("z", "b");
        graph.ValueInfo.Add(Info("b", 2, "n"));
        var f = new FunctionProto { Name = "MyF", Domain = "my.domain" };
        f.Input.Add("p");
        f.Output.Add("q");
        f.Node.Add(Node("Relu", ["p"], ["q"]));
        var model = Model(graph);
        model.Functions.Add(f);
        return model.ToByteArray();
    }
}
