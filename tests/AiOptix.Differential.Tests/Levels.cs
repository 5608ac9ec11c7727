using AiOptix.Graphs;
using AiOptix.Onnx;
using AiOptix.Optimization;
using AiOptix.Passes;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>Runs a generated model at every level.</summary>
internal static class Levels
{
    /// <summary>The results of the reference evaluation.</summary>
    /// <exception cref="UnsupportedModelException">An operator was read as one that nobody knows.</exception>
    public static IReadOnlyList<RuntimeValue> Reference(Generated g)
    {
        var graph = OnnxFile.Read(g.File);
        var results = ReferenceEvaluator.Run(graph, g.Inputs);
        foreach (var (value, result) in graph.Outputs.Zip(results)) CheckType(value, result);
        return results;
    }

    /// <summary>The results after the passes.</summary>
    public static IReadOnlyList<RuntimeValue> Passes(Generated g)
    {
        var graph = OnnxFile.Read(g.File);
        PassDriver.Run(graph, new PassOptions());
        return ReferenceEvaluator.Run(graph, g.Inputs);
    }

    /// <summary>The results of the compiled program.</summary>
    public static IReadOnlyList<RuntimeValue> Plan(Generated g)
    {
        var model = Model.Load(g.File);
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        return session.Run([.. model.Inputs.Select(i => g.Inputs[i.Name])]);
    }

    /// <summary>Where two runs differ; null when they agree.</summary>
    public static string? Difference(IReadOnlyList<RuntimeValue> expected, IReadOnlyList<RuntimeValue> actual, Generated g, bool exact = false)
    {
        for (var i = 0; i < expected.Count; i++)
        {
            if (OneStepApart(expected[i], actual[i], g)) continue;
            var result = g.IsRandom && !exact ? TensorComparison.CompareForm(expected[i], actual[i]) : TensorComparison.Compare(expected[i], actual[i], ToleranceOf(expected[i], g.Slack));
            if (!result.Matches) return $"output {i}: {result.Failure}";
        }
        return null;
    }

    /// <summary>Whether quantised results differ by one step at most, which rounding explains.</summary>
    private static bool OneStepApart(RuntimeValue expected, RuntimeValue actual, Generated g)
    {
        if (!g.IsQuantized) return false;
        if ((expected, actual) is (OptionalValue { Content: { } x }, OptionalValue { Content: { } y })) return OneStepApart(x, y, g);
        if ((expected, actual) is (SequenceValue s, SequenceValue t)) return s.Items.Count == t.Items.Count && s.Items.Zip(t.Items).All(p => OneStepApart(p.First, p.Second, g) || TensorComparison.Compare(p.First, p.Second, ToleranceOf(p.First, g.Slack)).Matches);
        if (expected is not Tensor { DType: DType.Int8 or DType.UInt8 or DType.Int16 or DType.UInt16 or DType.Int4 or DType.UInt4 } e || actual is not Tensor a || a.DType != e.DType || a.Shape != e.Shape) return false;
        return Graphs.Evaluate.ElementTypes.ToFloat64(e).Zip(Graphs.Evaluate.ElementTypes.ToFloat64(a), (x, y) => Math.Abs(x - y)).All(d => d <= 1);
    }

    /// <summary>What rounding to the type explains: results of narrow types may round their intermediate values as well.</summary>
    private static Tolerance ToleranceOf(RuntimeValue value, double slack) => (value as Tensor)?.DType switch
    {
        DType.Float16 => new(4e-3 * slack, 1e-4, 4e-3 * slack),
        DType.BFloat16 => new(3e-2 * slack, 1e-3, 3e-2 * slack),
        { } t when t.IsNarrowFloat() => new(0.26, 1e-2, 0.02),
        _ => new(1e-4 * Math.Min(slack, 300), 1e-6, 1e-5 * slack),
    };

    /// <summary>What the shape rule promised must hold.</summary>
    private static void CheckType(Value value, RuntimeValue result)
    {
        if (value.Type is not TensorType type || result is not Tensor t) return;
        if (type.DType != t.DType) throw new InvalidGraphException($"'{value.Name}' is {t}, inferred was {type}");
        if (type.Shape is not { } shape) return;
        if (shape.Rank != t.Shape.Rank || shape.Where((d, i) => d.IsConstant && d.Constant != t.Shape[i]).Any()) throw new InvalidGraphException($"'{value.Name}' is {t}, inferred was {type}");
    }
}
