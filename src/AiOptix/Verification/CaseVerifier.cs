using System.Diagnostics;
using AiOptix.Data;
using AiOptix.Graphs;
using AiOptix.Onnx;
using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Verification;

/// <summary>How much of the system stands between a model file and its answers.</summary>
public enum VerificationLevel
{
    /// <summary>Reference evaluation of the file as it is.</summary>
    Reference,

    /// <summary>Reference evaluation after the portable passes.</summary>
    Passes,

    /// <summary>The compiled program.</summary>
    Plan,
}

/// <summary>How cases are verified.</summary>
public sealed record VerificationOptions
{
    /// <summary>How far floats may differ.</summary>
    public Tolerance Tolerance { get; init; } = new();

    /// <summary>Threads of a compiled program; 0 takes the machine's default.</summary>
    public int Threads { get; init; }

    /// <summary>Caps the instruction sets of a compiled program's kernels.</summary>
    public IsaCap Isa { get; init; } = IsaCap.Avx512;

    /// <summary>What a model may ask for.</summary>
    public Limits Limits { get; init; } = Limits.Default;

    /// <summary>Ends a verification early.</summary>
    public CancellationToken Cancellation { get; init; }
}

/// <summary>The outcome for one output of one recording.</summary>
/// <param name="Data">The recording.</param>
/// <param name="Output">The name of the graph output.</param>
/// <param name="Result">How it compares.</param>
public sealed record OutputResult(string Data, string Output, ComparisonResult Result);

/// <summary>The outcome of a case.</summary>
/// <param name="Case">The case.</param>
/// <param name="Failure">What went wrong first, with its place; null when everything matches.</param>
/// <param name="Outputs">The outputs that were compared.</param>
/// <param name="Unsupported">The model uses operators, or forms of them, that are not supported; it is not wrong.</param>
/// <param name="Elapsed">Reading and running, all recordings together.</param>
public sealed record CaseResult(ModelCase Case, string? Failure, IReadOnlyList<OutputResult> Outputs, bool Unsupported, TimeSpan Elapsed)
{
    /// <summary>Why a saved program was not used and its model verified instead; null otherwise.</summary>
    public string? Notice { get; init; }

    /// <summary>True when every output of every recording matches.</summary>
    public bool Passed => Failure is null;
}

/// <summary>Runs models on recorded inputs and compares with the recorded outputs, as strictly as <see cref="CaseOverrides"/> says.</summary>
public static class CaseVerifier
{
    /// <summary>Verifies a case. Whatever goes wrong with the model or its files is a failure in the result, not an exception.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static CaseResult Verify(ModelCase modelCase, VerificationLevel level, VerificationOptions? options = null)
    {
        options ??= new();
        var clock = Stopwatch.StartNew();
        var outputs = new List<OutputResult>();
        try
        {
            var model = Model.Load(modelCase.ModelPath, options.Limits);
            using var evaluator = new CaseEvaluator(model, level, options);
            var comparison = CaseOverrides.Of(modelCase);
            if (comparison == CaseComparison.QuantizedSteps && level != VerificationLevel.Reference) comparison = CaseComparison.Values;
            using var recordings = Recordings.Open(model.Graph, modelCase.Data);
            using var loader = new DataLoader(recordings, new() { BatchSize = null, Workers = 1, Prefetch = 1, Limits = options.Limits });
            foreach (var recording in loader)
                using (recording) Verify(model.Graph, modelCase.Data[(int)recording.Number], recording, evaluator, comparison, options, outputs);
            var failed = outputs.Find(o => !o.Result.Matches);
            return new(modelCase, failed is null ? null : $"{failed.Data}, output '{failed.Output}': {failed.Result.Failure}", outputs, false, clock.Elapsed) { Notice = model.Notice };
        }
        catch (Exception thrown) when (thrown is not OperationCanceledException)
        {
            var e = thrown is SampleException { InnerException: { } cause } ? cause : thrown;
            var message = e is AiOptixException or IOException ? e.Message : $"{e.GetType().Name}: {e.Message} {e.StackTrace}";
            return new(modelCase, message, outputs, e is UnsupportedModelException, clock.Elapsed);
        }
    }

    private static void Verify(Graph graph, CaseData data, Batch recording, CaseEvaluator evaluator, CaseComparison comparison, VerificationOptions options, List<OutputResult> results)
    {
        var inputs = graph.Inputs.Select((input, i) => (input.Name, Value: recording.Values[i])).ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal);
        var actual = evaluator.Run(inputs);
        for (var i = 0; i < data.Outputs.Count; i++)
        {
            var output = graph.Outputs[i];
            results.Add(new(data.Name, output.Name, Compare(recording.Values[graph.Inputs.Count + i], actual[i], comparison, options.Tolerance)));
        }
        if (comparison == CaseComparison.QuantizedSteps && QuantizedSteps.Check(graph, inputs, options) is { } failure)
            results.Add(new(data.Name, graph.Outputs[0].Name, new(failure)));
        foreach (var v in actual) v.Dispose();
    }

    private static ComparisonResult Compare(RuntimeValue expected, RuntimeValue actual, CaseComparison comparison, Tolerance tolerance) => comparison switch
    {
        CaseComparison.Form => TensorComparison.CompareForm(expected, actual),
        CaseComparison.QuantizedSteps => TensorComparison.CompareRanking(expected, actual),
        CaseComparison.Rounded => TensorComparison.Compare(expected, actual, tolerance with { Scaled = Math.Max(tolerance.Scaled, 1e-6) }),
        CaseComparison.FlatStrings when expected is Tensor { DType: DType.String } e && actual is Tensor { DType: DType.String } a && e.Count == a.Count =>
            TensorComparison.Compare(e, a.Reshape(e.Shape)),
        _ => TensorComparison.Compare(expected, actual, tolerance),
    };
}
