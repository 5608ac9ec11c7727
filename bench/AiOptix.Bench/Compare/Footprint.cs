using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>What opening a model costs in a process that does nothing else.</summary>
/// <param name="LoadMilliseconds">From the file to a session that can run, in a fresh process with the file in the page cache.</param>
/// <param name="FirstMilliseconds">The first run.</param>
/// <param name="SteadyMilliseconds">The fastest of the runs behind it.</param>
/// <param name="PeakBytes">By how much resident memory grew at most while loading and running.</param>
internal sealed record Footprint(double LoadMilliseconds, double FirstMilliseconds, double SteadyMilliseconds, long PeakBytes)
{
    private const string ChildCommand = "compare-child";
    private const int Children = 3;
    private const int Runs = 5;

    /// <summary>Measures in child processes: median times, largest peak.</summary>
    /// <exception cref="AiOptixException">A child failed.</exception>
    internal static Footprint Measure(string engine, string path, int threads, string inputs)
    {
        var measured = Enumerable.Range(0, Children).Select(_ => Child(engine, path, threads, inputs)).ToArray();
        double Median(Func<Footprint, double> what) => Statistics.Median(measured.Select(what));
        return new(Median(m => m.LoadMilliseconds), Median(m => m.FirstMilliseconds), Median(m => m.SteadyMilliseconds), measured.Max(m => m.PeakBytes));
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
            var times = new double[1 + Runs];
            for (var i = 0; i < times.Length; i++)
            {
                watch.Restart();
                opened.Run();
                times[i] = watch.Elapsed.TotalMilliseconds;
            }
            var peak = Math.Max(0, Memory("VmHWM") - before);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{load:R} {times[0]:R} {times.Skip(1).Min():R} {peak}"));
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
        var words = ChildProcess.Run(ChildCommand, engine, path, threads.ToString(CultureInfo.InvariantCulture), inputs);
        if (words.Length != 4) throw new AiOptixException($"the process that loads '{path}' with {engine} gave {words.Length} figures");
        double Time(int word) => double.Parse(words[word], CultureInfo.InvariantCulture);
        return new(Time(0), Time(1), Time(2), long.Parse(words[3], CultureInfo.InvariantCulture));
    }

    private static long Memory(string field)
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(field + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(line[(field.Length + 1)..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }
}
