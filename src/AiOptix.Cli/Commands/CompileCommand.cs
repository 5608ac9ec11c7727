using System.CommandLine;
using System.Diagnostics;
using AiOptix.Tensors;

namespace AiOptix.Cli.Commands;

/// <summary><c>optix compile</c>: saves a model's program, so that it opens without being compiled.</summary>
internal static class CompileCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        var file = Options.Model();
        var folder = new Option<string>("--output", "-o") { Description = "The folder to save into; made when it is not there.", HelpName = "DIR", Required = true };
        var isa = Options.Choice("--isa", "avx512", "Cap the instruction sets of the kernels.", ("none", IsaCap.None), ("avx2", IsaCap.Avx2), ("avx512", IsaCap.Avx512));
        var (tuned, tuning) = (Options.Tuned(), Options.TuningFile());
        var command = new Command("compile", "Compile a model for this CPU and save the program: weights packed, opened by run, bench and verify in place of the model.") { file, folder, isa, tuned, tuning };
        command.SetAction(parsed =>
        {
            var model = Model.Load(parsed.GetValue(file)!);
            terminal.Notice(model);
            var target = parsed.GetRequiredValue(folder);
            var begin = Stopwatch.GetTimestamp();
            model.SaveCompiled(target, new CompileOptions { Isa = parsed.GetValue(isa), Tuning = Options.Tuning(parsed, tuned, tuning, terminal) });
            terminal.Error.WriteLine($"compiled and saved in {Units.Time(Stopwatch.GetElapsedTime(begin))}");
            terminal.Line($"{target}: {Units.Bytes(Directory.GetFiles(target).Sum(f => new FileInfo(f).Length))}");
        });
        return command;
    }
}
