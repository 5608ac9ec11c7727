using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

/// <summary>Small graphs for tests of operators.</summary>
internal static class Build
{
    public static Graph Empty() => new("test");

    /// <summary>An input; a negative extent makes a symbol d0, d1, …; texts make symbols of that name.</summary>
    public static Value Input(this Graph g, string name, DType type, params object[] dims) =>
        g.AddInput(name, new TensorType(type, new SymbolicShape([.. dims.Select(d => d is string s ? Dim.Symbol(s) : (Dim)Convert.ToInt64(d, System.Globalization.CultureInfo.InvariantCulture))])));

    public static Value Ints(this Graph g, params long[] values) => g.AddConstant(Tensor.Vector<long>(values));

    public static Value Int(this Graph g, long value) => g.AddConstant(Tensor.Scalar(value));

    public static Value Floats(this Graph g, Shape shape, params float[] values) => g.AddConstant(Tensor.From<float>(values, shape));

    /// <summary>The values 0, 1, 2, … in a shape.</summary>
    public static Tensor Counting(params long[] dims) => Tensor.From<float>([.. Enumerable.Range(0, (int)new Shape(dims).Count).Select(i => (float)i)], new Shape(dims));

    /// <summary>Seeded values between -1 and 1.</summary>
    public static Tensor Random(int seed, params long[] dims)
    {
        var random = new Random(seed);
        return Tensor.From<float>([.. Enumerable.Range(0, (int)new Shape(dims).Count).Select(_ => (float)(random.NextDouble() * 2 - 1))], new Shape(dims));
    }

    /// <summary>Evaluates one operator on constants and gives all outputs.</summary>
    public static IReadOnlyList<Tensor> Run(Operator op, int outputs, params Tensor?[] inputs)
    {
        var g = Empty();
        var node = g.Add(op, [.. inputs.Select(t => t is null ? null : g.AddConstant(t))], new string?[outputs]);
        foreach (var o in node.Outputs) g.AddOutput(o);
        var result = ReferenceEvaluator.Run(g, new Dictionary<string, RuntimeValue>()).Cast<Tensor>().ToArray();
        for (var i = 0; i < outputs; i++)
        {
            Assert.Equal(node.Outputs[i].DType, result[i].DType);
            if (node.Outputs[i].Shape?.Concrete is { } s) Assert.Equal(s, result[i].Shape);
        }
        return result;
    }

    public static Tensor Run(Operator op, params Tensor?[] inputs) => Run(op, 1, inputs)[0];

    public static float[] Floats(this Tensor t)
    {
        var r = t.Span<float>().ToArray();
        GC.KeepAlive(t);
        return r;
    }

    public static void Near(Tensor expected, Tensor actual, double tolerance = 1e-5)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        var (a, b) = (expected.Floats(), actual.Floats());
        for (var i = 0; i < a.Length; i++) Assert.True(Math.Abs(a[i] - b[i]) <= tolerance, $"element {i}: expected {a[i]}, found {b[i]}");
    }
}
