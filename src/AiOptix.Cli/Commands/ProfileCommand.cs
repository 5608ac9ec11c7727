using System.CommandLine;
using System.Globalization;
using AiOptix.Profiling;

namespace AiOptix.Cli.Commands;

/// <summary><c>optix profile</c>: where the time of a model goes, step by step, against what the machine reaches.</summary>
internal static class ProfileCommand
{
    private const int Shown = 25;

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        var file = Options.Model();
        var threads = Options.Threads();
        var dims = Options.Dims();
        var seed = Options.Seed();
        var data = Options.Data();
        var runs = new Option<int>("--runs") { Description = "Runs to measure.", HelpName = "N", DefaultValueFactory = _ => 20 };
        var trace = new Option<string?>("--trace") { Description = "Write the last run as a trace for chrome://tracing or Perfetto.", HelpName = "FILE" };
        var html = new Option<string?>("--html") { Description = "Write a self-contained page with a roofline chart and a table to sort.", HelpName = "FILE" };
        var json = Options.Json();
        var (tuned, tuning) = (Options.Tuned(), Options.TuningFile());
        var command = new Command("profile", "Show where the time of a model goes, step by step.") { file, threads, dims, seed, data, runs, tuned, tuning, trace, html, json };
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(runs) is not (>= 1 and <= 1_000_000)) throw new UsageException("--runs: expected 1 to 1000000");
            var model = Model.Load(parsed.GetValue(file)!);
            using var session = model.Compile(new CompileOptions { Threads = parsed.GetValue(threads), Tuning = Options.Tuning(parsed, tuned, tuning, terminal) });
            var samples = ModelInputs.Samples(model, parsed.GetValue(data), parsed.GetValue(dims)!, parsed.GetValue(seed), terminal);
            var profile = ModelProfile.Measure(session, samples[0], parsed.GetValue(runs), cancellation);
            if (parsed.GetValue(trace) is { } traceFile) terminal.Write(traceFile, profile.ToTrace().ToJsonString());
            if (parsed.GetValue(html) is { } page) terminal.Write(page, profile.ToHtml(MachineReport.Create()));
            if (parsed.GetValue(json)) terminal.Json(profile.ToJson());
            else Print(profile, terminal);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static void Print(ModelProfile profile, Terminal terminal)
    {
        var flops = profile.Steps.Sum(s => s.Flops);
        var seconds = profile.Steps.Sum(s => s.Seconds);
        terminal.Facts(
            ("Model", profile.Model),
            ("A run", string.Create(CultureInfo.InvariantCulture, $"{Units.Time(TimeSpan.FromSeconds(profile.Seconds))}, median of {profile.Runs} on {profile.Threads} threads")),
            ("Operations", $"{Units.Count(flops)}flop, {Units.Three(seconds > 0 ? flops / seconds * 1e-9 : 0)} Gflop/s of {Units.Three(profile.Peaks.Float32Gflops)}"),
            ("Memory copy", $"{Units.Three(profile.Peaks.CopyGigabytes)} GB/s"));
        Groups("By operation", profile, s => s.Operation, terminal);
        Groups("By kernel", profile, s => s.Kernel ?? "(no kernel)", terminal);
        terminal.Heading(profile.Steps.Count > Shown ? string.Create(CultureInfo.InvariantCulture, $"The {Shown} longest of {profile.Steps.Count} steps") : "Steps");
        terminal.Table(["node", "operation", "kernel", ">time", ">share", ">Gflop/s", ">GB/s", ">of roofline"], profile.Steps.OrderByDescending(s => s.Seconds).Take(Shown)
            .Select(s => (IReadOnlyList<string>)[
                s.Name, s.Operation, s.Kernel ?? "", Units.Time(TimeSpan.FromSeconds(s.Seconds)), Percent(s.Share), Units.Three(s.Gflops), Units.Three(s.Gigabytes),
                Percent(s.OfRoof(profile.Peaks))]));
    }

    private static void Groups(string title, ModelProfile profile, Func<ProfiledStep, string> key, Terminal terminal)
    {
        terminal.Heading(title);
        terminal.Table(["", ">steps", ">time", ">share", ">Gflop/s"], profile.Steps.GroupBy(key, StringComparer.Ordinal)
            .Select(g => (g.Key, Count: g.Count(), Seconds: g.Sum(s => s.Seconds), Share: g.Sum(s => s.Share), Flops: g.Sum(s => s.Flops)))
            .OrderByDescending(g => g.Seconds).Take(Shown)
            .Select(g => (IReadOnlyList<string>)[
                g.Key, g.Count.ToString(CultureInfo.InvariantCulture), Units.Time(TimeSpan.FromSeconds(g.Seconds)), Percent(g.Share),
                Units.Three(g.Seconds > 0 ? g.Flops / g.Seconds * 1e-9 : 0)]));
    }

    private static string Percent(double part) => $"{Units.Three(part * 100)} %";
}
