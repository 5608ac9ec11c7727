using System.Globalization;
using AiOptix.Graphs;
using AiOptix.Passes.Quantize;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>The part of an optimisation that a budget asks for: checks the data, searches or replays a recipe, times what is handed out, and says what came of it.</summary>
internal static class BudgetedSearch
{
    private const int LeastSamples = 3;

    /// <summary>Checks the options before any work is done.</summary>
    public static void Check(IReadOnlyList<Tensor[]> samples, OptimizerOptions options)
    {
        if (options.Labels is { } labels && labels.Count != samples.Count) throw new ArgumentException($"there are {samples.Count} samples but {labels.Count} labels; expected one each");
        if (options.Budget is not { } budget)
        {
            if (options.Recipe is not null) throw new ArgumentException("a recipe needs a budget that its model is proven against");
            return;
        }
        budget.Check();
        if (options.StopAfterPatch is not null) throw new ArgumentException("a search within a budget cannot stop after a patch: it is of the whole rewritten model");
        if (options.Recipe is null && samples.Count < LeastSamples) throw NotEnough(budget, samples.Count, 0, 0.75);
    }

    /// <summary>Searches.</summary>
    /// <param name="graph">The file's graph.</param>
    /// <param name="floats">The fp32 rewrites of it, proven.</param>
    /// <param name="backend">The machine.</param>
    /// <param name="samples">The samples.</param>
    /// <param name="options">How; with a budget.</param>
    /// <param name="progress">Told of each stage.</param>
    /// <param name="cancellation">Ends it early; what was proven by then has been told to <see cref="OptimizerOptions.Proven"/>.</param>
    public static OptimizationResult Run(Graph graph, OptimizationResult floats, IBackend backend, IReadOnlyList<Tensor[]> samples, OptimizerOptions options, IProgress<OptimizerProgress>? progress, CancellationToken cancellation)
    {
        var budget = options.Budget!;
        var everything = Enumerable.Range(0, samples.Count).ToArray();
        var split = options.Recipe is null ? SampleSplit.Of(samples.Count, budget.Seed) : new([], everything, everything);
        var checksum = Fingerprint.Of(floats.Graph);
        if (options.Recipe is { } recipe && recipe.GraphChecksum != checksum)
            throw new InvalidInputException($"the recipe is for a model with checksum {recipe.GraphChecksum}; this one, rewritten, has {checksum}: another model, or another version of AI Optix");
        var memory = new SearchMemory(options.StatePath, Fingerprint.Of(checksum, samples, options.Labels, budget, floats.Threads));
        // What throughput times is as many sessions of one thread as there are threads.
        var threads = budget.Objective == Objective.Throughput ? 1 : options.Threads;
        using var baseline = new Session(backend.Compile(graph, options.Limits), backend.CreateRunner(threads));
        using var best = Settling.Open(floats.Graph, backend, options.Limits, threads);
        using var trials = new Trials(floats.Graph, backend, samples, options, baseline, best, floats.Threads, memory, cancellation);
        CheckData(trials, budget, samples.Count, split);
        var search = new QuantizationSearch(floats.Graph, trials, options, split, progress);
        if (options.Recipe is null) search.Run();
        else if (options.Recipe.Plan is { } given) search.Replay(options.Recipe.Name, given);
        progress?.Report(new("timing what is handed out", 0));
        var chosen = search.Best is { } b ? search.Candidates[b] : null;
        var (before, after) = trials.Final(chosen?.Name ?? "fp32", chosen?.Plan);
        var result = chosen is null ? floats.Graph : trials.Write(chosen.Plan);
        var report = new SearchReport
        {
            Budget = budget,
            Split = split,
            Candidates = search.Candidates,
            Chosen = search.Best,
            Attempts = search.Attempts,
            Proof = search.Proof,
            Nodes = Nodes(floats.Graph, trials, chosen, search.Noises),
            SpeedOverFloat = chosen?.Speed,
            BaselineTimes = before,
            ChosenTimes = after,
            BaselineBytes = QuantizationSearch.Bytes(graph),
            ChosenBytes = QuantizationSearch.Bytes(result),
            Elapsed = trials.Elapsed,
            RanOutOfTime = search.RanOutOfTime,
            IsResumed = memory.IsResumed,
            GraphChecksum = checksum,
            Summary = Summary(search, budget, chosen),
        };
        memory.Delete();
        return floats with { Graph = result, Speed = PairedTiming.Of(before, after), Search = report };
    }

