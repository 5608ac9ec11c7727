using AiOptix.Graphs;
using AiOptix.Onnx.Proto;
using AiOptix.Tensors;
using static AiOptix.Onnx.Tests.Models;

namespace AiOptix.Onnx.Tests;

public class ReadTests
{
    [Fact]
    public void Extents_become_symbols_and_unnamed_ones_fresh_symbols()
    {
        var g = Model(Graph(Node("MyOp", ["x"], ["y"])).In("x", "batch", 3, -1, null!, "?", "_d0").Out("y")).Read();
        var shape = g.Inputs[0].Shape!;
        Assert.Equal("batch", shape[0].SymbolName);
        Assert.Equal(3, shape[1].Constant);
        Assert.Equal(6, shape.Select(d => d.ToString()).Distinct().Count());
        Assert.Equal("_d0", shape[5].SymbolName);
    }

    [Fact]
    public void Initializers_that_are_inputs_are_constants()
    {
        var g = Model(Graph(Node("MyOp", ["x", "w"], ["y"])).In("x", 2).In("w", 2).With(Floats("w", 2)).Out("y"), opset: 7, ir: 3).Read();
        Assert.Equal(["x"], g.Inputs.Select(i => i.Name));
        Assert.True(g.Values["w"].IsConstant);
        Assert.Equal([0f, 0.5f], g.Values["w"].Constant!.Span<float>().ToArray());
    }

    [Fact]
    public void Nodes_out_of_order_are_sorted_captures_included()
    {
        var body = Graph(Node("MyInner", ["late"], ["r"])).Out("r");
        var g = Model(Graph(Node("MyBranch", [], ["y"], Attribute("body", body)), Node("MyOp", ["x"], ["late"])).In("x", 2).Out("y")).Read();
        Assert.Equal(["my.domain::MyOp", "my.domain::MyBranch"], g.Nodes.Select(n => n.Operator.Name));
        Assert.Same(g.Values["late"], g.Nodes[1].Operator.Subgraphs[0].Nodes[0].Inputs[0]);
        Verifier.Verify(g);
    }

    [Fact]
    public void A_name_of_a_subgraph_may_hide_one_around_it()
    {
        var body = Graph(Node("MyInner", ["x"], ["h"]), Node("MyInner", ["h"], ["x2"])).Out("x2");
        var g = Model(Graph(Node("MyBranch", [], ["h"], Attribute("body", body)), Node("MyOp", ["h"], ["y"])).In("x", 2).Out("y")).Read();
        Verifier.Verify(g);
        Assert.NotSame(g.Values["h"], g.Nodes[0].Operator.Subgraphs[0].Nodes[1].Inputs[0]);
    }

    [Fact]
    public void Value_info_gives_types_behind_unknown_operators()
    {
        var graph = Graph(Node("MyOp", ["x"], ["h"]), Node("Relu", ["h"], ["y"])).In("x", 2).Out("y");
        graph.ValueInfo.Add(Info("h", "n", 5));
        var g = Model(graph).Read();
        Assert.Equal("float32[n,5]", g.Values["y"].Type!.ToString());
    }

    [Fact]
    public void Sparse_initializers_of_strings_and_of_elements_of_less_than_a_byte_become_dense()
    {
        var texts = new TensorProto { Name = "texts", DataType = (int)DType.String };
        texts.StringData.Add(Google.Protobuf.ByteString.CopyFromUtf8("a"));
        var nibbles = new TensorProto { Name = "nibbles", DataType = (int)DType.Int4, RawData = Google.Protobuf.ByteString.CopyFrom(0x0D) };
        var graph = Graph(Node("Identity", ["texts"], ["y"]), Node("Identity", ["nibbles"], ["z"])).Out("y", "z");
        foreach (var values in new[] { texts, nibbles })
        {
            values.Dims.Add(1);
            var sparse = new SparseTensorProto { Values = values, Indices = new TensorProto { DataType = (int)DType.Int64 } };
            sparse.Indices.Dims.Add(1);
            sparse.Indices.Int64Data.Add(1);
            sparse.Dims.Add(3);
            graph.SparseInitializer.Add(sparse);
        }
        var read = Model(graph, 21, 10).Read();
        Assert.Equal(["", "a", ""], read.Values["texts"].Constant!.Strings.ToArray());
        Assert.Equal([0, -3, 0], Graphs.Evaluate.ElementTypes.ToFloat64(read.Values["nibbles"].Constant!));
    }

