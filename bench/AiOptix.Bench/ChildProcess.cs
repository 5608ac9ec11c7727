using System.Diagnostics;
using AiOptix.Tensors;

namespace AiOptix.Bench;

/// <summary>This program once more, in a process of its own.</summary>
internal static class ChildProcess
{
    /// <summary>Runs a command and gives the words that it wrote.</summary>
    /// <exception cref="AiOptixException">It failed.</exception>
    internal static string[] Run(params ReadOnlySpan<string> arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        foreach (var a in arguments) start.ArgumentList.Add(a);
        using var child = Process.Start(start) ?? throw new AiOptixException($"{start.FileName} does not start");
        var errors = child.StandardError.ReadToEndAsync();
        var words = child.StandardOutput.ReadToEnd().Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        child.WaitForExit();
        return child.ExitCode == 0 ? words : throw new AiOptixException($"the process '{string.Join(' ', arguments)}' ended with {child.ExitCode}: {errors.Result.Trim()}");
    }
}
