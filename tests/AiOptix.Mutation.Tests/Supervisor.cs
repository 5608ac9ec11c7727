using System.Diagnostics;
using System.Globalization;

namespace AiOptix.Mutation.Tests;

/// <summary>Has mutants tried in processes of their own: one that crashes, hangs or takes too much memory is named, and the rest goes on in a new process.</summary>
internal static class Supervisor
{
    private static readonly TimeSpan mostProcessorTime = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan mostWallTime = TimeSpan.FromMinutes(4);

    /// <summary>Tries mutants 0 to <paramref name="count"/> - 1 of a series.</summary>
    public static Histogram Run(int series, int count, int processes)
    {
        var histogram = new Histogram(series);
        Task.WaitAll([.. Enumerable.Range(0, processes).Select(p => Task.Run(() =>
        {
            for (var next = p; next < count;) next = RunProcess(series, next, processes, count, histogram);
        }))]);
        return histogram;
    }

    /// <summary>Runs one process until it has done its part or ended; the number that comes next.</summary>
    private static int RunProcess(int series, int first, int step, int end, Histogram histogram)
    {
        using var process = Start("run", series, first, step, end);
        var errors = process.StandardError.ReadToEndAsync();
        var (at, next) = (-1, first);
        while (ReadLine(process) is { } line)
        {
            var fields = line.Split('\t');
            if (fields[0].StartsWith('>'))
            {
                at = int.Parse(fields[0].AsSpan(2), CultureInfo.InvariantCulture);
                next = at + step;
                continue;
            }
            histogram.Add(at, fields[1], bool.Parse(fields[2]), bool.Parse(fields[3]), fields[4]);
            at = -1;
        }
        var hung = !process.HasExited && !process.WaitForExit(1000);
        if (hung) process.Kill();
        process.WaitForExit();
        if (at < 0 && process.ExitCode == 0) return end;
        var kind = hung ? "hang" : process.ExitCode == Program.OutOfMemory ? "memory" : $"crash (exit code {process.ExitCode})";
        histogram.Add(Math.Max(at, 0), kind, failed: true, ran: false, errors.Result.Length > 3000 ? errors.Result[..3000] : errors.Result);
        // A process that tried none would not do better the next time.
        return next == first ? end : next;
    }

    /// <summary>The next line; null at the end, or when the process uses more time on a mutant than any may take.</summary>
    private static string? ReadLine(Process process)
    {
        var line = process.StandardOutput.ReadLineAsync();
        var (begin, wall) = (ProcessorTime(process), Stopwatch.StartNew());
        while (!line.Wait(250))
            if (ProcessorTime(process) - begin > mostProcessorTime || wall.Elapsed > mostWallTime) return null;
        return line.Result;
    }

    private static TimeSpan ProcessorTime(Process process)
    {
        try
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
        catch (InvalidOperationException)
        {
            return TimeSpan.Zero;
        }
    }

    private static Process Start(string command, params int[] numbers)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Supervisor).Assembly.Location, command, .. numbers.Select(n => n.ToString(CultureInfo.InvariantCulture))])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x30000000";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        return Process.Start(start)!;
    }
}
