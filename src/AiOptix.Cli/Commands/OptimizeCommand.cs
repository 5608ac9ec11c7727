using System.CommandLine;
using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Cli.Commands;

/// <summary><c>optix optimize</c>: rewrites a model, proves that its answers hold, says what was gained, and writes it as standard ONNX.</summary>
internal static class OptimizeCommand
{
    private const int DrawnSamples = 4;

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        var file = Options.Model();
        var target = new Option<string>("--output", "-o") { Description = "The ONNX file to write.", HelpName = "OUT.onnx", Required = true };
        var report = new Option<string?>("--json") { Description = "Also write the report to a JSON file.", HelpName = "FILE" };
        var stop = new Option<int?>("--stop-after-patch") { Description = "Stop rewriting after so many patches, to find a wrong one.", HelpName = "N" };
        var dialect = new Option<string>("--dialect") { Description = "Operators of the written file: standard ones, or those of ONNX Runtime as well.", DefaultValueFactory = _ => "onnx" };
        dialect.AcceptOnlyFromAmong("onnx", "ort");
        var threads = Options.Threads();
        var dims = Options.Dims();
        var seed = Options.Seed();
        var data = Options.Data();
        var standard = Tolerance.Model;
        var relative = Options.Tolerance("--rtol", standard.Relative, "Allowed error per unit of the baseline's value.");
        var absolute = Options.Tolerance("--atol", standard.Absolute, "Allowed error of any value.");
        var scaled = Options.Tolerance("--scaled-atol", standard.Scaled, "Allowed error per unit of the output's largest magnitude.");
        var command = new Command("optimize", "Rewrite a model, prove that its answers hold, measure what was gained, write it.") { file, target, report, stop, dialect, threads, dims, seed, data, relative, absolute, scaled };
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(stop) < 0) throw new UsageException("--stop-after-patch: expected 0 or more");
            var model = Model.Load(parsed.GetValue(file)!);
            var samples = Samples(model, parsed.GetValue(data), parsed.GetValue(dims)!, parsed.GetValue(seed), terminal);
            var options = new OptimizerOptions
            {
                Threads = parsed.GetValue(threads),
                StopAfterPatch = parsed.GetValue(stop),
                Tolerance = new Tolerance(parsed.GetValue(relative), parsed.GetValue(absolute), parsed.GetValue(scaled)),
            };
            var (optimized, result) = model.Optimize(samples, options, new StageLines(terminal.Error), cancellation);
            OptimizationReport.Print(result, terminal);
            if (parsed.GetValue(report) is { } path) File.WriteAllText(path, Terminal.Format(ModelJson.Result(result)) + "\n");
            if (!result.Proof.Holds) throw new ProofFailedException($"the answers do not hold, so nothing was written: {OptimizationReport.Problem(result.Proof)}");
            Write(model, optimized, parsed.GetValue(target)!, parsed.GetValue(dialect) == "ort" ? FileDialect.OnnxRuntime : FileDialect.Standard, samples, options, cancellation);
            terminal.Error.WriteLine($"wrote {parsed.GetValue(target)}");
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static IReadOnlyList<Tensor[]> Samples(Model model, string? folder, KeyValuePair<string, long>[] dims, int seed, Terminal terminal)
    {
        if (folder is not null) return ModelInputs.Samples(model, folder, dims, seed, terminal);
        var samples = new List<Tensor[]> { ModelInputs.Samples(model, null, dims, seed, terminal)[0] };
        var values = new Dictionary<string, long>(dims, StringComparer.Ordinal);
        for (var i = 1; i < DrawnSamples; i++) samples.Add([.. SampleInputs.Draw(model, seed + i, values).Values]);
        return samples;
    }

    /// <summary>Writes the model into a folder beside the target, proves what stands in the file, and only then puts it in place. A pair of model and
    /// data file is written anew there, since two files cannot be moved as one.</summary>
    private static void Write(Model baseline, Model optimized, string target, FileDialect dialect, IReadOnlyList<Tensor[]> samples, OptimizerOptions options, CancellationToken cancellation)
    {
        var full = Path.GetFullPath(target);
        var folder = Directory.CreateDirectory($"{full}.{Guid.NewGuid():N}.tmp").FullName;
        try
        {
            var written = Path.Combine(folder, Path.GetFileName(full));
            optimized.Save(written, dialect);
            var proof = ProofOfFile(baseline, written, samples, options, cancellation);
            if (!proof.Holds) throw new ProofFailedException($"the written file does not give the model's answers, so it was removed: {OptimizationReport.Problem(proof)}");
            if (Directory.GetFiles(folder).Length == 1) File.Move(written, full, overwrite: true);
            else optimized.Save(full, dialect);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Proof ProofOfFile(Model baseline, string written, IReadOnlyList<Tensor[]> samples, OptimizerOptions options, CancellationToken cancellation)
    {
        var compile = new CompileOptions { Threads = options.Threads, Rewrite = false };
        using var before = baseline.Compile(compile);
        using var after = Model.Load(written).Compile(compile);
        return Optimizer.Prove(before, after, samples, options.Tolerance, progress: null, cancellation);
    }
}
