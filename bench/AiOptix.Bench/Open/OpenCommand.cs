using System.CommandLine;
using AiOptix.Bench.Compare;
using AiOptix.Tensors;

namespace AiOptix.Bench.Open;

/// <summary><c>./bench.sh open</c>: how long it takes until a session is there.</summary>
internal static class OpenCommand
{
    private const long LeastBytes = 10_000_000;

    internal static Command Command()
    {
        var models = new Option<string[]>("--models") { Description = "Folders of models, or model files, beside the zoo's.", AllowMultipleArgumentsPerToken = true };
        var only = new Option<string[]>("--only") { Description = "Only models whose name contains this.", AllowMultipleArgumentsPerToken = true };
        var threads = new Option<int>("--threads") { Description = "Threads of each session.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var rounds = new Option<int>("--rounds") { Description = "Rounds, at least 6.", DefaultValueFactory = _ => 7 };
        var json = new Option<string?>("--json") { Description = "Writes every figure to this file; a bare name goes to bench/results/<cpu>/." };
        var command = new Command("open", "Compares how long opening takes, over models of more than 10 MB: ONNX Runtime's session, the file, the saved program; as the first model of a process and as its second.")
        {
            models, only, threads, rounds, json,
        };
        command.SetAction(p => Run(new CompareOptions { Models = p.GetValue(models) ?? [], Only = p.GetValue(only) ?? [], Zoo = true, Json = p.GetValue(json), Threads = [p.GetValue(threads)], Rounds = Math.Max(Statistics.FewestSamples, p.GetValue(rounds)) }));
        return command;
    }

    private static int Run(CompareOptions options)
    {
        var folder = Directory.CreateTempSubdirectory("aioptix-open-").FullName;
        try
        {
            BenchCase[] cases = [.. BenchCase.Find(options).Where(c => new FileInfo(c.Path).Length > LeastBytes)];
            if (cases.Length < 2) throw new AiOptixException("it takes at least two models of more than 10 MB: what opens one in a warm process has opened another before");
            Report.Head(options);
            var programs = Array.ConvertAll(cases, c => Save(c, Path.Combine(folder, c.Name)));
            var openings = Opening.Measure(cases, programs, options.Threads[0], options.Rounds);
            OpenReport.Table(openings, options.Threads[0]);
            if (options.Json is not null) Console.WriteLine($"written: {JsonReport.Write(options.Json, OpenReport.Document(openings, options))}");
            Console.WriteLine(OpenReport.Closing(openings));
            return 0;
        }
        catch (Exception e) when (e is AiOptixException or IOException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Save(BenchCase model, string program)
    {
        Model.Load(model.Path).SaveCompiled(program);
        return program;
    }
}
