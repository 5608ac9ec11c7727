using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using AiOptix.Tuning;

namespace AiOptix.Cli.Commands;

/// <summary><c>optix tune</c>: times the kernels that can compute what a model consists of, and keeps the winners for runs with <c>--tuned</c>.</summary>
internal static class TuneCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        var file = Options.Model();
        var path = Options.TuningFile();
        var seconds = Options.TuningSeconds();
        var again = new Option<bool>("--again") { Description = "Also time what is tuned already." };
        var json = Options.Json();
        var command = new Command("tune", "Time the kernels for a model's products and convolutions here, and keep the winners for --tuned.") { file, path, seconds, again, json };
        command.SetAction((parsed, cancellation) =>
        {
            var model = Model.Load(parsed.GetValue(file)!);
            terminal.Notice(model);
            var target = parsed.GetValue(path) ?? KernelTuning.DefaultPath;
            var known = parsed.GetValue(again) ? KernelTuning.Empty : Options.Known(target, terminal);
            var tuner = new KernelTuner(known, Options.Seconds(parsed, seconds), new ProblemLines(terminal), cancellation);
            try
            {
                model.Tune(tuner);
            }
            finally
            {
                if (tuner.Timed.Count > 0) tuner.Tuning.Save(target);
            }
            if (parsed.GetValue(json)) terminal.Json(ToJson(tuner, target));
            else Print(tuner, target, terminal);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static void Print(KernelTuner tuner, string target, Terminal terminal)
    {
        var won = tuner.Timed.Where(c => c.Best.Name != c.Pick).OrderByDescending(c => c.Lag).ToArray();
        if (won.Length > 0)
            terminal.Table(["problem", "kernel", "in place of", ">faster by", ">95 % interval"], won.Select(c => (IReadOnlyList<string>)[
                c.Problem, c.Best.Name, c.Pick, string.Create(CultureInfo.InvariantCulture, $"{c.Lag * 100:0} %"), $"{Units.Three(c.Best.Speed.Low)} to {Units.Three(c.Best.Speed.High)}"]));
        terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{tuner.Timed.Count} problems timed, {won.Length} with another kernel than the cost model's; {tuner.Tuning.Winners.Count} in {target}"));
    }

    private static JsonObject ToJson(KernelTuner tuner, string target) => new()
    {
        ["file"] = target,
        ["timed"] = new JsonArray([.. tuner.Timed.Select(c => (JsonNode)new JsonObject
        {
            ["problem"] = c.Problem,
            ["pick"] = c.Pick,
            ["kernel"] = c.Best.Name,
            ["ratio"] = c.Best.Speed.Ratio,
            ["low"] = c.Best.Speed.Low,
            ["high"] = c.Best.Speed.High,
        })]),
    };

    private sealed class ProblemLines(Terminal terminal) : IProgress<KernelComparison>
    {
        public void Report(KernelComparison value) => terminal.Error.WriteLine($"{value.Problem}: {value.Best.Name}");
    }
}
