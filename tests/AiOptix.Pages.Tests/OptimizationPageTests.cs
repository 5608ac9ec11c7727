using System.Globalization;
using AiOptix.Optimization;
using AiOptix.Passes;
using AiOptix.Passes.Quantize;
using AiOptix.Reporting;
using Microsoft.Playwright;

namespace AiOptix.Pages.Tests;

public sealed class OptimizationPageTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly SpeedRatio fast = new(2e-3, 1e-3, 2, 1.95, 2.05, 40);

    [SkippableFact]
    public async Task TheVerdictStandsOnTopAndTheChartsAreDrawn()
    {
        var (page, faults) = await browser.Open(Html(Result()));
        Assert.Equal("Quantised, proven, 2.00\u00d7 as fast", await page.Locator("#verdict b").TextContentAsync());
        Assert.Equal("good", await page.Locator("#verdict.good").GetAttributeAsync("class") is { } c ? c.Split(' ')[1] : "");
        Assert.Equal(2, await page.Locator("#latency .scatterlayer .trace").CountAsync());
        Assert.Equal(3, await page.Locator("#forms .scatterlayer .point").CountAsync());
        Assert.Equal(4, await page.Locator("#candidates tbody tr").CountAsync());
        Assert.Contains("CHOSEN", await page.Locator("#candidates tbody tr").First.InnerTextAsync(), StringComparison.Ordinal);
        Assert.Contains("at worst 0.50 %", await page.Locator("#proof").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Contains("optix optimize model.onnx", await page.Locator("#again").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await page.Locator("#passes tbody tr").CountAsync());
        Assert.Empty(faults);
    }

    [SkippableFact]
    public async Task TheTableOfNodesSorts()
    {
        var (page, faults) = await browser.Open(Html(Result()));
        Assert.Equal("conv2", await page.Locator("#nodes tbody tr td:nth-child(2)").First.TextContentAsync());
        await page.Locator("#nodes th button", new() { HasText = "error" }).ClickAsync();
        Assert.Equal(["conv1", "conv2", "norm"], await page.Locator("#nodes tbody tr td:nth-child(2)").AllTextContentsAsync());
        await page.Locator("#nodes th button", new() { HasText = "#" }).ClickAsync();
        await page.Locator("#nodes th button", new() { HasText = "#" }).ClickAsync();
        Assert.Equal(["1", "2", "3"], await page.Locator("#nodes tbody tr td:nth-child(1)").AllTextContentsAsync());
        Assert.Empty(faults);
    }

    [SkippableTheory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task APhoneShowsItWithoutScrollingSideways(ColorScheme scheme)
    {
        var (page, faults) = await browser.Open(Html(Result()), width: 390, scheme);
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        Assert.Empty(faults);
    }

    [SkippableFact]
    public async Task WithoutASearchItShowsTheRewrites()
    {
        var (page, faults) = await browser.Open(Html(Result() with { Search = null }));
        Assert.Equal(0, await page.Locator("#searched").CountAsync());
        Assert.Contains("fp32 rewrites only", await page.Locator("#verdict").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await page.Locator("#outputs tbody tr").CountAsync());
        Assert.Empty(faults);
    }

    [SkippableFact]
    public async Task ARefusalIsSaid()
    {
        var result = Result();
        var refused = result with { Search = result.Search! with { Chosen = null, SpeedOverFloat = null, Proof = null, Summary = "what fits the budget was not measured faster than fp32: the best fp32 form is handed out" } };
        var (page, faults) = await browser.Open(Html(refused));
        Assert.StartsWith("fp32, proven", await page.Locator("#verdict b").TextContentAsync(), StringComparison.Ordinal);
        Assert.Contains("not measured faster", await page.Locator("#verdict span").TextContentAsync(), StringComparison.Ordinal);
        Assert.Empty(faults);
    }

    [SkippableFact]
    public async Task AnErrorBudgetSaysNothingOfAccuracy()
    {
        var result = Result();
        var proof = result.Search!.Proof! with { IsError = true, Metric = "largest error", Drop = 0.004, WorseEnd = 0.004, Limit = 0.01, Coverage = 0.9951 };
        var (page, faults) = await browser.Open(Html(result with { Search = result.Search with { Proof = proof, Budget = new ErrorBudget { MaxError = 0.01 } } }));
        Assert.Contains("at least 99.5 % of inputs", await page.Locator("#proof").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Contains("says nothing of accuracy", await page.Locator("#proof").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Empty(faults);
    }

    [SkippableFact]
    public async Task ANameCannotBecomeMarkup()
    {
        const string name = "</script><b id='broken'>&\"";
        var result = Result();
        var hostile = result with { Search = result.Search! with { Summary = name, Nodes = [.. result.Search.Nodes.Select(n => n with { Node = name, KernelAfter = name })], Candidates = [.. result.Search.Candidates.Select(c => c with { Name = name })] } };
        var (page, faults) = await browser.Open(hostile.ToHtml(new OptimizationSubject(name, name), MachineReport.Create()));
        Assert.Equal(0, await page.Locator("#broken").CountAsync());
        Assert.Equal(name, await page.Locator("#nodes tbody tr td:nth-child(2)").First.TextContentAsync());
        Assert.Empty(faults);
    }

    [SkippableFact]
    public async Task ScreenshotsAreTakenWhereAsked()
    {
        var folder = Environment.GetEnvironmentVariable("AIOPTIX_SCREENSHOTS");
        Skip.If(string.IsNullOrEmpty(folder), "AIOPTIX_SCREENSHOTS names no folder");
        foreach (var (scheme, width) in new[] { (ColorScheme.Light, 1280), (ColorScheme.Dark, 1280), (ColorScheme.Light, 390), (ColorScheme.Dark, 390) })
        {
            var (page, _) = await browser.Open(Html(Result()), width, scheme);
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder!, string.Create(CultureInfo.InvariantCulture, $"optimization-{scheme}-{width}.png")), FullPage = true });
        }
    }

    private static string Html(OptimizationResult result) => result.ToHtml(new OptimizationSubject("model", "optix optimize model.onnx -o fast.onnx --max-accuracy-drop 0.5%"), MachineReport.Create());

    private static OptimizationResult Result()
    {
        var plan = new QuantizationPlan { Nodes = new Dictionary<string, QuantizedForm> { ["a"] = QuantizedForm.Static, ["b"] = QuantizedForm.Static } };
        var random = new Random(3);
        double[] Times(double around) => [.. Enumerable.Range(0, 60).Select(_ => around * (1 + 0.1 * random.NextDouble()))];
        var search = new SearchReport
        {
            Budget = new ErrorBudget { MaxAccuracyDrop = 0.005 },
            Split = SampleSplit.Of(800, 0),
            Candidates =
            [
                new("static int8, min-max ranges", plan, 2.4e-4, double.NaN, null, 50_000, Verdict.Compared),
                new("static int8, least-square ranges, all 2 products", plan, 1.4e-4, 0, fast with { Ratio = 1.6, Low = 1.55, High = 1.66 }, 50_000, Verdict.Proven),
                new("static int8, least-square ranges, the 1 products that measure faster", plan, 1.1e-4, 0, fast, 60_000, Verdict.Proven),
                new("dynamic int8, 1 matrix products", plan, 3e-5, 0, fast with { Ratio = 0.8, Low = 0.78, High = 0.83 }, 90_000, Verdict.NotFaster),
            ],
            Chosen = 2,
            Proof = new("top-1", false, 600, 0.99333, 0.99333, 0, 0, 0, 0.00498, 0, 0.005, 0.95, "Clopper-Pearson limit of the answers lost, one-sided", 598, false),
            Nodes =
            [
                new("conv1", "Conv+Relu", 1e-4, 9e-5, "conv_f32", "conv_u8s8", "int8", 3e-5),
                new("conv2", "Conv+Relu", 1.5e-3, 4e-4, "conv_f32", "conv_u8s8 + quantize", "int8", 1e-5),
                new("norm", "LayerNormalization", 2e-4, 2e-4, "norm_f32", "norm_f32", "fp32", null),
            ],
            SpeedOverFloat = fast,
            BaselineTimes = Times(2e-3),
            ChosenTimes = Times(1e-3),
            BaselineBytes = 200_000,
            ChosenBytes = 60_000,
            Elapsed = TimeSpan.FromSeconds(12),
            GraphChecksum = "0123456789abcdef",
            Summary = "static int8, least-square ranges, the 1 products that measure faster: faster than the best fp32 form, and within the budget",
        };
        var report = new PassReport([new AppliedPatch(1, "BatchNormFolding", "into Conv", ["a", "b"], ["a"], 14, 13)], 14, 13, 40, false);
        return new(new Graphs.Graph("model"), report, [new PassGain("BatchNormFolding", 1, fast with { Ratio = 1.1, Low = 1.05, High = 1.15 })], new Proof(4, [new OutputError("y", 1e-6, 1e-7, 1, null)], Tolerance.Model), fast, 2) { Search = search };
    }
}
