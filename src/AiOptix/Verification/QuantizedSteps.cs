using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes;
using AiOptix.Tensors;

namespace AiOptix.Verification;

/// <summary>
/// Holds the reference evaluation of a quantised file against the exact arithmetic that the passes make of it, QuantizeLinear by QuantizeLinear. They agree until a number
/// lies between two steps but for the rounding of float32; from there on the inputs of the layers differ.
/// </summary>
internal static class QuantizedSteps
{
    /// <summary>How near the middle between two steps is, in steps: sums of up to 2^12 steps, a few roundings of 2^-24 each.</summary>
    private const double Nearness = 1.0 / 1024;

    /// <summary>What contradicts it, or null.</summary>
    public static string? Check(Graph file, IReadOnlyDictionary<string, RuntimeValue> inputs, VerificationOptions options)
    {
        var (plain, exact) = (file.Clone(), file.Clone());
        PassDriver.Run(exact, new PassOptions { Limits = options.Limits, Cancellation = options.Cancellation });
        var byName = exact.Nodes.Where(n => n.Outputs.Count == 1).ToLookup(n => n.Name, StringComparer.Ordinal);
        var pairs = plain.Nodes.Where(n => n.Operator is QuantizeLinear)
            .Select(n => (Plain: n, Exact: byName[n.Name].FirstOrDefault(e => e.Output.DType == n.Output.DType)))
            .Where(p => p.Exact is not null && p.Plain.Output.OutputUses == 0 && p.Exact.Output.OutputUses == 0).ToArray();
        foreach (var (p, e) in pairs)
        {
            plain.AddOutput(p.Output);
            plain.AddOutput(p.Inputs[0]!);
            plain.AddOutput(p.Inputs[1]!);
            exact.AddOutput(e!.Output);
        }
        var found = ReferenceEvaluator.Run(plain, inputs, options.Limits, options.Cancellation).Skip(file.Outputs.Count).Cast<Tensor>().ToArray();
        var expected = ReferenceEvaluator.Run(exact, inputs, options.Limits, options.Cancellation).Skip(file.Outputs.Count).Cast<Tensor>().ToArray();
        for (var i = 0; i < pairs.Length; i++)
            if (!found[3 * i].BitEquals(expected[i])) return Compare(pairs[i].Plain, found[3 * i], expected[i], found[3 * i + 1], found[3 * i + 2]);
        return null;
    }

    private static string? Compare(Node node, Tensor found, Tensor expected, Tensor numbers, Tensor scale)
    {
        var (a, b, step) = (found.ToInt64(), expected.ToInt64(), scale.Span<float>()[0]);
        var values = numbers.Span<float>();
        for (var i = 0; i < a.Length; i++)
        {
            if (a[i] == b[i]) continue;
            var steps = (double)values[i] / step;
            var middle = Math.Abs(steps - Math.Floor(steps) - 0.5);
            if (Math.Abs(a[i] - b[i]) > 1 || middle > Nearness)
                return $"node {node}, element {i}: {a[i]}, but exact arithmetic gives {b[i]}, and {steps} steps lie {middle} from the middle between two";
        }
        GC.KeepAlive(numbers);
        return null;
    }
}
