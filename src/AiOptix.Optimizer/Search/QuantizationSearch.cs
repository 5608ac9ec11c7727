using System.Globalization;
using AiOptix.Graphs;
using AiOptix.Optimization.Calibrate;
using AiOptix.Passes.Quantize;

namespace AiOptix.Optimization;

/// <summary>
/// Looks for the fastest quantised form within a budget. Ways of calibrating are compared by their error on the search part of the samples. The best one is tried on all products; where that is
/// over the budget, products are left out in the order of error a second gained, found by bisection; then without the products that measure no faster, with variants of what stands
/// between, and in the dynamic and weight-only forms; last, milder mixtures of the best. A form counts only if it fits the budget on the search part and its whole 95 % interval says that it is 2 % better
/// than the best fp32 form. What the search found is then proven on the held-back samples, from the mildest to the fastest (<see cref="ProofSequence"/>).
/// </summary>
internal sealed class QuantizationSearch
{
    /// <summary>The share of an error budget that the few samples of the search part may use up: the largest of many is larger.</summary>
    private const double ErrorMargin = 0.8;

    /// <summary>What the lower end of the interval must reach: two sessions of one program differ by more than their intervals tell, for their memory lies elsewhere.</summary>
    private const double LeastGain = 1.02;

    private const int SensitivitySamples = 8;
    private const double Smoothness = 0.5;

    /// <summary>The shares of the best form's products that milder mixtures keep.</summary>
    private static readonly double[] milderShares = [0.75, 0.5];

    private readonly Graph graph;
    private readonly Trials trials;
    private readonly OptimizerOptions options;
    private readonly ErrorBudget budget;
    private readonly SampleSplit split;
    private readonly IProgress<OptimizerProgress>? progress;
    private readonly List<SearchCandidate> candidates = [];
    private readonly Dictionary<string, double> noises = new(StringComparer.Ordinal);
    private readonly long floatBytes;
    private readonly List<int> attempts = [];
    private int? best;
    private int? proven;
    private bool ranOut;

    /// <summary>Prepares a search.</summary>
    public QuantizationSearch(Graph graph, Trials trials, OptimizerOptions options, SampleSplit split, IProgress<OptimizerProgress>? progress)
    {
        (this.graph, this.trials, this.options, this.split, this.progress) = (graph, trials, options, split, progress);
        budget = options.Budget!;
        floatBytes = Bytes(graph);
    }

    /// <summary>All that was looked at.</summary>
    public IReadOnlyList<SearchCandidate> Candidates => candidates;

    /// <summary>The index of the best proven one.</summary>
    public int? Best => proven;

    /// <summary>The indices of those that were put to the proof, in order.</summary>
    public IReadOnlyList<int> Attempts => attempts;

    /// <summary>The proof of the best one, or the one that failed.</summary>
    public BudgetProof? Proof => proven is { } p ? candidates[p].Proof : attempts.Count > 0 ? candidates[attempts[^1]].Proof : null;

    /// <summary>Whether the time ended it.</summary>
    public bool RanOutOfTime => ranOut;

    /// <summary>The error when only one product is quantised, by its name.</summary>
    public IReadOnlyDictionary<string, double> Noises => noises;

    /// <summary>The bytes of a graph's constants.</summary>
    public static long Bytes(Graph graph) => graph.Constants.Sum(c => c.Constant!.ByteLength) + graph.Nodes.SelectMany(n => n.Operator.Subgraphs).Sum(Bytes);

