using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using AiOptix.Bench.Compare;
using AiOptix.Bench.Ort;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Bench.Open;

/// <summary>The process that opens models one after another with one engine and does nothing else.</summary>
internal static class OpenChild
{
    private const string Name = "open-child";

    /// <summary>How long each took, milliseconds: the first in a fresh process, those behind it in a warm one.</summary>
    /// <exception cref="AiOptixException">The process failed.</exception>
    internal static double[] Measure(string engine, int threads, params ReadOnlySpan<string> paths)
    {
        var words = ChildProcess.Run([Name, engine, threads.ToString(CultureInfo.InvariantCulture), .. paths]);
        if (words.Length != paths.Length) throw new AiOptixException($"'{Name}' gave {words.Length} times for {paths.Length} models");
        return Array.ConvertAll(words, w => double.Parse(w, CultureInfo.InvariantCulture));
    }

    /// <summary>The hidden command that it runs.</summary>
    internal static Command Command()
    {
        var engine = new Argument<string>("engine");
        var threads = new Argument<int>("threads");
        var paths = new Argument<string[]>("models") { Arity = ArgumentArity.OneOrMore };
        var command = new Command(Name, "Opens models and says how long each took.") { engine, threads, paths };
        command.Hidden = true;
        command.SetAction(p => Report(p.GetRequiredValue(engine), p.GetValue(threads), p.GetRequiredValue(paths)));
        return command;
    }

    /// <summary>ONNX Runtime's library is loaded and its environment made before the clock starts; of AI Optix nothing has run by then.</summary>
    private static int Report(string engine, int threads, string[] paths)
    {
        try
        {
            if (engine == Engines.Ort) _ = OrtSession.Version;
            var times = new string[paths.Length];
            for (var i = 0; i < paths.Length; i++)
            {
                var began = Stopwatch.GetTimestamp();
                using IDisposable session = engine == Engines.Ort ? new OrtSession(paths[i], threads) : Open(paths[i], threads);
                times[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds.ToString("R", CultureInfo.InvariantCulture);
            }
            Console.WriteLine(string.Join(' ', times));
            return 0;
        }
        catch (AiOptixException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static Session Open(string path, int threads)
    {
        var model = Model.Load(path);
        var session = model.Compile(new CompileOptions { Threads = threads });
        return model.Notice is { } notice ? throw new AiOptixException(notice) : session;
    }
}
