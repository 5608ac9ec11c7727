using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>What opening a model costs in a process that does nothing else.</summary>
/// <param name="LoadMilliseconds">From the file to a session that can run, in a fresh process with the file in the page cache.</param>
/// <param name="PeakBytes">By how much resident memory grew at most while loading and running.</param>
internal sealed record Footprint(double LoadMilliseconds, long PeakBytes)
{
    private const string ChildCommand = "compare-child";
    private const int Children = 3;
    private const int Runs = 3;

    /// <summary>Measures in child processes: median load time, largest peak.</summary>
    /// <exception cref="AiOptixException">A child failed.</exception>
    internal static Footprint Measure(string engine, string path, int threads, string inputs)
    {
        var measured = Enumerable.Range(0, Children).Select(_ => Child(engine, path, threads, inputs)).ToArray();
        return new(Statistics.Median(measured.Select(m => m.LoadMilliseconds)), measured.Max(m => m.PeakBytes));
    }

    /// <summary>The hidden command that a child runs.</summary>
    internal static Command Command()
    {
        var engine = new Argument<string>("engine");
        var path = new Argument<string>("model");
        var threads = new Argument<int>("threads");
        var inputs = new Argument<string>("inputs");
        var command = new Command(ChildCommand, "Opens a model with one engine and says what that took.") { engine, path, threads, inputs };
        command.Hidden = true;
        command.SetAction(p => Report(p.GetRequiredValue(engine), p.GetRequiredValue(path), p.GetValue(threads), p.GetRequiredValue(inputs)));
        return command;
    }

    private static int Report(string engine, string path, int threads, string file)
    {
        try
        {
            var inputs = InputFile.Read(file);
            var before = Memory("VmRSS");
            var watch = Stopwatch.StartNew();
            using var opened = Engines.Open(engine, path, threads, inputs);
            var load = watch.Elapsed.TotalMilliseconds;
            for (var i = 0; i < Runs; i++) opened.Run();
            var peak = Math.Max(0, Memory("VmHWM") - before);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{load:R} {peak}"));
            return 0;
        }
        catch (AiOptixException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static Footprint Child(string engine, string path, int threads, string inputs)
    {
        string[] arguments = [ChildCommand, engine, path, threads.ToString(CultureInfo.InvariantCulture), inputs];
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(Footprint).Assembly.Location);
        foreach (var a in arguments) start.ArgumentList.Add(a);
        using var child = Process.Start(start) ?? throw new AiOptixException($"{start.FileName} does not start");
        var errors = child.StandardError.ReadToEndAsync();
        var words = child.StandardOutput.ReadToEnd().Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        child.WaitForExit();
        if (child.ExitCode != 0 || words.Length != 2) throw new AiOptixException($"the process that loads '{path}' with {engine} ended with {child.ExitCode}: {errors.Result.Trim()}");
        return new(double.Parse(words[0], CultureInfo.InvariantCulture), long.Parse(words[1], CultureInfo.InvariantCulture));
    }

    private static long Memory(string field)
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(field + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(line[(field.Length + 1)..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }
}
