using System.Globalization;
using AiOptix.Profiling;
using AiOptix.Tensors;
using AiOptix.Zoo;
using Microsoft.Playwright;

namespace AiOptix.Pages.Tests;

public sealed class ProfilePageTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly Lazy<ModelProfile> profile = new(Measure);

    [SkippableFact]
    public async Task TheChartsAreDrawnAndTheTableSorts()
    {
        var (page, faults) = await browser.Open(profile.Value.ToHtml(MachineReport.Create()));
        Assert.Equal(profile.Value.Steps.Count(s => s is { Flops: > 0, Bytes: > 0, Seconds: > 0 }), await page.Locator("#roofline .scatterlayer .point").CountAsync());
        Assert.Equal(profile.Value.Steps.Select(s => s.Operation).Distinct().Take(15).Count(), await page.Locator("#operations .bars .point").CountAsync());
        var rows = page.Locator("#steps tbody tr");
        Assert.Equal(profile.Value.Steps.Count, await rows.CountAsync());
        Assert.Equal(profile.Value.Steps.MaxBy(s => s.Seconds)!.Name, (await rows.First.Locator("td").Nth(1).TextContentAsync())!.Trim());

        await page.Locator("#steps th button").First.ClickAsync();
        await page.Locator("#steps th button").First.ClickAsync();
        var order = (await page.Locator("#steps tbody tr td:first-child").AllTextContentsAsync()).Select(t => int.Parse(t, CultureInfo.InvariantCulture));
        Assert.Equal(Enumerable.Range(0, profile.Value.Steps.Count), order);
        Assert.Equal("ascending", await page.Locator("#steps th").First.GetAttributeAsync("aria-sort"));
        Assert.Empty(faults);
    }

    [SkippableTheory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task APhoneShowsItWithoutScrollingSideways(ColorScheme scheme)
    {
        var (page, faults) = await browser.Open(profile.Value.ToHtml(MachineReport.Create()), width: 390, scheme);
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        var (ground, ink) = (await Color(page, "backgroundColor"), await Color(page, "color"));
        Assert.True(scheme == ColorScheme.Dark ? ground < 60 && ink > 200 : ground > 200 && ink < 60, $"ground {ground}, ink {ink}");
        Assert.Empty(faults);
    }

    [SkippableFact]
    public async Task ANameCannotBecomeMarkup()
    {
        const string name = "</script><b id='broken'>&\"";
        var hostile = profile.Value with { Model = name, Steps = [.. profile.Value.Steps.Select(s => s with { Name = name })] };
        var (page, faults) = await browser.Open(hostile.ToHtml(MachineReport.Create()));
        Assert.Equal(0, await page.Locator("#broken").CountAsync());
        Assert.Equal($"Profile of {name}", await page.TitleAsync());
        Assert.Equal(name, await page.Locator("#steps tbody tr td:nth-child(2)").First.TextContentAsync());
        Assert.Empty(faults);
    }

    private static async Task<int> Color(IPage page, string property)
    {
        var rgb = await page.EvaluateAsync<string>($"() => getComputedStyle(document.body).{property}");
        return int.Parse(rgb.Split('(', ',')[1], CultureInfo.InvariantCulture);
    }

    private static ModelProfile Measure()
    {
        var model = Model.Of(ModelZoo.Find("mobilenet-v2").Build(new ZooOptions { ImageSize = 96 }));
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        return ModelProfile.Measure(session, [.. SampleInputs.Draw(model, seed: 1).Values], runs: 2);
    }
}
