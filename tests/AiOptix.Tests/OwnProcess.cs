using System.Diagnostics;
using System.Globalization;
using AiOptix.Tensors;

namespace AiOptix.Tests;

/// <summary>
/// Checks that need a process to themselves, because a test host allocates, and has compiled code, that is not the engine's. This assembly is its own
/// program: <c>dotnet AiOptix.Tests.dll steady MODEL THREADS</c>.
/// </summary>
internal static class OwnProcess
{
    private const int WarmRuns = 60;
    private const int Runs = 40;

    /// <summary>Runs a check in a new process.</summary>
    /// <returns>The lines that it wrote.</returns>
    public static string[] Start(string check, string model, int threads) => Start([], check, model, threads);

    /// <summary>Runs a check in a new process that a command starts.</summary>
    /// <param name="command">The command, which runs what stands behind its own arguments.</param>
    /// <param name="check">The check.</param>
    /// <param name="model">The model or file that it is about.</param>
    /// <param name="threads">How many threads.</param>
    public static string[] Start(IReadOnlyList<string> command, string check, string model, int threads)
    {
        using var process = Begin(command, check, model, threads);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{check} {model} {threads}: {error.Result}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    /// <summary>Starts a process that does not end by itself; the caller ends it.</summary>
    public static Process Begin(IReadOnlyList<string> command, string check, string model, int threads)
    {
        string[] line = [.. command, "dotnet", typeof(OwnProcess).Assembly.Location, check, model, threads.ToString(CultureInfo.InvariantCulture)];
        return Process.Start(new ProcessStartInfo(line[0], line[1..]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    private static void Main(string[] arguments)
    {
        var (check, name, threads) = (arguments[0], arguments[1], int.Parse(arguments[2], CultureInfo.InvariantCulture));
        string[] lines = check switch
        {
            "steady" => [.. Steady(name, threads).Select(bytes => bytes.ToString(CultureInfo.InvariantCulture))],
            "first" => FirstRun(name, threads),
            "threads" => DefaultThreads(name),
            "idle" => [Idle(name, threads).ToString(CultureInfo.InvariantCulture)],
            "write" => InterruptedWriteTests.WriteUntilKilled(name),
            "memory" => [SavedProgramTests.Memory(int.Parse(name, CultureInfo.InvariantCulture), threads)],
            "peak" => [Peak(name, threads).ToString(CultureInfo.InvariantCulture)],
            _ => throw new ArgumentException($"no check '{check}'", nameof(arguments)),
        };
        foreach (var line in lines) Console.WriteLine(line);
    }

    /// <summary>
    /// Bytes that all threads allocated in the managed heap, and bytes of native memory, over some runs into the caller's memory. The least of three rounds:
    /// the runtime itself allocates something once now and then, when it compiles a method again in the background; what runs allocate is in every round.
    /// </summary>
    private static long[] Steady(string name, int threads)
    {
        var model = FirstModelsTests.Open(name);
        var inputs = FirstModelsTests.Inputs(model, name);
        using var session = model.Compile(new CompileOptions { Threads = threads });
        Tensor[] outputs = [(Tensor)session.Run(inputs)[0]];
        for (var i = 0; i < WarmRuns; i++) session.Run(inputs, outputs);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long[] least = [long.MaxValue, long.MaxValue];
        for (var round = 0; round < 3; round++)
        {
            var (managed, native) = (GC.GetTotalAllocatedBytes(precise: true), MemoryBlock.OwnedBytes);
            for (var i = 0; i < Runs; i++) session.Run(inputs, outputs);
            (least[0], least[1]) = (Math.Min(least[0], GC.GetTotalAllocatedBytes(precise: true) - managed), Math.Min(least[1], MemoryBlock.OwnedBytes - native));
        }
        return least;
    }

    /// <summary>The threads of a session that nobody gave a number.</summary>
    private static string[] DefaultThreads(string name)
    {
        using var session = FirstModelsTests.Open(name).Compile();
        return [session.Threads.ToString(CultureInfo.InvariantCulture)];
    }

    /// <summary>Milliseconds of processor time that the process uses in two seconds in which a session has nothing to do.</summary>
    private static double Idle(string name, int threads)
    {
        var model = FirstModelsTests.Open(name);
        var inputs = FirstModelsTests.Inputs(model, name);
        using var session = model.Compile(new CompileOptions { Threads = threads });
        for (var i = 0; i < WarmRuns; i++) session.Run(inputs);
        Thread.Sleep(2000);
        using var self = Process.GetCurrentProcess();
        var before = self.TotalProcessorTime;
        Thread.Sleep(2000);
        self.Refresh();
        return (self.TotalProcessorTime - before).TotalMilliseconds;
    }

    /// <summary>The most memory that this process had, having opened and run a model.</summary>
    private static long Peak(string path, int threads)
    {
        var model = Model.Load(path);
        using var session = model.Compile(new CompileOptions { Threads = threads });
        session.Run([.. SampleInputs.Draw(model).Values]);
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
    }

    /// <summary>The kernels that were compiled in the first run after a model was compiled.</summary>
    private static string[] FirstRun(string name, int threads)
    {
        using var listener = new CompiledMethods();
        var model = FirstModelsTests.Open(name);
        var inputs = FirstModelsTests.Inputs(model, name);
        using var session = model.Compile(new CompileOptions { Threads = threads });
        var begin = DateTime.UtcNow;
        session.Run(inputs);
        var end = DateTime.UtcNow;
        return listener.Kernels(begin, end);
    }
}
