using AiOptix.Bench.Ort;
using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>How a comparison ended.</summary>
internal enum Outcome
{
    /// <summary>Both engines ran and their answers agree.</summary>
    Compared,

    /// <summary>Both ran, but the answers differ, or AI Optix failed.</summary>
    Failed,

    /// <summary>AI Optix says that it does not support the model.</summary>
    Unsupported,

    /// <summary>ONNX Runtime does not run the model.</summary>
    NoPeer,
}

/// <summary>What came out for one model at one thread count.</summary>
/// <param name="Model">The model.</param>
/// <param name="Threads">Threads of each engine.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Reason">Why it did not end well, or null.</param>
internal sealed record Comparison(BenchCase Model, int Threads, Outcome Outcome, string? Reason = null)
{
    /// <summary>The kind of model; null when it was not timed.</summary>
    internal string? Kind { get; init; }

    /// <summary>What was timed.</summary>
    internal IReadOnlyList<Round> Rounds { get; init; } = [];

    /// <summary>How far the answers lie apart; null when there are none.</summary>
    internal Agreement? Agreement { get; init; }

    /// <summary>Load time and memory of AI Optix; null when not measured.</summary>
    internal Footprint? Optix { get; init; }

    /// <summary>Load time and memory of AI Optix opening a saved program; null when not measured.</summary>
    internal Footprint? Saved { get; init; }

    /// <summary>Load time and memory of ONNX Runtime; null when not measured.</summary>
    internal Footprint? Ort { get; init; }

    /// <summary>The median time of a run of AI Optix, microseconds.</summary>
    internal double OptixTime => Statistics.Median(Rounds.Select(r => r.Optix));

    /// <summary>The median time of a run of ONNX Runtime, microseconds.</summary>
    internal double OrtTime => Statistics.Median(Rounds.Select(r => r.Ort));

    /// <summary>The median of the rounds' ratios with its interval. Over 1: AI Optix is faster.</summary>
    internal Estimate Ratio => Statistics.OfMedian([.. Rounds.Select(r => r.Ratio)]);

    /// <summary>Whether there is a ratio: answers that differ are timed and shown, but count for nothing.</summary>
    internal bool Counts => Outcome == Outcome.Compared;

    /// <summary>Compares one model.</summary>
    internal static Comparison Run(BenchCase model, int threads, CompareOptions options)
    {
        IReadOnlyDictionary<string, Tensor> inputs;
        OrtEngine ort;
        try
        {
            using (var declared = new OrtSession(model.Path, threads)) inputs = model.Inputs(declared.Inputs, options);
            ort = new OrtEngine(model.Path, threads, inputs);
        }
        catch (AiOptixException e)
        {
            return new(model, threads, Outcome.NoPeer, e.Message);
        }
        using (ort) return Run(model, threads, options, inputs, ort);
    }

    private static Comparison Run(BenchCase model, int threads, CompareOptions options, IReadOnlyDictionary<string, Tensor> inputs, OrtEngine ort)
    {
        IReadOnlyDictionary<string, Tensor> expected;
        try
        {
            expected = ort.Answers();
        }
        catch (OrtException e)
        {
            return new(model, threads, Outcome.NoPeer, e.Message);
        }
        try
        {
            using var optix = new OptixEngine(model.Path, threads, inputs);
            var isQuantized = optix.Model.Graph.AllNodes.Any(n => n.Operator.Name is "QuantizeLinear" or "DynamicQuantizeLinear" or "QLinearConv" or "QLinearMatMul");
            var agreement = Agreement.Of(optix.Answers(), expected, isQuantized);
            if (isQuantized) agreement = agreement.Held(() => Stepwise.Of(model.Path, inputs));
            var rounds = Timing.Rounds(optix, ort, options.Rounds, threads);
            var small = Statistics.Median(rounds.Select(r => r.Ort)) < 1000;
            var timed = new Comparison(model, threads, agreement.Problem is null ? Outcome.Compared : Outcome.Failed, agreement.Problem)
            {
                Kind = small ? Kinds.Small : Kinds.Of(optix.Model.Graph, inputs),
                Rounds = rounds,
                Agreement = agreement,
            };
            return options.Footprint ? WithFootprints(timed, inputs) : timed;
        }
        catch (UnsupportedModelException e)
        {
            return new(model, threads, Outcome.Unsupported, e.Message);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new(model, threads, Outcome.Failed, e is AiOptixException ? e.Message : e.ToString());
        }
    }

    private static Comparison WithFootprints(Comparison timed, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var folder = Directory.CreateTempSubdirectory("aioptix-bench-").FullName;
        try
        {
            var (file, saved) = (Path.Combine(folder, "inputs"), Path.Combine(folder, "program"));
            InputFile.Write(file, inputs);
            var isSaved = Save(timed.Model, saved);
            return timed with
            {
                Optix = Bench.Compare.Footprint.Measure(Engines.Optix, timed.Model.Path, timed.Threads, file),
                Saved = isSaved ? Bench.Compare.Footprint.Measure(Engines.Optix, saved, timed.Threads, file) : null,
                Ort = Bench.Compare.Footprint.Measure(Engines.Ort, timed.Model.Path, timed.Threads, file),
            };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool Save(BenchCase model, string folder)
    {
        try
        {
            AiOptix.Model.Load(model.Path).SaveCompiled(folder);
            return true;
        }
        catch (AiOptixException e)
        {
            Console.Error.WriteLine($"{model.Name} is not opened as a saved program: {e.Message}");
            return false;
        }
    }
}
