using System.Diagnostics;
using System.Globalization;
using AiOptix.Data;
using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix;

/// <summary>
/// A score that a program of the user's gives. It is started once, by the system's shell, and gets a line for each sample: a folder with NAME.npy for each output and, where there are labels,
/// <c>label.npy</c>. It answers with a line of numbers, one for the sample or one for each of its rows; more is better. Its input ends when the scoring does.
/// </summary>
public sealed class CommandMetric : Metric, IDisposable
{
    private readonly string command;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("optix-metric-");
    private Process? process;

    /// <summary>Takes the command line; it is started with the first sample.</summary>
    public CommandMetric(string command) => this.command = string.IsNullOrWhiteSpace(command) ? throw new ArgumentException("the metric command is empty", nameof(command)) : command;

    /// <inheritdoc/>
    public override string Name => $"command:{command}";

    /// <inheritdoc/>
    public override bool IsError => false;

    /// <summary>The names of the outputs, in order, for the files.</summary>
    public IReadOnlyList<string> OutputNames { get; set; } = [];

    /// <inheritdoc/>
    public override double[] Score(MetricCall call)
    {
        for (var i = 0; i < call.Outputs.Count; i++) NpyFile.Write(Path.Combine(folder.FullName, SampleFolder.FileName(i < OutputNames.Count ? OutputNames[i] : $"output_{i}")), call.Outputs[i]);
        if (call.Label is { } label) NpyFile.Write(Path.Combine(folder.FullName, "label.npy"), label);
        process ??= Start();
        string? line;
        try
        {
            process.StandardInput.WriteLine(folder.FullName);
            process.StandardInput.Flush();
            line = process.StandardOutput.ReadLine();
        }
        catch (IOException)
        {
            line = null;
        }
        if (line is null)
        {
            process.WaitForExit();
            throw new InvalidInputException($"the metric command '{command}' ended with code {process.ExitCode} at sample {call.Sample} instead of printing a number");
        }
        var words = line.Split([' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries);
        var scores = new double[words.Length];
        for (var i = 0; i < words.Length; i++)
            if (!double.TryParse(words[i], NumberStyles.Float, CultureInfo.InvariantCulture, out scores[i]) || !double.IsFinite(scores[i])) scores = [];
        return scores.Length > 0 ? scores : throw new InvalidInputException($"the metric command '{command}' printed '{line}' for sample {call.Sample}; expected one number, or one for each row");
    }

    /// <summary>Ends the program.</summary>
    public void Dispose()
    {
        if (process is not null)
        {
            process.StandardInput.Close();
            if (!process.WaitForExit(TimeSpan.FromSeconds(2))) process.Kill(entireProcessTree: true);
            process.Dispose();
            process = null;
        }
        if (folder.Exists) folder.Delete(recursive: true);
    }

    private Process Start()
    {
        var isWindows = OperatingSystem.IsWindows();
        var start = new ProcessStartInfo(isWindows ? "cmd" : "/bin/sh") { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add(isWindows ? "/c" : "-c");
        start.ArgumentList.Add(command);
        return Process.Start(start)!;
    }
}
