using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

/// <summary>Infers and evaluates one operator, and holds the rule and the result against each other.</summary>
internal static class Run
{
    public static Tensor One(Operator op, params Tensor?[] inputs) => (Tensor)All(op, 1, inputs)[0];

    public static IReadOnlyList<RuntimeValue> All(Operator op, int outputs, params Tensor?[] inputs)
    {
        var graph = new Graph("g");
        var values = inputs.Select((t, i) => t is null ? null : graph.AddInput($"x{i}", new TensorType(t.DType, SymbolicShape.Of(t.Shape)))).ToArray();
        var node = graph.Add(op, values, new string?[outputs]);
        foreach (var o in node.Outputs) graph.AddOutput(o);
        Verifier.Verify(graph);
        var given = inputs.Zip(values).Where(p => p.First is not null).ToDictionary(p => p.Second!.Name, p => (RuntimeValue)p.First!);
        var results = ReferenceEvaluator.Run(graph, given);
        for (var i = 0; i < outputs; i++)
            if (results[i] is Tensor t)
                Assert.Equal(node.Outputs[i].Type, new TensorType(t.DType, SymbolicShape.Of(t.Shape)));
        return results;
    }

    public static float[] Floats(Operator op, params Tensor?[] inputs) => Elements<float>(op, inputs);

    public static T[] Elements<T>(Operator op, params Tensor?[] inputs) where T : unmanaged
    {
        var t = One(op, inputs);
        var r = t.Span<T>().ToArray();
        GC.KeepAlive(t);
        return r;
    }

    public static bool[] Flags(Operator op, params Tensor?[] inputs) => [.. One(op, inputs).ToInt64().Select(v => v != 0)];

    public static Tensor Bools(params bool[] values)
    {
        var t = Tensor.Allocate(DType.Bool, new Shape(values.Length));
        for (var i = 0; i < values.Length; i++) t.Bytes[i] = values[i] ? (byte)1 : (byte)0;
        return t;
    }
}
