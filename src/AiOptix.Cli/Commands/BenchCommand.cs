using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using AiOptix.Tensors;
using AiOptix.Tuning;

namespace AiOptix.Cli.Commands;

/// <summary><c>optix bench</c>: how long a model takes to load and to run here.</summary>
internal static class BenchCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        var file = Options.Model();
        file.Arity = ArgumentArity.ZeroOrOne;
        var kernels = new Option<string?>("--kernels")
        {
            Description = "In place of a model, time every kernel for a problem, such as gemm:M=128,N=768,K=3072 or conv:1x64x56x56,64x64x3x3,pad=1; for each of a text file (.txt), or of a model. "
                + string.Create(CultureInfo.InvariantCulture, $"Exits with {ExitCode.PickLags} when the cost model's pick lags the best by more than {KernelComparison.AllowedLag * 100:0} %."),
            HelpName = "SHAPE",
        };
        var each = Options.TuningSeconds();
        var threads = Options.Threads();
        var dims = Options.Dims();
        var seed = Options.Seed();
        var data = Options.Data();
        var duration = new Option<double>("--seconds") { Description = "How long to go on running.", HelpName = "S", DefaultValueFactory = _ => 3 };
        var dump = Options.DumpKernels();
        var json = Options.Json();
        var (tuned, tuning) = (Options.Tuned(), Options.TuningFile());
        var command = new Command("bench", "Measure how long a model takes to load and to run.") { file, threads, dims, seed, data, duration, tuned, tuning, kernels, each, dump, json };
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(kernels) is null == parsed.GetValue(file) is null) throw new UsageException("expected a model, or --kernels SHAPE");
            if (parsed.GetValue(kernels) is { } shape)
                return Task.FromResult(KernelReport.Run(KernelReport.Problems(shape, terminal), Options.Seconds(parsed, each), parsed.GetValue(json), terminal, cancellation));
            if (parsed.GetValue(duration) is not (>= 0 and <= 86400)) throw new UsageException("--seconds: expected 0 to 86400");
            var begin = Stopwatch.GetTimestamp();
            var model = Model.Load(parsed.GetValue(file)!);
            using var session = model.Compile(new CompileOptions { Threads = parsed.GetValue(threads), Tuning = Options.Tuning(parsed, tuned, tuning, terminal) });
            var load = Stopwatch.GetElapsedTime(begin);
            terminal.Notice(model);
            var samples = ModelInputs.Samples(model, parsed.GetValue(data), parsed.GetValue(dims)!, parsed.GetValue(seed), terminal);
            begin = Stopwatch.GetTimestamp();
            foreach (var output in session.Run(samples[0], cancellation)) output.Dispose();
            var first = Stopwatch.GetElapsedTime(begin);
            var times = Latencies.Measure(session, samples, TimeSpan.FromSeconds(parsed.GetValue(duration)), cancellation);
            Options.DumpKernels(terminal, parsed.GetValue(dump));
            using var process = Process.GetCurrentProcess();
            var result = new Result(session.Threads, samples, load, first, times, process.PeakWorkingSet64);
            if (parsed.GetValue(json)) terminal.Json(ToJson(result));
            else Print(result, terminal);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private sealed record Result(int Threads, IReadOnlyList<Tensor[]> Samples, TimeSpan Load, TimeSpan First, Latencies Times, long PeakBytes);

    private static void Print(Result result, Terminal terminal) => terminal.Facts(
        ("Load and compile", Units.Time(result.Load)),
        ("First run", Units.Time(result.First)),
        ("Median", Units.Time(result.Times.Percentile(50))),
        ("p10, p90, p99", string.Join(", ", new[] { 10, 90, 99 }.Select(p => Units.Time(result.Times.Percentile(p))))),
        ("Throughput", $"{Units.Three(result.Times.Throughput)} runs/s"),
        ("Peak memory", Units.Bytes(result.PeakBytes)),
        ("Measured", string.Create(CultureInfo.InvariantCulture, $"{result.Times.Seconds.Length} runs of {result.Samples.Count} samples on {result.Threads} threads")),
        ("Inputs", string.Join(", ", result.Samples[0].Select(t => t.ToString()))));

    private static JsonObject ToJson(Result result) => new()
    {
        ["load_seconds"] = result.Load.TotalSeconds,
        ["first_run_seconds"] = result.First.TotalSeconds,
        ["median_seconds"] = result.Times.Percentile(50).TotalSeconds,
        ["p10_seconds"] = result.Times.Percentile(10).TotalSeconds,
        ["p90_seconds"] = result.Times.Percentile(90).TotalSeconds,
        ["p99_seconds"] = result.Times.Percentile(99).TotalSeconds,
        ["runs_per_second"] = result.Times.Throughput,
        ["peak_bytes"] = result.PeakBytes,
        ["runs"] = result.Times.Seconds.Length,
        ["samples"] = result.Samples.Count,
        ["threads"] = result.Threads,
        ["inputs"] = new JsonArray([.. result.Samples[0].Select(t => (JsonNode)t.ToString())]),
    };
}
