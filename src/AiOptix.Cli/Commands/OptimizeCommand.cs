using System.CommandLine;
using AiOptix.Optimization;
using AiOptix.Reporting;
using AiOptix.Tensors;
using AiOptix.Tuning;

namespace AiOptix.Cli.Commands;

/// <summary><c>optix optimize</c>: rewrites a model, within a budget also quantises it, proves that its answers hold, says what was gained, and writes it as standard ONNX.</summary>
internal static class OptimizeCommand
{
    private const int DrawnSamples = 4;

    /// <summary>The command.</summary>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="arguments">The whole command line, for the report.</param>
    public static Command Create(Terminal terminal, IReadOnlyList<string> arguments)
    {
        var file = Options.Model();
        var target = new Option<string>("--output", "-o") { Description = "The ONNX file to write.", HelpName = "OUT.onnx", Required = true };
        var json = new Option<string?>("--json") { Description = "Also write the report to a JSON file.", HelpName = "FILE" };
        var stop = new Option<int?>("--stop-after-patch") { Description = "Stop rewriting after so many patches, to find a wrong one.", HelpName = "N" };
        var dialect = Options.Choice("--dialect", "onnx", "Operators of the written file: standard ones, or those of ONNX Runtime as well.", ("onnx", FileDialect.Standard), ("ort", FileDialect.OnnxRuntime));
        var threads = Options.Threads();
        var dims = Options.Dims();
        var seed = Options.Seed();
        var data = Options.Samples();
        var batch = new Option<int>("--batch") { Description = "Rows of a sample, where --data is one file and the model leaves them open.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var drawn = new Option<int?>("--drawn-samples") { Description = "Samples to draw where there is no --data.", HelpName = "N" };
        var standard = Tolerance.Model;
        var relative = Options.Tolerance("--rtol", standard.Relative, "Allowed error of fp32 rewrites per unit of the baseline's value.");
        var absolute = Options.Tolerance("--atol", standard.Absolute, "Allowed error of fp32 rewrites of any value.");
        var scaled = Options.Tolerance("--scaled-atol", standard.Scaled, "Allowed error of fp32 rewrites per unit of the output's largest magnitude.");
        var command = new Command("optimize", "Rewrite a model, within a budget also quantise it, prove that its answers hold, measure what was gained, write it.") { file, target, json, stop, dialect, threads, dims, seed, data, batch, drawn, relative, absolute, scaled };
        var tune = new Option<bool>("--tune") { Description = "Time kernels as optix tune does, where that was not done yet; baseline and candidates then run the winners, which are kept for --tuned." };
        var (tuning, kernelSeconds) = (Options.TuningFile(), Options.TuningSeconds());
        command.Options.Add(tune);
        command.Options.Add(tuning);
        command.Options.Add(kernelSeconds);
        var budgets = new BudgetOptions(command);
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(stop) < 0) throw new UsageException("--stop-after-patch: expected 0 or more");
            if (parsed.GetValue(batch) < 1) throw new UsageException("--batch: expected 1 or more");
            if (parsed.GetValue(drawn) is < 1 or > 100_000) throw new UsageException("--drawn-samples: expected 1 to 100000");
            var budget = budgets.Of(parsed, parsed.GetValue(seed));
            using var metric = budget?.Metric as CommandMetric;
            var given = parsed.GetValue(data);
            if (given is null && budget?.MaxAccuracyDrop is not null) throw new UsageException("--max-accuracy-drop needs --data: nothing can be said of accuracy on drawn inputs");
            if (given is not null && parsed.GetValue(drawn) is not null) throw new UsageException("--drawn-samples draws what --data gives; leave one out");
            var model = Model.Load(parsed.GetValue(file)!);
            if (metric is not null) metric.OutputNames = [.. model.Outputs.Select(o => o.Name)];
            var samples = given is null ? Draw(model, parsed.GetValue(dims)!, parsed.GetValue(seed), parsed.GetValue(drawn) ?? Enough(budget), terminal)
                : ModelInputs.Samples(model, given, parsed.GetValue(dims)!, parsed.GetValue(seed), terminal, parsed.GetValue(batch));
            var output = new OptimizedFile(parsed.GetValue(target)!, parsed.GetValue(dialect), terminal);
            var options = new OptimizerOptions
            {
                Threads = parsed.GetValue(threads),
                StopAfterPatch = parsed.GetValue(stop),
                Tolerance = new Tolerance(parsed.GetValue(relative), parsed.GetValue(absolute), parsed.GetValue(scaled)),
                Budget = budget,
                Labels = budgets.Labels(parsed) is { } labels ? SampleFile.Labels(labels, samples) : null,
                Recipe = budgets.Replayed(parsed),
                StatePath = budget is null ? null : output.StatePath,
                Proven = graph => output.WriteQuantized(Model.Of(graph), samples, parsed.GetValue(threads), cancellation),
            };
            var kept = parsed.GetValue(tuning) ?? KernelTuning.DefaultPath;
            var tuner = parsed.GetValue(tune) ? new KernelTuner(Options.Known(kept, terminal), Options.Seconds(parsed, kernelSeconds), cancellation: cancellation) : null;
            try
            {
                var (optimized, result) = model.Optimize(samples, options, tuner, new StageLines(terminal.Error), cancellation);
                OptimizationReport.Print(result, terminal);
                if (parsed.GetValue(json) is { } path) terminal.Write(path, Terminal.Format(ModelJson.Result(result)) + "\n");
                if (budgets.Report(parsed) is { } page) terminal.Write(page, result.ToHtml(new OptimizationSubject(Path.GetFileName(parsed.GetValue(file)!), "optix " + string.Join(' ', arguments.Select(Quoted))), MachineReport.Create()));
                if (budgets.RecipeTarget(parsed) is { } recipe) terminal.Write(recipe, Terminal.Format(Recipe.Of(result.Search!).ToJson()) + "\n");
                if (!result.Proof.Holds) throw new ProofFailedException($"the answers do not hold, so nothing was written: {OptimizationReport.Problem(result.Proof)}");
                if (result.Search?.Chosen is null) output.WriteFloat(model, optimized, samples, options, cancellation);
                terminal.Error.WriteLine($"wrote {parsed.GetValue(target)}");
                return Task.FromResult(ExitCode.Done);
            }
            catch (OperationCanceledException) when (budget is not null)
            {
                terminal.Error.WriteLine($"optix: cancelled; {(output.IsWritten ? $"{parsed.GetValue(target)} is the best form that was proven" : "no quantised form was proven yet")}; the same command goes on from {output.StatePath}");
                return Task.FromResult(ExitCode.Cancelled);
            }
            finally
            {
                if (tuner is { Timed.Count: > 0 }) tuner.Tuning.Save(kept);
            }
        });
        return command;
    }

    /// <summary>So many drawn samples that an error bound can be shown; without a budget, a few.</summary>
    private static int Enough(ErrorBudget? budget) => budget is null ? DrawnSamples : (int)Math.Ceiling(budget.UnitsNeeded / 0.75) + 1;

    private static List<Tensor[]> Draw(Model model, KeyValuePair<string, long>[] dims, int seed, int count, Terminal terminal)
    {
        var samples = new List<Tensor[]> { ModelInputs.Samples(model, null, dims, seed, terminal)[0] };
        var values = new Dictionary<string, long>(dims, StringComparer.Ordinal);
        for (var i = 1; i < count; i++) samples.Add([.. SampleInputs.Draw(model, seed + i, values).Values]);
        return samples;
    }

    private static string Quoted(string argument) => argument.Contains(' ', StringComparison.Ordinal) ? $"\"{argument}\"" : argument;
}