    /// <summary>Searches.</summary>
    public void Run()
    {
        if (Quantizable.Products(graph).Count == 0) return;
        var (variant, method, corrects) = Calibrate();
        var products = variant.Products;
        if (products.Count > 0 && !Ended())
        {
            var whole = variant.Plan(products, QuantizedForm.Static, method, corrects);
            var name = $"static int8, {Words(method)}{variant.Name}{(corrects ? ", bias corrected" : "")}";
            var found = Consider($"{name}, all {Count(products.Count, "product")}", whole);
            if (products.Count > 1 && found is Verdict.OverBudget) Mix(variant, whole, name);
            else if (products.Count > 1 && found is Verdict.Fits or Verdict.NotFaster) LeaveSlowOut(variant, whole, name);
            Refine(variant, best is { } b ? candidates[b].Plan : whole, name);
        }
        Matrices(variant, method, corrects);
        if (best is { } chosen && noises.Count == 0) Sensitivities(variant.Products, candidates[chosen].Plan);
        Milder(variant);
        Prove();
    }

    /// <summary>Scores, times and proves one form that was decided on before; it is the only one.</summary>
    public void Replay(string name, QuantizationPlan plan)
    {
        Consider(name, plan);
        Prove();
        var smoothed = graph.Clone();
        Smoothing.Apply(smoothed, plan.Smoothing);
        if (proven is not null) Sensitivities(Quantizable.Products(smoothed), plan);
    }

    /// <summary>The way of calibrating with the least error when all products are static.</summary>
    private (Variant Variant, CalibrationMethod Method, bool Corrects) Calibrate()
    {
        var none = new Dictionary<string, double[]>();
        var plain = Watch("", graph, none);
        List<Variant> variants = [plain];
        if (Smoothing.Places(graph).Count > 0)
        {
            var factors = Smoothing.Factors(graph, plain.Maxima, Smoothness);
            var smoothed = graph.Clone();
            Smoothing.Apply(smoothed, factors);
            variants.Add(Watch(", smoothed", smoothed, factors));
        }
        var tried = new List<(Variant, CalibrationMethod, bool, double Noise)>();
        foreach (var variant in variants)
            foreach (var method in Enum.GetValues<CalibrationMethod>()) tried.Add((variant, method, false, Compared(variant, method, false)));
        var (bestVariant, bestMethod, _, least) = tried.MinBy(t => t.Noise);
        var corrected = Compared(bestVariant, bestMethod, true);
        return (bestVariant, bestMethod, corrected < least);
    }

    private Variant Watch(string name, Graph variant, IReadOnlyDictionary<string, double[]> factors) =>
        trials.Calibrate(name, variant, factors, split.Calibration, done => Tell($"calibrating{name}", (double)done / split.Calibration.Count));

    private double Compared(Variant variant, CalibrationMethod method, bool corrects)
    {
        if (Ended()) return double.PositiveInfinity;
        var name = $"static int8, {Words(method)}{variant.Name}{(corrects ? ", bias corrected" : "")}";
        Tell($"comparing {name}");
        var plan = variant.Plan(variant.Products, QuantizedForm.Static, method, corrects);
        var noise = trials.Noise(plan, split.Search);
        candidates.Add(new(name, plan, noise, double.NaN, null, trials.WeightBytes(plan), Verdict.Compared));
        return noise;
    }

    /// <summary>Leaves out the products that cost most error for the time they gain, no more than the budget asks for.</summary>
    private void Mix(Variant variant, QuantizationPlan whole, string name)
    {
        Sensitivities(variant.Products, whole);
        var order = ByWorth(variant, whole);
        // The most that fits, assuming that fewer quantised products never make it worse.
        int fits = 0, over = order.Length;
        while (over - fits > 1 && !Ended())
        {
            var middle = (fits + over) / 2;
            Tell($"looking for the largest mixture, {Number(middle)} of {Count(order.Length, "product")}");
            if (Fits(Dropped(Only(whole, order.Take(middle))))) fits = middle;
            else over = middle;
        }
        if (fits > 0 && Consider($"{name}, {Number(fits)} of {Count(order.Length, "product")}", Only(whole, order.Take(fits))) == Verdict.Fits) LeaveSlowOut(variant, candidates[best!.Value].Plan, name);
    }

