using AiOptix.Graphs;
using AiOptix.Onnx.Proto;
using static AiOptix.Onnx.Tests.Models;

namespace AiOptix.Onnx.Tests;

/// <summary>Doc strings and metadata properties go through reading and writing, at every level.</summary>
public class AnnotationTests
{
    [Fact]
    public void NotesOnEveryLevelAreKept()
    {
        var first = Noted();
        var graph = first.Read();
        Assert.Equal("model doc", graph.Metadata.Documentation);
        Assert.Equal("graph doc", graph.Annotation.Documentation);
        Assert.Equal("relu", graph.Nodes[0].Annotation.Properties["node"]);
        var written = Written(graph.Clone());
        Assert.Equal(("model doc", "org.example", 7, "v"), (written.DocString, written.Domain, written.ModelVersion, written.MetadataProps.Single().Value));
        Assert.Equal(10, written.IrVersion);
        Assert.Equal(("graph doc", "g"), (written.Graph.DocString, written.Graph.MetadataProps.Single().Value));
        Assert.Equal(["Relu:relu doc:relu", "Add::", "MyOp:my doc:my"], written.Graph.Node.Select(Text));
        Assert.Equal("x:input doc:in", Text(written.Graph.Input.Single()));
        Assert.Equal(["h:inner doc:inner"], written.Graph.ValueInfo.Where(v => v.DocString.Length > 0).Select(Text));
        Assert.Equal("y:output doc:out", Text(written.Graph.Output.Single()));
        Assert.Equal("w doc", written.Graph.Initializer.Single().DocString);
        Assert.Equal("w", written.Graph.Initializer.Single().MetadataProps.Single().Value);
        Assert.Equal(written, Written(written.Read()));
    }

    [Fact]
    public void OnlyPropertiesBelowTheModelRaiseTheFormatVersion()
    {
        var model = Model(Graph(Node("Relu", ["x"], ["y"])).In("x", 2).Out("y"));
        model.MetadataProps.Add(new StringStringEntryProto { Key = "k", Value = "v" });
        model.Graph.Node[0].DocString = "doc";
        Assert.Equal(8, Written(model.Read()).IrVersion);
        Note("y", model.Graph.Output[0].MetadataProps);
        Assert.Equal(10, Written(model.Read()).IrVersion);
    }

    [Fact]
    public void ANodeThatBecomesSeveralIsNotedOnce()
    {
        var model = Model(Graph(Node("Gelu", ["x"], ["y"])).In("x", 2).Out("y"), opset: 20);
        model.Graph.Node[0].DocString = "doc";
        var graph = model.Read();
        graph.Metadata = graph.Metadata with { Opsets = new Dictionary<string, long> { [""] = 13 } };
        var nodes = Written(graph).Graph.Node;
        Assert.True(nodes.Count > 1);
        Assert.Equal(["y"], Assert.Single(nodes, n => n.DocString == "doc").Output);
    }

    [Fact]
    public void AnOutputKeepsItsNoteWhenAnotherNodeComesToMakeIt()
    {
        var model = Model(Graph(Node("Relu", ["x"], ["a"]), Node("Identity", ["a"], ["y"])).In("x", 2).Out("y"));
        model.Graph.Output[0].DocString = "doc";
        var graph = model.Read();
        new Patch(graph, "no identity").Replace(graph.Outputs[0], graph.Nodes[0].Output).Apply();
        Assert.Single(graph.Nodes);
        Assert.Equal("doc", Written(graph).Graph.Output.Single().DocString);
    }

    private static ModelProto Noted()
    {
        var graph = Graph(Node("Relu", ["x"], ["h"]), Node("Add", ["h", "w"], ["s"]), Node("MyOp", ["s"], ["y"])).In("x", 2).With(Floats("w", 2)).Out("y");
        var model = Model(graph, ir: 8);
        (model.DocString, model.Domain, model.ModelVersion) = ("model doc", "org.example", 7);
        model.MetadataProps.Add(new StringStringEntryProto { Key = "k", Value = "v" });
        graph.DocString = "graph doc";
        Note("g", graph.MetadataProps);
        (graph.Node[0].DocString, graph.Node[2].DocString, graph.Input[0].DocString, graph.Output[0].DocString, graph.Initializer[0].DocString) = ("relu doc", "my doc", "input doc", "output doc", "w doc");
        Note("relu", graph.Node[0].MetadataProps);
        Note("my", graph.Node[2].MetadataProps);
        Note("in", graph.Input[0].MetadataProps);
        Note("out", graph.Output[0].MetadataProps);
        Note("w", graph.Initializer[0].MetadataProps);
        var inner = Info("h", 2);
        inner.DocString = "inner doc";
        Note("inner", inner.MetadataProps);
        graph.ValueInfo.Add(inner);
        return model;
    }

    private static void Note(string value, Google.Protobuf.Collections.RepeatedField<StringStringEntryProto> on) => on.Add(new StringStringEntryProto { Key = "node", Value = value });

    private static string Text(NodeProto n) => $"{n.OpType}:{n.DocString}:{n.MetadataProps.SingleOrDefault()?.Value}";

    private static string Text(ValueInfoProto v) => $"{v.Name}:{v.DocString}:{v.MetadataProps.SingleOrDefault()?.Value}";

    private static ModelProto Written(Graph graph)
    {
        using var file = new MemoryStream();
        OnnxFile.Write(graph, file);
        return ModelProto.Parser.ParseFrom(file.ToArray());
    }
}
