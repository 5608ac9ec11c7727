using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using AiOptix.Data;
using AiOptix.Optimization;
using AiOptix.Reporting;
using AiOptix.Runtime;
using AiOptix.Tensors;
using AiOptix.Zoo;

namespace AiOptix.Cli.Commands;

/// <summary>
/// <c>optix demo</c>: the main job on the embedded digits model, with answers proven on labelled images that it never saw, and on ResNet-50 from the zoo; then the digits model again within
/// an error budget, with its report.
/// </summary>
internal static class DemoCommand
{
    private const int BatchSize = 100;

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        var threads = Options.Threads();
        var report = new Option<string>("--report")
        {
            Description = "Where the report of the budgeted optimisation goes. [default: optix-demo.html in the folder for temporary files]", HelpName = "FILE.html",
            DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "optix-demo.html"),
        };
        var command = new Command("demo", "Optimise the embedded digits model and ResNet-50, prove the answers, time both against the baseline; then the digits model within an error budget.") { threads, report };
        command.SetAction((parsed, cancellation) =>
        {
            var count = parsed.GetValue(threads);
            var digits = Digits(terminal, count, cancellation);
            terminal.Line();
            var resNet = ResNet(terminal, count, cancellation);
            terminal.Line();
            Budgeted(terminal, count, parsed.GetValue(report)!, cancellation);
            if (!digits || !resNet) throw new ProofFailedException("a proof of the demo failed; see above");
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static bool Digits(Terminal terminal, int threads, CancellationToken cancellation)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "digits");
        terminal.Heading("Handwritten digits: a small trained network, 800 labelled images it never saw");
        var model = Model.Load(Path.Combine(folder, "model.onnx"));
        var data = Batches(folder);
        var labels = data.SelectMany(b => b["label"].ToInt64()).ToArray();
        var batches = data.ConvertAll(b => b.Inputs("image"));
        var (optimized, result) = model.Optimize(batches, new OptimizerOptions { Threads = threads }, new StageLines(terminal.Error), cancellation);
        var before = Answers(model, batches, threads, cancellation);
        var after = Answers(optimized, batches, threads, cancellation);
        var trained = Recorded(Path.Combine(folder, "accuracy.json"));
        var (right, still) = (Right(before, labels), Right(after, labels));
        var agree = before.Zip(after).Count(p => p.First == p.Second);

        OptimizationReport.Print(result, terminal);
        terminal.Heading("Labelled images");
        terminal.Table(["", ">right", ">accuracy"],
        [
            ["measured by the training script", Number(trained), Percent(trained, labels.Length)],
            ["baseline", Number(right), Percent(right, labels.Length)],
            ["optimised", Number(still), Percent(still, labels.Length)],
        ]);
        var holds = result.Proof.Holds && agree == labels.Length && still == trained;
        terminal.Line($"  {(holds ? "PROVEN" : "FAILED")}: {Number(agree)} of {Number(labels.Length)} answers are the baseline's; {Number(BatchSize)} images a run.");
        return holds;
    }

    /// <summary>Whether int8 pays is the machine's to say: a search that ends with fp32 is no failure.</summary>
    private static void Budgeted(Terminal terminal, int threads, string report, CancellationToken cancellation)
    {
        terminal.Heading("The digits again, within a budget: int8 where it is faster, at most 0.5 % of the accuracy lost");
        var folder = Path.Combine(AppContext.BaseDirectory, "digits");
        var model = Model.Load(Path.Combine(folder, "model.onnx"));
        var data = Batches(folder);
        var options = new OptimizerOptions { Threads = threads, Budget = new ErrorBudget { MaxAccuracyDrop = 0.005 }, Labels = data.ConvertAll(b => b["label"]) };
        var (_, result) = model.Optimize(data.ConvertAll(b => b.Inputs("image")), options, new StageLines(terminal.Error), cancellation);
        OptimizationReport.Print(result, terminal);
        terminal.Write(report, result.ToHtml(new OptimizationSubject("the digits model", "optix demo"), MachineReport.Create()));
    }

    private static bool ResNet(Terminal terminal, int threads, CancellationToken cancellation)
    {
        terminal.Heading("ResNet-50 from the zoo: seeded weights, so errors can be proven, accuracy cannot");
        terminal.Error.WriteLine("building ...");
        var folder = Directory.CreateTempSubdirectory("optix-demo-");
        try
        {
            var file = Path.Combine(folder.FullName, "resnet-50.onnx");
            Model.Of(ModelZoo.Build("resnet-50")).Save(file);
            var model = Model.Load(file);
            Tensor[][] samples = [.. Enumerable.Range(1, 3).Select(seed => SampleInputs.Draw(model, seed).Values.ToArray())];
            var (_, result) = model.Optimize(samples, new OptimizerOptions { Threads = threads }, new StageLines(terminal.Error), cancellation);
            OptimizationReport.Print(result, terminal);
            terminal.Line($"  {(result.Proof.Holds ? "PROVEN" : "FAILED")}: every output of {Number(samples.Length)} samples is within the tolerance of the baseline's.");
            return result.Proof.Holds;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The labelled images in batches: 0 to 16 as bytes become floats from 0 to 1.</summary>
    private static List<Batch> Batches(string folder)
    {
        using var data = Datasets.Zip(Datasets.Npy([Path.Combine(folder, "images.npy")], "image"), Datasets.Npy([Path.Combine(folder, "labels.npy")], "label"));
        using var loader = new DataLoader(data, new()
        {
            BatchSize = BatchSize,
            Transforms = [new Normalize([0], [1]) { Scale = 1 / 16f }, new Reshape(1, 8, 8), new Cast(DType.Int64) { Field = "label" }],
        });
        return [.. loader];
    }

    /// <summary>The class of the largest logit of every image.</summary>
    private static List<int> Answers(Model model, List<Tensor[]> batches, int threads, CancellationToken cancellation)
    {
        using var session = model.Compile(new CompileOptions { Threads = threads, Rewrite = false });
        var answers = new List<int>();
        foreach (var batch in batches)
        {
            using var logits = (Tensor)session.Run(batch, cancellation)[0];
            var classes = (int)logits.Shape[1];
            var values = logits.Span<float>();
            for (var row = 0; row < logits.Shape[0]; row++)
            {
                var best = 0;
                for (var c = 1; c < classes; c++)
                    if (values[row * classes + c] > values[row * classes + best]) best = c;
                answers.Add(best);
            }
            GC.KeepAlive(logits);
        }
        return answers;
    }

    private static int Recorded(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(path));
        return document.RootElement.GetProperty("correct").GetInt32();
    }

    private static int Right(List<int> answers, long[] labels) => answers.Zip(labels).Count(p => p.First == p.Second);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Percent(int part, int whole) => (100.0 * part / whole).ToString("0.00", CultureInfo.InvariantCulture) + " %";
}
