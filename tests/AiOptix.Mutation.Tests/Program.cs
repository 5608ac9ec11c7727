using System.Diagnostics;
using System.Globalization;
using AiOptix.Tensors;

namespace AiOptix.Mutation.Tests;

/// <summary>
/// The program behind the test. <c>run SERIES FIRST STEP END</c> tries mutants and says of each what became of it; <c>show SERIES NUMBER</c> says all of one; <c>sweep SERIES COUNT
/// PROCESSES</c> prints the histogram of many.
/// </summary>
internal static class Program
{
    /// <summary>The most that the process may hold while mutants are allowed <see cref="Limits"/> of a small part of it.</summary>
    private const long MostMemory = 1L << 30;

    internal const int OutOfMemory = 3;

    private static int Main(string[] arguments)
    {
        var numbers = arguments.Skip(1).Select(a => int.Parse(a, CultureInfo.InvariantCulture)).ToArray();
        if (Seeds.Shared() is not { } shared)
        {
            Console.Error.WriteLine("the shared models are not there");
            return 2;
        }
        switch (arguments[0])
        {
            case "run": return Run(new Seeds(shared), numbers[0], numbers[1], numbers[2], numbers[3]);
            case "show": return Show(new Seeds(shared), numbers[0], numbers[1]);
            default:
                var histogram = Supervisor.Run(numbers[0], numbers[1], numbers[2]);
                Console.WriteLine(histogram);
                return histogram.Failures.Count == 0 ? 0 : 1;
        }
    }

    private static int Run(Seeds seeds, int series, int first, int step, int end)
    {
        using var scratch = new Scratch();
        var at = first;
        new Thread(() => Watch(() => at)) { IsBackground = true }.Start();
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        for (; at < end; at += step)
        {
            output.WriteLine($"> {at}");
            var outcome = Trial.Of(Mutant.Make(seeds, series, at), scratch.Folder);
            output.WriteLine(string.Join('\t', "<", outcome.Kind, outcome.Failed, outcome.Ran, outcome.Error is null ? "" : FirstLine(outcome.Error)));
            if (at % 64 < step) GC.Collect();
        }
        return 0;
    }

    private static int Show(Seeds seeds, int series, int number)
    {
        using var scratch = new Scratch();
        var mutant = Mutant.Make(seeds, series, number);
        Console.WriteLine($"{mutant.Seed.Name}: {string.Join("; ", mutant.Changes)}");
        var watch = Stopwatch.StartNew();
        var outcome = Trial.Of(mutant, scratch.Folder);
        Console.WriteLine($"{outcome.Kind}, after {watch.ElapsedMilliseconds} ms\n{outcome.Error}");
        return outcome.Failed ? 1 : 0;
    }

    private static string FirstLine(Exception error)
    {
        var text = error is AiOptixException ? error.Message : error.ToString();
        return text.ReplaceLineEndings(" ").Replace('\t', ' ') is var line && line.Length > 600 ? line[..600] : line;
    }

    private static void Watch(Func<int> at)
    {
        using var self = Process.GetCurrentProcess();
        for (; ; Thread.Sleep(20))
        {
            self.Refresh();
            if (self.WorkingSet64 < MostMemory) continue;
            Console.Error.WriteLine($"mutant {at()} holds {self.WorkingSet64 >> 20} MiB");
            Environment.Exit(OutOfMemory);
        }
    }

    private sealed class Scratch : IDisposable
    {
        public string Folder { get; } = Directory.CreateTempSubdirectory("mutants").FullName;

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
