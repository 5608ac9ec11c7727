using System.Diagnostics;
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
            foreach (var data in modelCase.Data) Verify(model.Graph, data, evaluator, comparison, options, outputs);
            var failed = outputs.Find(o => !o.Result.Matches);
            return new(modelCase, failed is null ? null : $"{failed.Data}, output '{failed.Output}': {failed.Result.Failure}", outputs, false, clock.Elapsed) { Notice = model.Notice };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var message = e is AiOptixException or IOException ? e.Message : $"{e.GetType().Name}: {e.Message} {e.StackTrace}";
            return new(modelCase, message, outputs, e is UnsupportedModelException, clock.Elapsed);
        }
    }

    private static void Verify(Graph graph, CaseData data, CaseEvaluator evaluator, CaseComparison comparison, VerificationOptions options,
        List<OutputResult> results)
    {
        if (data.Outputs.Count > graph.Outputs.Count)
            throw new InvalidInputException($"{data.Name} has {data.Outputs.Count} recorded outputs, but the model only {graph.Outputs.Count}");
        var inputs = data.Inputs is { } files ? Recorded(graph, data.Name, files, options.Limits) : graph.Inputs.ToDictionary(i => i.Name, i => Ramp(i, options.Limits));
        var actual = evaluator.Run(inputs);
        for (var i = 0; i < data.Outputs.Count; i++)
        {
            var output = graph.Outputs[i];
            using var expected = TensorFile.Read(data.Outputs[i], output.Type ?? new TensorType(DType.Undefined, null), options.Limits);
            results.Add(new(data.Name, output.Name, Compare(expected, actual[i], comparison, options.Tolerance)));
        }
        if (comparison == CaseComparison.QuantizedSteps && QuantizedSteps.Check(graph, inputs, options) is { } failure)
            results.Add(new(data.Name, graph.Outputs[0].Name, new(failure)));
        foreach (var v in actual.Concat(inputs.Values)) v.Dispose();
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

    private static Dictionary<string, RuntimeValue> Recorded(Graph graph, string name, IReadOnlyList<string> files, Limits limits)
    {
        if (files.Count != graph.Inputs.Count) throw new InvalidInputException($"{name} has {files.Count} recorded inputs, but the model takes {graph.Inputs.Count}");
        return graph.Inputs.Zip(files).ToDictionary(p => p.First.Name, p => TensorFile.Read(p.Second, p.First.Type ?? new TensorType(DType.Undefined, null), limits));
    }

    /// <summary>The values k / n over all n elements.</summary>
    private static RuntimeValue Ramp(Value input, Limits limits)
    {
        if (input.Shape?.Concrete is not { } shape || input.DType != DType.Float32) throw new InvalidInputException($"input {input} has no ramp: its type must be float32 and its shape known");
        limits.CheckTensor(DType.Float32, shape, $"input '{input.Name}'");
        var ramp = Tensor.Allocate(DType.Float32, shape);
        var span = ramp.Span<float>();
        for (var k = 0; k < span.Length; k++) span[k] = (float)k / span.Length;
        return ramp;
    }
}