    /// <summary>A claim that the samples could not carry even if nothing went wrong is refused before anything is searched.</summary>
    private static void CheckData(Trials trials, ErrorBudget budget, int samples, SampleSplit split)
    {
        var units = trials.Scores(null, split.HeldBack, "held back").Length;
        if (units < budget.UnitsNeeded && !budget.AllowLittleData) throw NotEnough(budget, samples, units, (double)units / samples);
    }

    private static NotEnoughDataException NotEnough(ErrorBudget budget, int samples, long units, double unitsASample)
    {
        // At least three quarters of the samples are held back.
        var needed = Math.Max(LeastSamples, (long)Math.Ceiling(budget.UnitsNeeded / Math.Max(unitsASample, 1e-9)));
        var claim = budget.MaxAccuracyDrop is { } drop ? $"an accuracy drop of at most {Percent(drop)}" : $"an error bound for {Percent(budget.Coverage)} of the inputs";
        var rows = units > 0 && units != samples ? $" ({units.ToString(CultureInfo.InvariantCulture)} held-back rows)" : "";
        return new(string.Create(CultureInfo.InvariantCulture, $"{samples} samples{rows} are too few to show {claim} with {Percent(budget.Confidence)} confidence: ")
            + string.Create(CultureInfo.InvariantCulture, $"{budget.UnitsNeeded} held-back ones are needed even if none goes wrong, that is {needed} samples in all. Give more, loosen the budget, or allow little data, which rests on what was seen alone"), needed);
    }

    private static IReadOnlyList<SearchedNode> Nodes(Graph graph, Trials trials, SearchCandidate? chosen, IReadOnlyDictionary<string, double> noises)
    {
        var before = trials.Profile("fp32", null);
        var rows = NodeTable.Of(graph, chosen?.Plan, before, chosen is null ? before : trials.Profile(chosen.Name, chosen.Plan));
        return [.. rows.Select(r => new SearchedNode(r.Node, r.Operation, r.Before, r.After, r.KernelBefore, r.KernelAfter, Precision(r, chosen?.Plan), r.Product is { } p && noises.TryGetValue(p, out var noise) ? noise : null))];
    }

    private static string Precision(NodeRow row, QuantizationPlan? plan) => row.Product is { } p && plan is not null ? plan.Nodes.GetValueOrDefault(p) switch
    {
        QuantizedForm.Static => "int8",
        QuantizedForm.Dynamic => "dynamic int8",
        QuantizedForm.Weights8 => "int8 weights",
        QuantizedForm.Weights4 => "int4 weights",
        _ => "fp32",
    } : "fp32";

    private static string Summary(QuantizationSearch search, ErrorBudget budget, SearchCandidate? chosen)
    {
        var what = budget.Objective == Objective.Size ? "smaller" : "faster";
        var failed = search.Candidates.FirstOrDefault(c => c.Verdict == Verdict.NotProven);
        if (chosen is not null) return $"{chosen.Name}: {what} than the best fp32 form, and within the budget{(failed is null ? "" : $"; {failed.Name} is {what} still, but the held-back samples do not show it")}";
        if (search.Candidates.Count == 0) return "the model has no product with constant weights to quantise: the best fp32 form is handed out";
        var last = search.Candidates.Where(c => c.Verdict != Verdict.Compared).ToArray();
        if (failed is not null) return $"the mildest form that fitted the budget on the search part and was {what} is {failed.Name}, but the held-back samples do not show it: the best fp32 form is handed out";
        if (last.Any(c => c.Verdict == Verdict.NotFaster)) return $"what fits the budget was not measured {what} than fp32: the best fp32 form is handed out";
        return search.RanOutOfTime ? "the time ran out before any quantised form was proven: the best fp32 form is handed out" : "no quantised form fits the budget: the best fp32 form is handed out";
    }

    private static string Percent(double share) => (share * 100).ToString("0.###", CultureInfo.InvariantCulture) + " %";
}
