using System.Text.Json.Nodes;
using AiOptix.Optimization;
using AiOptix.Pages;

namespace AiOptix.Reporting;

/// <summary>What an optimisation was of, for its report.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Command">What asked for it: a command line, or a call.</param>
public sealed record OptimizationSubject(string Model, string Command);

/// <summary>An optimisation as a page.</summary>
public static class OptimizationFormats
{
    /// <summary>
    /// A self-contained page: the verdict, latencies before and after, speed against error of all that was tried, a table of the steps, what each pass did, and what is needed to do it again. It asks
    /// the network for nothing.
    /// </summary>
    /// <param name="result">The optimisation.</param>
    /// <param name="subject">What it was of.</param>
    /// <param name="machine">The machine it was measured on.</param>
    public static string ToHtml(this OptimizationResult result, OptimizationSubject subject, MachineReport machine)
    {
        ArgumentNullException.ThrowIfNull(result);
        return ToHtml(ModelJson.Result(result), subject, machine);
    }

    /// <summary>The page of an optimisation whose result was handed on as JSON.</summary>
    /// <param name="result">What <see cref="ModelJson.Result"/> gave; it is added to.</param>
    /// <param name="subject">What it was of.</param>
    /// <param name="machine">The machine it was measured on.</param>
    public static string ToHtml(JsonObject result, OptimizationSubject subject, MachineReport machine)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(subject);
        ArgumentNullException.ThrowIfNull(machine);
        var data = result;
        data["model"] = subject.Model;
        data["command"] = subject.Command;
        data["version"] = Version;
        data["machine"] = new JsonObject { ["processor"] = machine.Processor, ["system"] = machine.System, ["runtime"] = machine.Runtime, ["instruction_sets"] = string.Join(", ", machine.InstructionSets) };
        return Page.Render($"Optimisation of {subject.Model}", "optimization", data);
    }

    /// <summary>The version of AI Optix.</summary>
    private static string Version => typeof(Model).Assembly.GetName().Version?.ToString(3) ?? "";
}
