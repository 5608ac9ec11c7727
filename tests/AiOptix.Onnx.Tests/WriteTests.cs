using AiOptix.Graphs;
using AiOptix.Onnx.Proto;
using AiOptix.Tensors;
using static AiOptix.Onnx.Tests.Models;
using Type = AiOptix.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace AiOptix.Onnx.Tests;

public sealed class WriteTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Nodes_of_a_file_have_names_of_their_own_also_where_one_becomes_several()
    {
        var graph = new AiOptix.Graphs.Graph("g") { Metadata = AiOptix.Graphs.GraphMetadata.Empty with { Opsets = new Dictionary<string, long> { [""] = 13 } } };
        var x = graph.AddInput("x", new AiOptix.Graphs.TensorType(DType.Float32, new AiOptix.Graphs.SymbolicShape(4)));
        graph.AddOutput(graph.Add(new AiOptix.Graphs.Ops.Gelu(), [x], ["y"], "gelu").Output);
        var names = Written(graph, "names.onnx").Graph.Node.Select(n => n.Name).ToArray();
        Assert.True(names.Length > 1);
        Assert.Equal(names.Length, names.Distinct(StringComparer.Ordinal).Count());
        Assert.Contains("gelu", names);
    }

    [Fact]
    public void Unknown_operators_keep_every_attribute_and_their_domain()
    {
        var sparse = new SparseTensorProto { Values = Floats("", 2), Indices = new TensorProto { DataType = 7 } };
        sparse.Indices.Dims.Add(2);
        sparse.Indices.Int64Data.Add([1, 5]);
        sparse.Dims.Add([2, 3]);
        var inner = Graph(Node("MyInner", ["i", "x", "k"], ["r"])).In("i", 2).With(Floats("k", 90)).Out("r");
        AttributeProto[] all =
        [
            Attribute("int", -5), new() { Name = "float", Type = Type.Float, F = 0.25f }, new() { Name = "text", Type = Type.String, S = Google.Protobuf.ByteString.CopyFromUtf8("ä") },
            new() { Name = "bytes", Type = Type.String, S = Google.Protobuf.ByteString.CopyFrom(0xFF, 0x00, 0xFE) }, new() { Name = "tensor", Type = Type.Tensor, T = Floats("", 300) },
            Attribute("graph", inner), new() { Name = "sparse", Type = Type.SparseTensor, SparseTensor = sparse }, new() { Name = "type", Type = Type.TypeProto, Tp = Info("", 2, "n").Type },
            new AttributeProto { Name = "floats", Type = Type.Floats }.Mutated(a => a.Floats.Add([1, 2])), new AttributeProto { Name = "none", Type = Type.Ints },
            new AttributeProto { Name = "strings", Type = Type.Strings }.Mutated(a => a.Strings.Add(Google.Protobuf.ByteString.CopyFromUtf8("a"))),
            new AttributeProto { Name = "tensors", Type = Type.Tensors }.Mutated(a => a.Tensors.Add(Floats("", 2))), new AttributeProto { Name = "graphs", Type = Type.Graphs }.Mutated(a => a.Graphs.Add(inner.Clone())),
        ];
        var model = Model(Graph(Node("MyOp", ["x", ""], ["y"], all)).In("x", "batch", 2).Out("y"));
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "my.domain", Version = 4 });
        model.MetadataProps.Add(new StringStringEntryProto { Key = "k", Value = "v" });
        var once = Written(model.Read(), "a.onnx");
        var twice = Written(OnnxFile.Read(folder.File("a.onnx")), "b.onnx");
        Assert.Equal(once, twice);
        Assert.Equal(all.Select(a => a.Name), once.Graph.Node[0].Attribute.Select(a => a.Name));
        foreach (var (expected, found) in all.Zip(once.Graph.Node[0].Attribute).Where(p => p.First.Type is not (Type.Graph or Type.Graphs or Type.SparseTensor)))
            Assert.Equal(expected, found);
        Assert.Equal(4, once.OpsetImport.Single(o => o.Domain == "my.domain").Version);
        Assert.Equal("v", once.MetadataProps.Single().Value);
        Assert.Equal(Floats("k", 90).RawData, once.Graph.Node[0].Attribute[5].G.Initializer.Single().RawData);
        Assert.Equal(["i", "x", "k"], once.Graph.Node[0].Attribute[5].G.Node[0].Input);
        Assert.Equal([Google.Protobuf.ByteString.CopyFrom(Raw(2))], [once.Graph.Node[0].Attribute[6].SparseTensor.Values.RawData]);
    }

    [Fact]
    public void Versions_follow_what_the_graph_needs()
    {
        Assert.Equal((13, 7), Versions(Written(Built(DType.Float32), "a.onnx")));
        Assert.Equal((13, 13), Versions(Written(Built(DType.Int2), "b.onnx")));
        var read = Model(Graph(Node("MyOp", ["x"], ["y"])).In("x", 2).Out("y"), opset: 21, ir: 10).Read();
        Assert.Equal((21, 10), Versions(Written(read, "c.onnx")));

        static Graph Built(DType type)
        {
            var g = new Graph("g");
            g.AddOutput(g.AddConstant(Tensor.Allocate(type, new Shape(3), zeroed: true), "c"));
            return g;
        }

        static (long, long) Versions(ModelProto m) => (m.OpsetImport.Single(o => o.Domain.Length == 0).Version, m.IrVersion);
    }

    [Fact]
    public void An_unknown_operator_of_the_default_domain_holds_its_version()
    {
        var g = Model(Graph(Node("Strange", ["x"], ["h"]), Node("Relu", ["h"], ["y"])).In("x", 2).Out("y"), opset: 1).Read();
        var e = Assert.Throws<UnsupportedModelException>(() => OnnxFile.Write(g, folder.File("a.onnx")));
        Assert.Contains("Strange", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Root));
    }

    /// <summary>ONNX has no quantised product with a bias: other engines get the sums, raised, scaled and rounded, with the same bytes; our own reader the operator.</summary>
    [Theory]
    [InlineData(OnnxDialect.Standard, "Mul Div MatMulInteger Add Cast Mul QuantizeLinear")]
    [InlineData(OnnxDialect.Newest, "QLinearMatMul")]
    public void A_quantised_product_with_a_bias_keeps_its_bytes(OnnxDialect dialect, string operators)
    {
        var g = new Graph("g");
        var x = g.AddInput("x", new TensorType(DType.UInt8, new SymbolicShape(Dim.Symbol("n"), 7)));
        var w = Tensor.Allocate(DType.Int8, new Shape(7, 5));
        new Random(3).NextBytes(w.Bytes);
        Value C(Tensor t) => g.AddConstant(t);
        g.AddOutput(g.Add(new AiOptix.Graphs.Ops.QLinearMatMul(), x, C(Tensor.Scalar(0.021f)), C(Tensor.Scalar((byte)117)), C(w), C(Tensor.Vector(0.01f, 0.02f, 0.03f, 0.04f, 0.05f)), C(Tensor.Vector<sbyte>(0, 0, 0, 0, 0)),
            C(Tensor.Scalar(0.6f)), C(Tensor.Scalar((byte)90)), C(Tensor.Vector(1000, -2000, 30, 4, 500))));
        var path = folder.File("a.onnx");
        OnnxFile.Write(g, path, new OnnxWriteOptions { Dialect = dialect });
        Assert.Equal(operators.Split(' ').Order(StringComparer.Ordinal), ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)).Graph.Node.Select(n => n.OpType).Order(StringComparer.Ordinal));
        var bytes = Tensor.Allocate(DType.UInt8, new Shape(9, 7));
        new Random(4).NextBytes(bytes.Bytes);
        var inputs = new Dictionary<string, RuntimeValue> { ["x"] = bytes };
        var (expected, found) = ((Tensor)ReferenceEvaluator.Run(g, inputs)[0], (Tensor)ReferenceEvaluator.Run(OnnxFile.Read(path), inputs)[0]);
        Assert.True(expected.BitEquals(found));
        Assert.True(expected.Bytes.ToArray().Distinct().Count() > 20);
    }

    [Fact]
    public void Symbols_and_composite_extents_are_named()
    {
        var g = new Graph("g");
        g.AddOutput(g.AddInput("x", new TensorType(DType.Float32, new SymbolicShape(Dim.Symbol("n"), Dim.Symbol("n") * 2 + 1, 7))));
        var dims = Written(g, "a.onnx").Graph.Input[0].Type.TensorType.Shape.Dim;
        Assert.Equal(["n", "2*n+1"], dims.Take(2).Select(d => d.DimParam));
        Assert.Equal(7, dims[2].DimValue);
    }

    [Fact]
    public void A_subgraph_that_hands_out_a_value_from_around_it_gets_a_node()
    {
        var g = Model(Graph(Node("MyBranch", [], ["y"], Attribute("body", Graph().Out("x")))).In("x", 2).Out("y")).Read();
        var body = Written(g, "a.onnx").Graph.Node[0].Attribute[0].G;
        Assert.Equal(("Identity", "x", body.Output[0].Name), (body.Node.Single().OpType, body.Node[0].Input[0], body.Node[0].Output[0]));
    }

    [Fact]
    public void An_interrupted_write_leaves_nothing_and_replaces_nothing()
    {
        var g = Model(Graph(Node("MyOp", ["w"], ["y"])).With(Floats("w", 1000)).Out("y")).Read();
        var path = folder.File("a.onnx");
        OnnxFile.Write(g, path);
        var before = File.ReadAllBytes(path);
        foreach (var threshold in new[] { 0, long.MaxValue })
            Assert.Throws<OperationCanceledException>(() => OnnxFile.Write(g, path, new OnnxWriteOptions { ExternalDataThreshold = threshold, Cancellation = new CancellationToken(true) }));
        Assert.Equal([path], Directory.GetFiles(folder.Root));
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_graph_written_over_its_own_file_is_whole()
    {
        var path = folder.File("a.onnx");
        OnnxFile.Write(Model(Graph(Node("MyOp", ["w"], ["y"])).With(Floats("w", 9000)).Out("y")).Read(), path);
        OnnxFile.Write(OnnxFile.Read(path), path);
        Assert.Equal(Raw(9000), OnnxFile.Read(path).Values["w"].Constant!.Bytes.ToArray());
    }

    private ModelProto Written(Graph graph, string name)
    {
        var path = folder.File(name);
        OnnxFile.Write(graph, path);
        return ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
    }
}
