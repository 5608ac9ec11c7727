using AiOptix.Graphs;
using AiOptix.Optimization;
using AiOptix.Passes;
using AiOptix.Passes.Quantize;
using AiOptix.Tensors;
using AiOptix.Zoo;

namespace AiOptix.Optimizer.Tests;

/// <summary>What a search decides on the digits model when time is made up.</summary>
public sealed class SearchTests : IDisposable
{
    private const double Allowed = 0.2;

    private static readonly ErrorBudget half = new() { MaxAccuracyDrop = 0.005 };
    private static readonly Lazy<Graph> floats = new(() => Networks.Digits().Rewrite().Model.Graph);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("search-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void AFasterFormWithinTheBudgetIsProvenAndHandedOut()
    {
        var kept = new List<Graph>();
        var (model, result) = Search(half, new FakeClock(floats.Value, (_, _) => 3), o => o with { Proven = kept.Add });
        var search = result.Search!;
        Assert.NotNull(search.Chosen);
        Assert.Equal(Verdict.Proven, search.Candidates[search.Chosen.Value].Verdict);
        Assert.True(search.Proof is { Holds: true, IsShown: true, Units: 600 });
        Assert.Equal((100, 100, 600), (search.Split.Calibration.Count, search.Split.Search.Count, search.Split.HeldBack.Count));
        Assert.Contains(model.Graph.Nodes, n => n.Operator.Name == "QuantizeLinear");
        Assert.Equal(Printer.Print(model.Graph), Printer.Print(kept[^1]));
        Assert.True(search.ChosenBytes < 0.5 * search.BaselineBytes);
        Assert.Contains(search.Nodes, n => n is { Precision: "int8", Noise: > 0 });
        Assert.Equal(4, search.Candidates.Count(c => c.Verdict == Verdict.Compared && c.Plan.Means.Count == 0));
    }

    [Fact]
    public void WhatIsNotFasterIsRefused()
    {
        var (model, result) = Search(half, new FakeClock(floats.Value, (_, _) => 0.9));
        Assert.Null(result.Search!.Chosen);
        Assert.Contains("not measured faster", result.Search.Summary, StringComparison.Ordinal);
        Assert.DoesNotContain(model.Graph.Nodes, n => n.Operator.Name == "QuantizeLinear");
        Assert.Equal(Printer.Print(floats.Value), Printer.Print(model.Graph));
        Assert.Contains(result.Search.Candidates, c => c is { Verdict: Verdict.NotFaster, Speed.High: < 1 });
    }

    [Fact]
    public void ProductsThatAreSlowerStayFloat()
    {
        var slow = Quantizable.Products(floats.Value)[0];
        var (_, result) = Search(half, new FakeClock(floats.Value, (node, _) => node == slow.Node.Name ? 0.2 : 2));
        var plan = result.Search!.Candidates[result.Search.Chosen!.Value].Plan;
        Assert.DoesNotContain(slow.Name, plan.Nodes.Keys);
        Assert.Equal(Quantizable.Products(floats.Value).Count - 1, plan.Nodes.Count);
    }

    [Fact]
    public void AMixtureIsFoundWhereTheWholeIsOverTheBudget()
    {
        var clock = new FakeClock(floats.Value, (_, _) => 3);
        // The error of all but the last product alone: some mixture fits, all do not.
        var (_, free) = Search(new ErrorBudget { MaxError = 10 }, clock);
        var all = free.Search!.Candidates.First(c => c.Verdict == Verdict.Proven);
        var (_, result) = Search(new ErrorBudget { MaxError = all.Drop / 2 }, new FakeClock(floats.Value, (_, _) => 3));
        var search = result.Search!;
        Assert.Contains(search.Candidates, c => c.Verdict == Verdict.OverBudget && c.Plan.Nodes.Count == Quantizable.Products(floats.Value).Count);
        var chosen = search.Candidates[search.Chosen!.Value];
        Assert.InRange(chosen.Plan.Nodes.Count, 1, Quantizable.Products(floats.Value).Count - 1);
        Assert.True(search.Proof is { Holds: true, IsError: true } && search.Proof.WorseEnd <= all.Drop / 2);
    }

    [Fact]
    public void WhereTheFastestIsNotShownAMilderMixtureIsHandedOut()
    {
        const double Far = 1e6;
        var everything = Failing(Far).Search!;
        Assert.All(everything.Attempts, a => Assert.Equal(Verdict.Proven, everything.Candidates[a].Verdict));
        Assert.Equal(everything.Attempts[^1], everything.Chosen);
        Assert.InRange(everything.Attempts.Count, 2, 4);
        var noises = everything.Attempts.Select(a => everything.Candidates[a].Noise).ToArray();
        var speeds = everything.Attempts.Select(a => everything.Candidates[a].Speed!.Ratio).ToArray();
        Assert.Equal(noises.Order(), noises);
        Assert.Equal(speeds.Order(), speeds);

        // A limit that the fastest alone is beyond, at the worse end.
        var ends = everything.Attempts.Select(a => everything.Candidates[a].Proof!.WorseEnd * Far / Allowed).ToArray();
        Assert.True(ends[^2] < ends[^1]);
        var limit = Math.Sqrt(ends[^2] * ends[^1]);
        var kept = new List<Graph>();
        var result = Failing(limit, o => o with { Proven = kept.Add });
        var search = result.Search!;
        Assert.Equal(everything.Attempts, search.Attempts);
        Assert.Equal(search.Attempts[^2], search.Chosen);
        Assert.Equal(Verdict.NotProven, search.Candidates[search.Attempts[^1]].Verdict);
        Assert.True(search.Proof is { Holds: true });
        Assert.False(search.Candidates[search.Attempts[^1]].Proof!.Holds);
        Assert.Contains($"{search.Candidates[search.Attempts[^1]].Name} is faster still, but the held-back samples do not show it", search.Summary, StringComparison.Ordinal);
        Assert.Equal(Printer.Print(result.Graph), Printer.Print(kept[^1]));
        Assert.True(search.Candidates[search.Chosen!.Value].Plan.Nodes.Count < search.Candidates[search.Attempts[^1]].Plan.Nodes.Count);
        var recipe = Recipe.Parse(Recipe.Of(search).ToJson().ToJsonString(), "recipe");
        Assert.Equal(Recipe.Of(search).Attempts, recipe.Attempts);
        Assert.Equal([.. Enumerable.Repeat(true, recipe.Attempts.Count - 1), false], recipe.Attempts.Select(a => a.Holds));
        var json = ModelJson.Result(result)["search"]!;
        Assert.Equal(search.Attempts.Count, json["attempts"]!.AsArray().Count);
        Assert.False(json["candidates"]![search.Attempts[^1]]!["proof"]!["holds"]!.GetValue<bool>());

        // Ended between the proofs, it goes on and decides the same.
        var state = Path.Combine(folder.FullName, "state.json");
        Assert.Throws<OperationCanceledException>(() => Failing(limit, o => o with { StatePath = state, Proven = _ => throw new OperationCanceledException() }));
        var resumed = Failing(limit, o => o with { StatePath = state }).Search!;
        Assert.True(resumed.IsResumed);
        Assert.Equal(Decisions(search), Decisions(resumed));
        Assert.Equal(search.Attempts, resumed.Attempts);
    }

    [Fact]
    public void WhereTheMildestIsNotShownTheFloatsAreHandedOutWithTheReason()
    {
        var result = Failing(1e-12);
        var search = result.Search!;
        Assert.Null(search.Chosen);
        Assert.Equal(Verdict.NotProven, search.Candidates[Assert.Single(search.Attempts)].Verdict);
        Assert.Contains(search.Candidates, c => c.Verdict == Verdict.Fits && c.Proof is null);
        Assert.Contains("the held-back samples do not show it: the best fp32 form is handed out", search.Summary, StringComparison.Ordinal);
        Assert.Equal(Printer.Print(floats.Value), Printer.Print(result.Graph));
    }

    /// <summary>On the search part nothing is lost; on held-back samples as much as makes a form fail whose mean squared error is above a limit.</summary>
    private static OptimizationResult Failing(double limit, Func<OptimizerOptions, OptimizerOptions>? change = null)
    {
        var heldBack = SampleSplit.Of(800, 0).HeldBack.ToHashSet();
        var metric = Metric.Of("made up", call => [heldBack.Contains(call.Sample) ? 1 - Allowed * Metric.SquaredError.Score(call)[0] / limit : 1]);
        return Search(new ErrorBudget { MaxAccuracyDrop = Allowed, Metric = metric }, new FakeClock(floats.Value, (_, _) => 3), change).Result;
    }

    [Fact]
    public void ABudgetThatNothingMeetsGivesTheFloats()
    {
        var (model, result) = Search(new ErrorBudget { MaxError = 1e-12 }, new FakeClock(floats.Value, (_, _) => 3));
        Assert.Null(result.Search!.Chosen);
        Assert.Contains("no quantised form fits the budget", result.Search.Summary, StringComparison.Ordinal);
        Assert.Equal(Printer.Print(floats.Value), Printer.Print(model.Graph));
    }

    [Fact]
    public void TheSameMeasurementsGiveTheSameDecisions()
    {
        var runs = Enumerable.Range(0, 2).Select(_ => Search(half, new FakeClock(floats.Value, (n, f) => 1 + n.Length % 3 + (int)f % 2)).Result.Search!).ToArray();
        Assert.Equal(Decisions(runs[0]), Decisions(runs[1]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void ASearchThatWasEndedGoesOnWhereItWas(int questions)
    {
        var state = Path.Combine(folder.FullName, "state.json");
        double Speed(string node, QuantizedForm form) => 1.5 + node.Length % 3;
        var whole = Search(half, new FakeClock(floats.Value, Speed)).Result.Search!;
        var total = 0;
        var full = new FakeClock(floats.Value, Speed) { Asked = n => total = n };
        Search(half, full);
        Assert.Throws<OperationCanceledException>(() => Search(half, new FakeClock(floats.Value, Speed) { Asked = n => { if (n > questions) throw new OperationCanceledException(); } }, o => o with { StatePath = state }));
        Assert.True(File.Exists(state));
        var asked = 0;
        var resumed = Search(half, new FakeClock(floats.Value, Speed) { Asked = n => asked = n }, o => o with { StatePath = state }).Result.Search!;
        Assert.True(resumed.IsResumed);
        Assert.Equal(Decisions(whole), Decisions(resumed));
        Assert.Equal(total - questions, asked);
        Assert.False(File.Exists(state));
    }

    [Fact]
    public void AStateOfAnotherSearchIsNotUsed()
    {
        var state = Path.Combine(folder.FullName, "state.json");
        var clock = new FakeClock(floats.Value, (_, _) => 3) { Asked = n => { if (n > 1) throw new OperationCanceledException(); } };
        Assert.Throws<OperationCanceledException>(() => Search(half, clock, o => o with { StatePath = state }));
        Assert.False(Search(half with { Seed = 1 }, new FakeClock(floats.Value, (_, _) => 3), o => o with { StatePath = state }).Result.Search!.IsResumed);
        File.WriteAllText(state, "{\"search\": 3");
        Assert.Contains("delete it", Assert.Throws<ModelFormatException>(() => Search(half, new FakeClock(floats.Value, (_, _) => 3), o => o with { StatePath = state })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TimeThatRunsOutGivesTheBestSoFar()
    {
        var search = Search(half with { Time = TimeSpan.FromSeconds(2) }, new FakeClock(floats.Value, (_, _) => 3) { SecondsEach = 1 }).Result.Search!;
        Assert.True(search.RanOutOfTime);
        var whole = Search(half, new FakeClock(floats.Value, (_, _) => 3)).Result.Search!;
        Assert.True(search.Candidates.Count < whole.Candidates.Count);
        Assert.NotNull(search.Chosen);
    }

    [Fact]
    public void ARecipeIsReplayed()
    {
        var (model, found) = Search(half, new FakeClock(floats.Value, (_, _) => 3));
        var recipe = Recipe.Parse(Recipe.Of(found.Search!).ToJson().ToJsonString(), "recipe");
        var (again, result) = Search(half, new FakeClock(floats.Value, (_, _) => 2), o => o with { Recipe = recipe });
        Assert.Equal(Printer.Print(model.Graph), Printer.Print(again.Graph));
        Assert.Equal(800, result.Search!.Proof!.Units);
        Assert.Equal(model.Graph.Constants.Select(c => c.Constant!.Bytes.ToArray()), again.Graph.Constants.Select(c => c.Constant!.Bytes.ToArray()));
        Assert.Null(Search(half, new FakeClock(floats.Value, (_, _) => 0.5), o => o with { Recipe = recipe }).Result.Search!.Chosen);
        Assert.Throws<InvalidInputException>(() => Search(half, new FakeClock(floats.Value, (_, _) => 2), o => o with { Recipe = recipe with { GraphChecksum = "0" } }));
        Assert.Throws<ModelFormatException>(() => Recipe.Parse("{\"version\": 9}", "recipe"));
        Assert.Throws<ModelFormatException>(() => Recipe.Parse("[]", "recipe"));
        var json = Recipe.Of(found.Search!).ToJson();
        foreach (var part in json["plan"]!.AsObject().Select(p => p.Key).ToArray())
        {
            var broken = json.DeepClone();
            broken["plan"]![part] = null;
            Assert.Contains(part, Assert.Throws<ModelFormatException>(() => Recipe.Parse(broken.ToJsonString(), "recipe")).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void TooLittleDataIsRefusedWithTheNumberThatWouldDo()
    {
        var e = Assert.Throws<NotEnoughDataException>(() => Search(half, new FakeClock(floats.Value, (_, _) => 3), count: 300));
        Assert.Contains("598", e.Message, StringComparison.Ordinal);
        Assert.InRange(e.SamplesNeeded, 795, 800);
        Assert.Equal(3, Assert.Throws<NotEnoughDataException>(() => Search(half with { MaxAccuracyDrop = 0.99 }, new FakeClock(floats.Value, (_, _) => 3), count: 2)).SamplesNeeded);
        var allowed = Search(half with { AllowLittleData = true }, new FakeClock(floats.Value, (_, _) => 3), count: 100).Result.Search!;
        Assert.True(allowed.Chosen is null || allowed.Proof is { IsShown: false });
    }

    [Fact]
    public void RowsOfBatchesAreCounted()
    {
        var search = Search(half, new FakeClock(floats.Value, (_, _) => 3), batch: 100).Result.Search!;
        Assert.Equal(600, search.Proof!.Units);
        Assert.Equal(6, search.Split.HeldBack.Count);
    }

    [Fact]
    public void AMetricOfTheUsersOwnIsAsked()
    {
        var asked = new HashSet<int>();
        var metric = Metric.Of("log odds", call =>
        {
            asked.Add(call.Sample);
            var z = call.Outputs[0].Span<float>().ToArray();
            return [z[(int)call.Label!.ToInt64()[0]] - Math.Log(z.Sum(v => Math.Exp(v)))];
        });
        var search = Search(new ErrorBudget { MaxAccuracyDrop = 0.5, Metric = metric }, new FakeClock(floats.Value, (_, _) => 3)).Result.Search!;
        Assert.NotNull(search.Chosen);
        Assert.Equal("log odds", search.Proof!.Metric);
        Assert.True(asked.Count >= 700);
        Assert.Throws<InvalidInputException>(() => Search(new ErrorBudget { MaxAccuracyDrop = 0.5, Metric = Metric.Of("none", _ => []) }, new FakeClock(floats.Value, (_, _) => 3)));
    }

    [Fact]
    public void ASizeBudgetWantsFewerBytes()
    {
        var search = Search(half with { Objective = Objective.Size }, new FakeClock(floats.Value, (_, _) => 0.5)).Result.Search!;
        Assert.NotNull(search.Chosen);
        Assert.All(search.Candidates.Where(c => c.Verdict == Verdict.Proven), c => Assert.True(c.WeightBytes >= search.Candidates[search.Chosen.Value].WeightBytes));
    }

    [Fact]
    public void WithoutABudgetNothingIsQuantised()
    {
        var (samples, labels) = Networks.Images(100);
        var (model, result) = Networks.Digits().Optimize(samples, new OptimizerOptions { Threads = 1, TimingTime = TimeSpan.Zero, PassTimingTime = TimeSpan.Zero, Labels = labels });
        Assert.Null(result.Search);
        Assert.DoesNotContain(model.Graph.Nodes, n => n.Operator.Name == "QuantizeLinear");
        Assert.Throws<ArgumentException>(() => Networks.Digits().Optimize(samples, new OptimizerOptions { Recipe = new("", "", null) }));
        Assert.Throws<ArgumentException>(() => Networks.Digits().Optimize(samples, new OptimizerOptions { Labels = labels[1..] }));
    }

    [Fact]
    public void ATransformerIsAlsoTriedSmoothed()
    {
        var model = Model.Of(ModelZoo.Find("vit-b-16").Build(new ZooOptions { ImageSize = 64, Layers = 2, Width = 128 }));
        var samples = Enumerable.Range(0, 8).Select(i => SampleInputs.Draw(model, i).Values.ToArray()).ToArray();
        var options = new OptimizerOptions
        {
            Threads = 1, TimingTime = TimeSpan.Zero, PassTimingTime = TimeSpan.Zero, Measurer = new FakeClock(model.Rewrite().Model.Graph, (_, _) => 3),
            Budget = new ErrorBudget { MaxError = 5, AllowLittleData = true },
        };
        var search = model.Optimize(samples, options).Result.Search!;
        Assert.Equal(4, search.Candidates.Count(c => c.Verdict == Verdict.Compared && c.Plan.Smoothing.Count > 0 && c.Plan.Means.Count == 0));
        Assert.NotNull(search.Chosen);
        foreach (var form in new[] { QuantizedForm.Static, QuantizedForm.Dynamic, QuantizedForm.Weights8, QuantizedForm.Weights4 })
            Assert.Contains(search.Candidates, c => c.Verdict != Verdict.Compared && c.Plan.Nodes.Values.All(f => f == form) && double.IsFinite(c.Noise));
    }

    [Fact]
    public void ThroughputIsThatOfRunsAtOnce()
    {
        var (samples, labels) = Networks.Images(50);
        var options = new OptimizerOptions { Threads = 2, TimingTime = TimeSpan.Zero, PassTimingTime = TimeSpan.Zero, Budget = half with { Objective = Objective.Throughput, MaxAccuracyDrop = 0.01 }, Labels = labels };
        var search = Networks.Digits().Optimize(samples, options).Result.Search!;
        Assert.Contains(search.Candidates, c => c.Speed is { Pairs: >= 9, BaselineSeconds: > 0 });
        Assert.Equal(search.BaselineTimes.Count, search.ChosenTimes.Count);
        Assert.All(search.Nodes, n => Assert.True(n.SecondsBefore >= 0 && n.SecondsAfter >= 0));
    }

    private static string[] Decisions(SearchReport search) => [.. search.Candidates.Select(c => $"{c.Name}: {c.Verdict}, {c.Noise:R}, {c.Drop:R}, {c.Speed?.Ratio:R}"), $"{search.Chosen}", search.Summary];

    private static (Model Model, OptimizationResult Result) Search(ErrorBudget budget, IMeasurer clock, Func<OptimizerOptions, OptimizerOptions>? change = null, int batch = 1, int count = 800)
    {
        var (samples, labels) = Networks.Images(batch, count);
        var options = new OptimizerOptions { Threads = 1, TimingTime = TimeSpan.Zero, PassTimingTime = TimeSpan.Zero, Budget = budget, Labels = labels, Measurer = clock };
        return Networks.Digits().Optimize(samples, change?.Invoke(options) ?? options);
    }
}