    /// <summary>The products of a plan, those first that gain most time for their error.</summary>
    private QuantizableProduct[] ByWorth(Variant variant, QuantizationPlan plan)
    {
        var gains = Gains(plan);
        return [.. variant.Products.Where(p => plan.Nodes.ContainsKey(p.Name) && noises.ContainsKey(p.Name)).OrderByDescending(p => Worth(gains.GetValueOrDefault(p.Name), noises[p.Name])).ThenBy(p => p.Name, StringComparer.Ordinal)];
    }

    /// <summary>Mixtures of fewer products of the best form, to fall back on if the held-back samples do not show that one.</summary>
    private void Milder(Variant variant)
    {
        if (best is not { } b || Ended()) return;
        var (name, plan) = (candidates[b].Name, candidates[b].Plan);
        var order = ByWorth(variant, plan);
        foreach (var share in milderShares)
            if ((int)(order.Length * share) is var kept and > 0 && kept < plan.Nodes.Count) Consider($"{name}, milder: {Number(kept)} of {Count(plan.Nodes.Count, "product")}", Only(plan, order.Take(kept)));
    }

    /// <summary>Proves what was found.</summary>
    private void Prove()
    {
        foreach (var i in ProofSequence.Of(candidates, budget, LeastGain))
        {
            Tell($"proving {candidates[i].Name}");
            attempts.Add(i);
            var found = BudgetProof.Of(budget, trials.Scores(null, split.HeldBack, "held back"), trials.Scores(candidates[i].Plan, split.HeldBack, "held back"));
            candidates[i] = candidates[i] with { Verdict = found.Holds ? Verdict.Proven : Verdict.NotProven, Proof = found };
            if (!found.Holds) return;
            proven = i;
            options.Proven?.Invoke(trials.Write(candidates[i].Plan));
        }
    }

    private static double Worth(double gain, double noise) => gain <= 0 ? gain - 1 : gain / Math.Max(noise, 1e-30);

    /// <summary>Tries a plan without the products that measure slower than in fp32.</summary>
    private void LeaveSlowOut(Variant variant, QuantizationPlan plan, string name)
    {
        if (Ended()) return;
        var gains = Gains(plan);
        var kept = variant.Products.Where(p => plan.Nodes.ContainsKey(p.Name) && gains.GetValueOrDefault(p.Name) > 0).ToArray();
        if (kept.Length > 0 && kept.Length < plan.Nodes.Count) Consider($"{name}, only the {Number(kept.Length)} that measure faster", Only(plan, kept));
    }

    /// <summary>Variants of what stands between the products.</summary>
    private void Refine(Variant variant, QuantizationPlan plan, string name)
    {
        if (variant.Products.Any(p => p.IsMatrix && plan.Nodes.ContainsKey(p.Name))) Consider($"{name}, float results where nobody reads bytes", plan with { FloatResults = true });
        plan = best is { } b ? candidates[b].Plan : plan;
        Consider($"{name}, only products in bytes", plan with { Followers = false });
    }

    /// <summary>The forms for matrix products that need no ranges.</summary>
    private void Matrices(Variant variant, CalibrationMethod method, bool corrects)
    {
        var matrices = variant.Products.Where(p => p.IsMatrix).ToArray();
        if (matrices.Length == 0) return;
        Consider($"dynamic int8{variant.Name}, {Count(matrices.Length, "matrix product")}", variant.Plan(matrices, QuantizedForm.Dynamic, method, corrects));
        Consider($"int8 weights in blocks, {Count(matrices.Length, "matrix product")}", variant.Plan(matrices, QuantizedForm.Weights8, method, corrects));
        Consider($"int4 weights in blocks, {Count(matrices.Length, "matrix product")}", variant.Plan(matrices, QuantizedForm.Weights4, method, corrects));
    }

