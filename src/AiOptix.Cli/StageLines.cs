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
        writer.WriteLine(stage + " ...");
    }
}
