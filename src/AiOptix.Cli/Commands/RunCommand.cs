using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using AiOptix.Data;
using AiOptix.Tensors;

namespace AiOptix.Cli.Commands;

/// <summary><c>optix run</c>: runs a model once and writes or summarises its outputs.</summary>
internal static class RunCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        var file = Options.Model();
        var folder = new Option<string?>("--output-dir") { Description = "Write each output to NAME.npy in this folder.", HelpName = "DIR" };
        var threads = Options.Threads();
        var dump = Options.DumpKernels();
        var (tuned, tuning) = (Options.Tuned(), Options.TuningFile());
        var command = new Command("run", "Run a model once. Inputs that are not given are drawn from the seed.") { file, folder, threads, tuned, tuning, dump };
        var inputs = new ModelInputs(command);
        command.SetAction((parsed, cancellation) =>
        {
            var model = Model.Load(parsed.GetValue(file)!);
            var samples = inputs.Read(parsed, model, terminal);
            using var session = model.Compile(new CompileOptions { Threads = parsed.GetValue(threads), Tuning = Options.Tuning(parsed, tuned, tuning, terminal) });
            terminal.Notice(model);
            var begin = Stopwatch.GetTimestamp();
            var outputs = session.Run([.. samples.Values], cancellation);
            var elapsed = Stopwatch.GetElapsedTime(begin);
            var names = model.Outputs.Select(o => o.Name).ToArray();
            terminal.Table(["output", "type", ">min", ">max", ">mean", "first elements"],
                names.Zip(outputs, (name, value) => (IReadOnlyList<string>)[name, value is Tensor t ? t.ToString() : "", .. Summary(value)]));
            if (parsed.GetValue(folder) is { } target) Write(target, names, outputs, terminal);
            Options.DumpKernels(terminal, parsed.GetValue(dump));
            terminal.Error.WriteLine($"ran in {Units.Time(elapsed)} (first run) on {session.Threads.ToString(CultureInfo.InvariantCulture)} threads");
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static string[] Summary(RuntimeValue value)
    {
        if (value is not Tensor t) return ["", "", "", value.ToString() ?? ""];
        var statistics = TensorStatistics.Of(t);
        return [.. new[] { statistics.Minimum, statistics.Maximum, statistics.Mean }.Select(v => v is { } x ? x.ToString("G5", CultureInfo.InvariantCulture) : ""), statistics.FirstElements];
    }

    private static void Write(string folder, string[] names, RuntimeValue[] outputs, Terminal terminal)
    {
        Directory.CreateDirectory(folder);
        for (var i = 0; i < outputs.Length; i++)
        {
            if (outputs[i] is not Tensor tensor || !NpyFile.CanHold(tensor.DType))
            {
                terminal.Error.WriteLine($"output '{names[i]}' is not written: NumPy's format has no {(outputs[i] as Tensor)?.DType.Name() ?? "sequences, optionals or maps"}");
                continue;
            }
            var path = Path.Combine(folder, SampleFolder.FileName(names[i]));
            NpyFile.Write(path, tensor);
            terminal.Error.WriteLine($"wrote {path}");
        }
    }
}
