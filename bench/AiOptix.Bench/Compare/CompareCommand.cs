using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary><c>./bench.sh compare</c>: AI Optix and ONNX Runtime over the same models and inputs, in turns.</summary>
internal static class CompareCommand
{
    /// <summary>The exit code when answers differ or AI Optix fails.</summary>
    private const int Disagreement = 3;

    internal static Command Command()
    {
        var models = new Option<string[]>("--models") { Description = "A folder of model folders (model.onnx, test_data_set_0/input_N.pb), a folder of .onnx files, or one of either.", AllowMultipleArgumentsPerToken = true };
        var light = new Option<string[]>("--light") { Description = "A folder of the ONNX project's light models, whose files leave out the weights: these are drawn.", AllowMultipleArgumentsPerToken = true };
        var zoo = new Option<bool>("--zoo") { Description = "Builds the zoo's models and compares on them." };
        var int8 = new Option<bool>("--int8") { Description = "Writes the zoo's convolution networks and transformers in static int8 and compares on these files; and each with its own fp32 form." };
        var only = new Option<string[]>("--only") { Description = "Only models whose name contains this.", AllowMultipleArgumentsPerToken = true };
        var threads = new Option<int[]>("--threads") { Description = "Thread counts, separated by commas.", DefaultValueFactory = _ => [1], CustomParser = Counts };
        var json = new Option<string?>("--json") { Description = "Writes every figure to this file; a bare name goes to bench/results/<cpu>/." };
        var extents = new Option<string[]>("--dim") { Description = "NAME=VALUE: the extent of an axis that models leave open (batch 1 and sequence 128 unless given)." };
        var rounds = new Option<int>("--rounds") { Description = "Pairs of turns a model, at least 6.", DefaultValueFactory = _ => 15 };
        var seed = new Option<int>("--seed") { Description = "Seeds the weights of the zoo and of light models, and the inputs that are drawn." };
        var timesOnly = new Option<bool>("--times-only") { Description = "Leaves out load time and peak memory." };
        var command = new Command("compare", "Compares AI Optix with ONNX Runtime: time of a run, load time, peak memory, answers. Ratios over 1: AI Optix is faster.")
        {
            models, light, zoo, int8, only, threads, json, extents, rounds, seed, timesOnly,
        };
        command.SetAction(p => Run(() => new CompareOptions
        {
            Models = p.GetValue(models) ?? [],
            Light = p.GetValue(light) ?? [],
            Zoo = p.GetValue(zoo),
            Int8 = p.GetValue(int8),
            Only = p.GetValue(only) ?? [],
            Threads = p.GetValue(threads) ?? [1],
            Json = p.GetValue(json),
            Extents = Extents(p.GetValue(extents) ?? []),
            Rounds = Math.Max(Statistics.FewestSamples, p.GetValue(rounds)),
            Seed = p.GetValue(seed),
            Footprint = !p.GetValue(timesOnly),
        }));
        return command;
    }

    private static int Run(Func<CompareOptions> parse)
    {
        try
        {
            var options = parse();
            var cases = BenchCase.Find(options);
            if (cases.Count == 0) throw new AiOptixException("there is nothing to compare; give --models DIR, --light DIR, --zoo or --int8");
            var floats = options.Int8 ? cases.Where(Quantized.Suits).ToArray() : [];
            if (options.Int8) cases = [.. cases.Where(c => c.Entry is null), .. floats.Select(f => Quantized.Of(f, options))];
            var overFloats = new List<string>();
            Report.Head(options);
            var comparisons = new List<Comparison>();
            var summaries = new List<Summary>();
            foreach (var threads in options.Threads)
            {
                var some = new List<Comparison>();
                foreach (var model in cases)
                {
                    some.Add(Comparison.Run(model, threads, options));
                    Report.Progress(some[^1]);
                }
                if (floats.Length > 0)
                {
                    var gains = floats.Select(f => (f.Name, Quantized.OverFloats(f, cases.Single(c => c.Name == $"{f.Name} int8"), threads, options))).ToArray();
                    foreach (var (name, gain) in gains) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} int8 over its own fp32, {threads} threads: {gain.Median:F2} ({gain.Low:F2}..{gain.High:F2})"));
                    overFloats.Add(Quantized.Closing(gains, threads));
                }
                comparisons.AddRange(some);
                summaries.Add(new Summary(threads, some));
                Report.Table(summaries[^1], some);
            }
            if (options.Json is not null) Console.WriteLine($"written: {JsonReport.Write(options.Json, JsonReport.Document(options, comparisons, summaries))}");
            foreach (var line in overFloats) Console.WriteLine(line);
            foreach (var s in summaries) Console.WriteLine(s.Closing());
            return comparisons.Any(c => c.Outcome == Outcome.Failed) ? Disagreement : 0;
        }
        catch (Exception e) when (e is AiOptixException or IOException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static int[] Counts(ArgumentResult result)
    {
        var counts = result.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Select(t => int.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0 ? n : 0).ToArray();
        if (counts.Length == 0 || counts.Contains(0)) result.AddError("--threads takes counts of 1 and more, separated by commas");
        return counts;
    }

    private static Dictionary<string, long> Extents(string[] given)
    {
        var extents = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var g in given)
        {
            var at = g.LastIndexOf('=');
            if (at < 1 || !long.TryParse(g[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var extent)) throw new AiOptixException($"--dim '{g}' is not NAME=VALUE");
            extents[g[..at]] = extent;
        }
        return extents;
    }
}
