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
    public static string[] Start(string check, string model, int threads)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(OwnProcess).Assembly.Location, check, model, threads.ToString(CultureInfo.InvariantCulture)])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{check} {model} {threads}: {error.Result}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static void Main(string[] arguments)
    {
        var (check, name, threads) = (arguments[0], arguments[1], int.Parse(arguments[2], CultureInfo.InvariantCulture));
        string[] lines = check switch
        {
            "steady" => [.. Steady(name, threads).Select(bytes => bytes.ToString(CultureInfo.InvariantCulture))],
            "first" => FirstRun(name, threads),
            _ => throw new ArgumentException($"no check '{check}'", nameof(arguments)),
        };
        foreach (var line in lines) Console.WriteLine(line);
    }

    /// <summary>Bytes that all threads allocated in the managed heap, and bytes of native memory, over some runs into the caller's memory.</summary>
    private static long[] Steady(string name, int threads)
    {
        var model = FirstModelsTests.Open(name);
        var inputs = FirstModelsTests.Inputs(model, name);
        using var session = model.Compile(new CompileOptions { Threads = threads });
        Tensor[] outputs = [(Tensor)session.Run(inputs)[0]];
        for (var i = 0; i < WarmRuns; i++) session.Run(inputs, outputs);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (managed, native) = (GC.GetTotalAllocatedBytes(precise: true), MemoryBlock.OwnedBytes);
        for (var i = 0; i < Runs; i++) session.Run(inputs, outputs);
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - managed;
        return [allocated, MemoryBlock.OwnedBytes - native];
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
