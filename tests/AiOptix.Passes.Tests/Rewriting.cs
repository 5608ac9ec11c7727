using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Passes.Tests;

/// <summary>Runs passes over a graph and holds the rewritten graph's answers against the first one's.</summary>
internal static class Rewriting
{
    public const string Batch = "N";

    public static readonly Dim N = Dim.Symbol(Batch);

    /// <summary>A graph input.</summary>
    public static Value Input(this Graph graph, string name, DType type, params ReadOnlySpan<Dim> shape) => graph.AddInput(name, new TensorType(type, new(shape)));

    /// <summary>A float32 constant of random numbers.</summary>
    public static Value Weights(this Graph graph, int seed, params ReadOnlySpan<long> shape) =>
        graph.AddConstant(Random(DType.Float32, new Shape(shape), new Random(seed)), "weights");

    /// <summary>A float32 scalar.</summary>
    public static Value Number(this Graph graph, float value) => graph.AddConstant(Tensor.Scalar(value), "number");

    /// <summary>An int64 vector.</summary>
    public static Value Integers(this Graph graph, params ReadOnlySpan<long> values) => graph.AddConstant(Tensor.Vector(values), "integers");

    /// <summary>Declares an output through a node of its own type, so that the value itself may be rewritten freely.</summary>
    public static Graph Returning(this Graph graph, params ReadOnlySpan<Value> outputs)
    {
        foreach (var o in outputs) graph.AddOutput(o);
        return graph;
    }

    /// <summary>Runs the passes; the answers for random inputs must stay the same up to a relative bound of their largest.</summary>
    public static PassReport Check(this Graph graph, IReadOnlyList<IPass> passes, double bound = 1e-5, long batch = 3)
    {
        Verifier.Verify(graph);
        var inputs = graph.Inputs.Select((v, i) => (v.Name, Value: (RuntimeValue)Random(v, batch, i))).ToDictionary(p => p.Name, p => p.Value);
        var names = graph.Outputs.Select(o => o.Name).ToArray();
        var expected = ReferenceEvaluator.Run(graph, inputs);
        var report = PassDriver.Run(graph, new PassOptions { VerifyWholeGraph = true, Pipeline = [new("test", passes)] });
        Assert.Equal(names, graph.Outputs.Select(o => o.Name));
        Assert.Equal(graph.AllNodes.Count(), report.NodesAfter);
        var found = ReferenceEvaluator.Run(graph, inputs);
        for (var i = 0; i < expected.Count; i++) Same((Tensor)expected[i], (Tensor)found[i], bound);
        return report;
    }

    /// <summary>Runs one pass.</summary>
    public static PassReport Check(this Graph graph, IPass pass, double bound = 1e-5, long batch = 3) => graph.Check([pass], bound, batch);

    /// <summary>The names of the operators in order.</summary>
    public static string Operators(this Graph graph) => string.Join(" ", graph.Nodes.Select(n => n.Operator.Name));

    /// <summary>Same type and shape, values within a bound of the largest; NaN and infinities in the same places.</summary>
    public static void Same(Tensor expected, Tensor found, double bound)
    {
        Assert.Equal(expected.DType, found.DType);
        Assert.Equal(expected.Shape, found.Shape);
        if (!Reals.CanWrite(expected.DType))
        {
            Assert.True(expected.BitEquals(found));
            return;
        }
        var a = Reals.Read(expected);
        var b = Reals.Read(found);
        var scale = a.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
        for (var i = 0; i < a.Length; i++)
            Assert.True(a[i].Equals(b[i]) || Math.Abs(a[i] - b[i]) <= bound * scale, $"element {i}: expected {a[i]}, found {b[i]}");
    }

    public static Tensor Random(DType type, Shape shape, Random random)
    {
        if (Reals.CanWrite(type)) return Reals.Write([.. Enumerable.Range(0, (int)shape.Count).Select(_ => random.NextDouble() * 4 - 2)], type, shape);
        var t = Tensor.Allocate(type, shape);
        var width = type.Bits() / 8;
        for (var i = 0; i < t.Bytes.Length; i += width) t.Bytes[i] = (byte)random.Next(type == DType.Bool ? 2 : 100);
        for (var i = 0; i < t.Bytes.Length; i++)
            if (i % width != 0) t.Bytes[i] = 0;
        return t;
    }

    private static Tensor Random(Value input, long batch, int seed) =>
        Random(input.DType, input.Shape!.Evaluate(input.Shape!.Symbols.ToDictionary(s => s, s => s == Batch ? batch : batch + 2)), new Random(seed + 1));
}