    /// <summary>Scores and times a form.</summary>
    /// <returns>What became of it; null when the search has ended.</returns>
    private Verdict? Consider(string name, QuantizationPlan plan)
    {
        if (Ended() || candidates.Exists(c => c.Verdict != Verdict.Compared && Trials.Key(c.Plan) == Trials.Key(plan))) return null;
        Tell($"trying {name}");
        var noise = trials.Noise(plan, split.Search);
        var dropped = Dropped(plan);
        var bytes = trials.WeightBytes(plan);
        SpeedRatio? speed = null;
        var verdict = Judge();
        candidates.Add(new(name, plan, noise, dropped.Drop, speed, bytes, verdict));
        if (verdict == Verdict.Fits) best = candidates.Count - 1;
        return verdict;

        Verdict Judge()
        {
            if (!Fits(dropped)) return Verdict.OverBudget;
            Tell($"timing {name}");
            speed = trials.Compare(name, plan, "fp32", null);
            if (budget.Objective == Objective.Size ? bytes >= floatBytes : !IsBetter(speed)) return Verdict.NotFaster;
            var isBest = best is not { } b || (budget.Objective == Objective.Size ? bytes < candidates[b].WeightBytes : IsBetter(trials.Compare(name, plan, candidates[b].Name, candidates[b].Plan)));
            return isBest ? Verdict.Fits : Verdict.NotBetter;
        }
    }

    private static bool IsBetter(SpeedRatio speed) => speed.Low >= LeastGain;

    private BudgetProof Dropped(QuantizationPlan plan) => BudgetProof.Of(budget, trials.Scores(null, split.Search, "search"), trials.Scores(plan, split.Search, "search"));

    private bool Fits(BudgetProof found) => found.IsError ? found.Drop <= ErrorMargin * found.Limit : found.Drop <= found.Limit;

    /// <summary>The error of each product of a plan alone.</summary>
    private void Sensitivities(IReadOnlyList<QuantizableProduct> all, QuantizationPlan plan)
    {
        var part = split.Search.Take(SensitivitySamples).ToArray();
        var products = all.Where(p => plan.Nodes.ContainsKey(p.Name)).ToArray();
        for (var i = 0; i < products.Length && !ranOut; i++)
        {
            if (Ended()) return;
            Tell("measuring the error of each product", (double)i / products.Length);
            noises[products[i].Name] = trials.Noise(Only(plan, [products[i]]), part);
        }
    }

    /// <summary>The seconds that each product gains over fp32, what belongs to it included.</summary>
    private Dictionary<string, double> Gains(QuantizationPlan plan)
    {
        Tell("measuring the gain of each product");
        var rows = NodeTable.Of(graph, plan, trials.Profile("fp32", null), trials.Profile("candidate", plan));
        return rows.Where(r => r.Product is not null).GroupBy(r => r.Product!, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum(r => r.Before - r.After), StringComparer.Ordinal);
    }

    private static QuantizationPlan Only(QuantizationPlan plan, IEnumerable<QuantizableProduct> products) =>
        plan with { Nodes = products.Where(p => plan.Nodes.ContainsKey(p.Name)).ToDictionary(p => p.Name, p => plan.Nodes[p.Name], StringComparer.Ordinal) };

    private bool Ended() => ranOut |= trials.Elapsed >= budget.Time;

    private void Tell(string stage, double done = 0)
    {
        var left = budget.Time - trials.Elapsed;
        var so = (proven ?? best) is { } b ? candidates[b].Speed is { } s ? string.Create(CultureInfo.InvariantCulture, $"{s.Ratio:0.00}x over fp32{(proven is null ? ", not proven yet" : "")}") : "proven" : "fp32";
        progress?.Report(new(stage, done) { Best = so, Left = left < TimeSpan.Zero ? TimeSpan.Zero : left });
    }

    private static string Words(CalibrationMethod method) => method switch
    {
        CalibrationMethod.MinMax => "min-max ranges",
        CalibrationMethod.Percentile => "percentile ranges",
        CalibrationMethod.Entropy => "entropy ranges",
        _ => "least-square ranges",
    };

    private static string Count(int count, string what) => $"{Number(count)} {what}{(count == 1 ? "" : "s")}";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
