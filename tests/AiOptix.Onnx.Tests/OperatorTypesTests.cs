using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx.Tests;

/// <summary>A file's opset rises to where its operators take their element types.</summary>
public class OperatorTypesTests
{
    public static TheoryData<Operator, DType, int, long, long> Needs => new()
    {
        { new Add(), DType.Float32, 2, 7, 7 },
        { new Add(), DType.Int64, 2, 1, 7 },
        { new Add(), DType.BFloat16, 2, 7, 13 },
        { new Add(), DType.Int8, 2, 7, 14 },
        { new Add(), DType.Int8, 2, 18, 18 },
        { new MatMul(), DType.Float32, 2, 1, 1 },
        { new MatMul(), DType.Int32, 2, 1, 9 },
        { new MatMul(), DType.BFloat16, 2, 1, 13 },
        { new Relu(), DType.Float16, 1, 6, 6 },
        { new Relu(), DType.Int32, 1, 6, 14 },
        { new GlobalAveragePool(), DType.BFloat16, 1, 13, 22 },
        { new Equal(), DType.String, 2, 13, 19 },
        { new Gelu(), DType.BFloat16, 1, 9, 13 },
        { new Attention(), DType.BFloat16, 3, 9, 13 },
    };

    [Theory]
    [MemberData(nameof(Needs))]
    public void TheOpsetFollowsTheTypes(Operator op, DType type, int inputs, long from, long expected)
    {
        var graph = Build(op, type, inputs, from);
        using var file = new MemoryStream();
        OnnxFile.Write(graph, file);
        var model = Proto.ModelProto.Parser.ParseFrom(file.ToArray());
        Assert.Equal(expected, model.OpsetImport.Single().Version);
        Assert.All(model.Graph.Node, n => Assert.True(OperatorTypes.Has(n.OpType)));
        Assert.Equal(graph.Outputs[0].Type, OnnxFile.Read(file.ToArray()).Outputs[0].Type);
    }

    [Fact]
    public void TypesThatNoVersionTakesAreRefusedByName()
    {
        var graph = Build(new LayerNormalization(), DType.Float64, 2, 17);
        Assert.Null(OperatorTypes.LowestOpset("Relu", 6, [DType.Bool], [DType.Bool]));
        Assert.Equal(17, OperatorTypes.LowestOpset("LayerNormalization", 1, [DType.Float64, DType.Float64], [DType.Float64]));
        var e = Assert.Throws<UnsupportedModelException>(() => OnnxFile.Write(Build(new Where(), DType.Float8E5M2, 3, 9), new MemoryStream()));
        Assert.Contains("no version of Where takes (bool, float8e5m2, float8e5m2)", e.Message, StringComparison.Ordinal);
        OnnxFile.Write(graph, new MemoryStream());
    }

    [Fact]
    public void EveryOperatorOfTheRegistryIsInTheTable() =>
        Assert.Empty(OnnxRegistry.All.Where(o => o.Domain.Length == 0 && o.Name.Length > 0 && !OperatorTypes.Has(o.Name) && !Removed.Rows.Contains(o)).Select(o => o.Name));

    private static Graph Build(Operator op, DType type, int inputs, long opset)
    {
        var graph = new Graph("g") { Metadata = GraphMetadata.Empty with { Opsets = new Dictionary<string, long> { [""] = opset } } };
        var shape = op is Attention or GlobalAveragePool ? new SymbolicShape(1, 2, 4, 4) : op is LayerNormalization ? new SymbolicShape(4) : new SymbolicShape(4, 4);
        var values = Enumerable.Range(0, inputs).Select(i => graph.AddInput($"x{i}", new TensorType(op is Where && i == 0 ? DType.Bool : type, shape))).ToArray();
        graph.AddOutput(graph.Add(op, values, ["y"], "node").Output);
        return graph;
    }
}
