using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using AiOptix.Tensors;

namespace AiOptix.Bench;

/// <summary><c>calls</c>: how many runs a second several threads get out of one session, each into memory of its own; what bench/python compares with.</summary>
internal static class CallsCommand
{
    public static Command Command()
    {
        var file = new Argument<string>("model") { Description = "An ONNX file." };
        var callers = new Option<int[]>("--callers") { Description = "How many threads call at once.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1, 2, 4] };
        var seconds = new Option<double>("--seconds") { Description = "How long to measure each.", DefaultValueFactory = _ => 2 };
        var command = new Command("calls", "Runs a second of one session (of one thread) under several callers, as JSON.") { file, callers, seconds };
        command.SetAction(parsed =>
        {
            var model = Model.Load(parsed.GetValue(file)!);
            using var session = model.Compile(new CompileOptions { Threads = 1 });
            var sample = SampleInputs.Draw(model).Values.ToArray();
            Rate(session, sample, 1, 0.5);
            var rates = new JsonObject();
            foreach (var count in parsed.GetValue(callers)!) rates[count.ToString(System.Globalization.CultureInfo.InvariantCulture)] = Rate(session, sample, count, parsed.GetValue(seconds));
            Console.WriteLine(rates.ToJsonString());
        });
        return command;
    }

    /// <summary>Runs a second of all callers together.</summary>
    private static double Rate(Runtime.Session session, Tensor[] sample, int callers, double seconds)
    {
        long runs = 0;
        using var start = new Barrier(callers + 1);
        var threads = Enumerable.Range(0, callers).Select(_ => new Thread(() =>
        {
            var outputs = Array.ConvertAll(session.Run(sample), o => (Tensor)o);
            long mine = 0;
            start.SignalAndWait();
            for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began).TotalSeconds < seconds;)
                for (var i = 0; i < 16; i++, mine++)
                    session.Run(sample, outputs);
            Interlocked.Add(ref runs, mine);
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        start.SignalAndWait();
        var clock = Stopwatch.StartNew();
        foreach (var thread in threads) thread.Join();
        return runs / clock.Elapsed.TotalSeconds;
    }
}
