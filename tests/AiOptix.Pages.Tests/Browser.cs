using Microsoft.Playwright;

namespace AiOptix.Pages.Tests;

/// <summary>A headless Chromium of the system; tests are skipped, and counted, where there is none.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string? executable = new[] { "chromium", "chromium-browser", "google-chrome" }
        .SelectMany(n => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(p => Path.Combine(p, n))).FirstOrDefault(File.Exists);

    private IPlaywright? playwright;
    private IBrowser? browser;

    public async Task InitializeAsync()
    {
        if (executable is null) return;
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = executable, Args = ["--no-sandbox"] });
    }

    /// <summary>Opens a page from a file; every request that leaves the file and every error of its scripts is collected.</summary>
    public async Task<(IPage Page, List<string> Faults)> Open(string html, int width = 1280, ColorScheme scheme = ColorScheme.Light)
    {
        Skip.If(browser is null, "no Chromium on the PATH");
        var file = Path.Combine(Directory.CreateTempSubdirectory("aioptix-").FullName, "page.html");
        await File.WriteAllTextAsync(file, html);
        var context = await browser.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = scheme });
        var page = await context.NewPageAsync();
        var faults = new List<string>();
        page.PageError += (_, e) => faults.Add(e);
        page.Console += (_, m) =>
        {
            if (m.Type == "error") faults.Add(m.Text);
        };
        page.Request += (_, r) =>
        {
            if (r.Url.StartsWith("http", StringComparison.Ordinal)) faults.Add(r.Url);
        };
        await page.GotoAsync(new Uri(file).AbsoluteUri);
        return (page, faults);
    }

    public async Task DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
    }
}
