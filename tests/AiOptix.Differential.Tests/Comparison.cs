using AiOptix.Onnx;
using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>How a generated graph fared.</summary>
internal enum Verdict
{
    /// <summary>All levels and ONNX Runtime agree.</summary>
    Agrees,
    /// <summary>All levels agree; ONNX Runtime does not take the model.</summary>
    NotInOnnxRuntime,
    /// <summary>A listed difference from ONNX Runtime.</summary>
    Excepted,
    /// <summary>Nobody takes it: the values that were drawn contradict each other.</summary>
    Invalid,
    /// <summary>They disagree.</summary>
    Differs,
}

/// <summary>Runs a generated model at every level and in ONNX Runtime.</summary>
internal static class Comparison
{
    public static (Verdict Verdict, string What) Of(Generated g)
    {
        Trace("levels", g);
        IReadOnlyList<RuntimeValue> expected;
        try
        {
            expected = Levels.Reference(g);
        }
        catch (Exception e)
        {
            if (e is AiOptixException and not UnsupportedModelException && OrtPeer.Run(g, out _) is null) return (Verdict.Invalid, e.Message);
            return (Exceptions.Reason(g) is { } why ? Verdict.Excepted : Verdict.Differs, $"reference: {(e is AiOptixException ? e.Message : e.ToString())}");
        }
        try
        {
            if (Levels.Difference(expected, Levels.Passes(g), g, exact: true) is { } passes) return (Verdict.Differs, $"passes: {passes}");
            if (Levels.Difference(expected, Levels.Plan(g), g, exact: true) is { } plan) return (Verdict.Differs, $"plan: {plan}");
        }
        catch (Exception e)
        {
            return (Verdict.Differs, $"passes or plan: {(e is AiOptixException ? e.Message : e.ToString())}");
        }
        Trace("ONNX Runtime", g);
        if (OrtPeer.Run(g, out var refusal) is not { } theirs) return (Verdict.NotInOnnxRuntime, refusal);
        var asThey = Deviations.Results(g);
        for (var i = 0; i < expected.Count; i++)
        {
            if (theirs[i] is not { } their || !g.IsCompared(i)) continue;
            if ((g.IsRandom ? TensorComparison.CompareForm(their, expected[i]).Failure : Levels.Difference([their], [expected[i]], g)) is not { } difference) continue;
            if (asThey is not null && Levels.Difference([their], [asThey[i]], g) is null) return (Verdict.Excepted, Deviations.Why);
            return Exceptions.Reason(g) is { } reason ? (Verdict.Excepted, reason) : (Verdict.Differs, $"ONNX Runtime, output {i}: {difference}");
        }
        return (Verdict.Agrees, "");
    }

    /// <summary>Leaves what a thread is about to run, so that the graph that ends the process is known.</summary>
    private static void Trace(string stage, Generated g)
    {
        if (Environment.GetEnvironmentVariable("AIOPTIX_DIFFERENTIAL_TRACE") is { Length: > 0 } file)
            File.WriteAllText($"{file}.{Environment.CurrentManagedThreadId}", $"{stage}: {g.Name} {string.Join(" | ", g.Drafts)}\n");
    }
}