    [Fact]
    public void Sparse_initializers_become_dense()
    {
        var sparse = new SparseTensorProto { Values = Floats("w", 2), Indices = new TensorProto { DataType = (int)DType.Int64 } };
        sparse.Dims.Add([2, 3]);
        sparse.Indices.Dims.Add([2, 2]);
        sparse.Indices.Int64Data.Add([0, 2, 1, 1]);
        var graph = Graph(Node("MyOp", ["w"], ["y"])).Out("y");
        graph.SparseInitializer.Add(sparse);
        var g = Model(graph).Read();
        Assert.Equal([0, 0, 0, 0, 0.5f, 0], g.Values["w"].Constant!.Span<float>().ToArray());
        sparse.Indices.Int64Data[3] = 3;
        Refuses<ModelFormatException>(Model(graph), "outside of shape");
        sparse.Dims.Clear();
        sparse.Dims.Add([1L << 31, 1L << 31]);
        Refuses<LimitExceededException>(Model(graph), "MaxTensorBytes");
    }

    [Fact]
    public void Functions_are_inlined_with_their_attributes_and_imports()
    {
        var inner = Node("Softmax", ["a"], ["t"], new AttributeProto { Name = "axis", RefAttrName = "where", Type = AttributeProto.Types.AttributeType.Int });
        var f = new FunctionProto { Name = "MyF", Domain = "my.domain" };
        f.Input.Add(["a", "b"]);
        f.Output.Add("c");
        f.Attribute.Add("where");
        f.Node.Add([inner, Node("MyTail", ["t", "b"], ["c"])]);
        f.OpsetImport.Add(new OperatorSetIdProto { Version = 13 });
        var model = Model(Graph(Node("MyF", ["x"], ["y"], Attribute("where", 0)), Node("MyF", ["y"], ["z"])).In("x", 2, 3).Out("z"));
        model.Functions.Add(f);
        var g = model.Read();
        Verifier.Verify(g);
        Assert.Equal(4, g.Nodes.Count);
        Assert.Null(g.Values["y"].Producer!.Inputs[1]);
        Assert.Equal(2, g.Nodes.Count(n => n.Operator.Name == "my.domain::MyTail"));
        f.Node.Add(Node("MyF", ["t"], ["u"]));
        Refuses<ModelFormatException>(model, "calls itself");
    }

    [Fact]
    public void Functions_that_multiply_are_bounded()
    {
        var model = Model(Graph(Node("My0", ["x"], ["y"])).In("x", 2).Out("y"));
        for (var i = 0; i < 40; i++)
        {
            var f = new FunctionProto { Name = $"My{i}", Domain = "my.domain" };
            f.Input.Add("a");
            f.Output.Add("c");
            f.Node.Add([Node($"My{i + 1}", ["a"], ["b"]), Node($"My{i + 1}", ["b"], ["c"])]);
            model.Functions.Add(f);
        }
        Refuses<LimitExceededException>(model, "expand to more than 1000 nodes", new OnnxReadOptions { MaxNodes = 1000 });
    }

    [Theory]
    [InlineData(2, 13, "IR version 2")]
    [InlineData(14, 13, "3 to 13")]
    [InlineData(8, 29, "1 to 28")]
    [InlineData(8, 0, "1 to 28")]
    public void Versions_out_of_range_are_refused(long ir, long opset, string message) =>
        Refuses<UnsupportedModelException>(Model(Graph(Node("MyOp", ["x"], ["y"])).In("x", 2).Out("y"), opset, ir), message);

    [Theory]
    [InlineData(3, 1)]
    [InlineData(13, 28)]
    public void Versions_in_range_are_read(long ir, long opset) => Model(Graph(Node("MyOp", ["x"], ["y"])).In("x", 2).Out("y"), opset, ir).Read();

    [Fact]
    public void Contradictions_name_the_node_and_the_value()
    {
        Refuses<InvalidGraphException>(Model(Graph(Node("MyOp", ["nowhere"], ["y"])).Out("y")), "node 'MyOp_y' (my.domain::MyOp): nothing makes its input 'nowhere'");
        Refuses<InvalidGraphException>(Model(Graph(Node("MyOp", ["x"], ["y"]), Node("MyOp", ["x"], ["y"])).In("x", 1).Out("y")), "two values named 'y'");
        Refuses<InvalidGraphException>(Model(Graph(Node("MyOp", ["b"], ["a"]), Node("MyOp", ["a"], ["b"])).Out("a")), "cycle");
        Refuses<InvalidGraphException>(Model(Graph().In("x", 1).In("x", 1)), "two inputs named 'x'");
        Refuses<InvalidGraphException>(Model(Graph().In("x", 1).Out("y")), "nothing makes the output 'y'");
        Refuses<InvalidGraphException>(Model(Graph(Node("Add", ["x", "w"], ["y"])).In("x", 2).In("w", 3).Out("y")), "Add");
        Refuses<UnsupportedModelException>(Model(Graph(Node("Relu", ["x"], ["y"], Attribute("strange", 1))).In("x", 2).Out("y")), "strange");
        Refuses<ModelFormatException>(Model(Graph(Node("MyOp", ["w"], ["y"])).With(Floats("w", 1), Floats("w", 0)).Out("y")).Mutated(m => m.Graph.Initializer[1].Dims[0] = -1), "negative extent");
    }

