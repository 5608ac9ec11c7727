using System.Globalization;
using AiOptix.Optimization;

namespace AiOptix.Cli;

/// <summary>Progress as lines: each stage once, when it begins.</summary>
internal sealed class StageLines(TextWriter writer) : IProgress<OptimizerProgress>
{
    private string stage = "";

    /// <inheritdoc/>
    public void Report(OptimizerProgress value)
    {
        if (value.Stage == stage) return;
        stage = value.Stage;
        var search = value.Left is { } left ? string.Create(CultureInfo.InvariantCulture, $" (best so far: {value.Best}; {(int)left.TotalMinutes}:{left.Seconds:00} left)") : "";
        writer.WriteLine($"{stage}{search} ...");
    }
}