    [Fact]
    public void Huge_extents_are_refused()
    {
        foreach (var dims in new long[][] { [1L << 62], [1L << 40, 1L << 40], [long.MaxValue, 2], [1L << 31, 1L << 31, 0x7FFFFFFF] })
        {
            var t = Floats("w", 1);
            t.Dims.Clear();
            t.Dims.Add(dims);
            Refuses<LimitExceededException>(Model(Graph(Node("MyOp", ["w"], ["y"])).With(t).Out("y")), "");
        }
    }

    [Fact]
    public void Deep_nesting_is_refused_not_overflowed()
    {
        var graph = Graph(Node("MyOp", [], ["y"])).Out("y");
        for (var i = 0; i < 60; i++) graph = Graph(Node("MyOp", [], ["y"], Attribute("body", graph))).Out("y");
        Refuses<LimitExceededException>(Model(graph), "nested");
        byte[] bytes = [];
        for (var i = 0; i < 3000; i++) bytes = [.. Length((i % 3) switch { 0 => 6, 1 => 5, _ => 1 }, bytes)];
        foreach (var depth in new[] { 10, 64, 1_000_000, int.MaxValue })
            Assert.Throws<LimitExceededException>(() => OnnxFile.Read((byte[])[.. Length(7, bytes)], null, new OnnxReadOptions { Limits = new Limits { MaxDepth = depth } }));
    }

    [Fact]
    public void The_last_constant_of_a_name_holds()
    {
        static NodeProto Constant(float value) => Node("Constant", [], ["c"], new AttributeProto { Name = "value_float", Type = AttributeProto.Types.AttributeType.Float, F = value });
        var g = Model(Graph(Constant(1), Node("MyOp", ["c"], ["y"]), Constant(2)).Out("y")).Read();
        Assert.Equal(2f, g.Values["c"].Constant!.Span<float>()[0]);
    }

    [Fact]
    public void Mapped_tensors_outlive_the_reading_and_the_file()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("m.onnx");
        File.WriteAllBytes(path, Google.Protobuf.MessageExtensions.ToByteArray(Model(Graph(Node("MyOp", ["w"], ["y"])).With(Floats("w", 5000)).Out("y"))));
        var before = MemoryBlock.OwnedBytes;
        var g = OnnxFile.Read(path);
        File.Delete(path);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(2499.5f, g.Values["w"].Constant!.Span<float>()[4999]);
        Assert.True(MemoryBlock.OwnedBytes - before < 20_000);
        GC.KeepAlive(g);
    }

    [Fact]
    public void A_model_file_over_2_GiB_is_mapped()
    {
        const long size = (1L << 31) + 4096;
        var tensor = Google.Protobuf.MessageExtensions.ToByteArray(new TensorProto { Name = "w", DataType = (int)DType.UInt8 }.Mutated(t => t.Dims.Add(size)));
        var frame = Google.Protobuf.MessageExtensions.ToByteArray(Model(Graph(Node("MyOp", ["w"], ["y"])).Out("y")).Mutated(m => m.Graph = null));
        var graph = Google.Protobuf.MessageExtensions.ToByteArray(Graph(Node("MyOp", ["w"], ["y"])).Out("y"));
        byte[] data = [.. tensor, (9 << 3) | 2, .. Varint(size)];
        byte[] initializer = [.. graph, (5 << 3) | 2, .. Varint(data.Length + size), .. data];
        byte[] head = [.. frame, (7 << 3) | 2, .. Varint(initializer.Length + size), .. initializer];
        using var folder = new TemporaryFolder();
        var path = folder.File("large.onnx");
        using (var file = File.Create(path))
        {
            file.Write(head);
            file.Position = head.Length + size - 1;
            file.WriteByte(77);
        }
        var w = OnnxFile.Read(path, new OnnxReadOptions { Limits = new Limits { MaxTensorBytes = 1L << 40 } }).Values["w"].Constant!;
        Assert.Equal(size, w.ByteLength);
        Assert.Equal(77, w.BytesAt(size - 1, 1)[0]);
        w.Dispose();

        static IEnumerable<byte> Varint(long value)
        {
            for (; value >= 0x80; value >>= 7) yield return (byte)(value | 0x80);
            yield return (byte)value;
        }
    }

    private static IEnumerable<byte> Length(int field, byte[] content)
    {
        yield return (byte)((field << 3) | 2);
        var n = content.Length;
        for (; n >= 0x80; n >>= 7) yield return (byte)(n | 0x80);
        yield return (byte)n;
        foreach (var b in content) yield return b;
    }
}

internal static class Mutation
{
    public static T Mutated<T>(this T item, Action<T> change)
    {
        change(item);
        return item;
    }
}
