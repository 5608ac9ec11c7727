using System.Runtime.CompilerServices;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Tests;

/// <summary>Operators of the user's own: read, run, written back, and named when something goes wrong in them.</summary>
public sealed class CustomOperatorTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("aioptix-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void TheExampleOfTheDocumentationRuns()
    {
        var path = Save("my.domain", "Wave", 3, ("rate", 2f));
        // EXAMPLE
        var wave = new OperatorDefinition("my.domain", "Wave")
        {
            Infer = (context, attributes) => context.Set(0, context.Require(0, t => t == DType.Float32, "float32"), context.Shape(0)),
            Evaluate = (context, attributes) =>
            {
                var x = context.Input(0);
                var y = context.Allocate(0, x.DType, x.Shape);
                for (var i = 0; i < x.Count; i++) y.Span<float>()[i] = MathF.Sin(x.Span<float>()[i] * attributes.Float("rate", 1));
            },
        };
        var model = Model.Load(path, new LoadOptions { Operators = [wave] });
        // EXAMPLE
        Assert.Equal([0, 2 * MathF.Sin(2), 2 * MathF.Sin(4)], Run(model, 0, 1, 2));
        Assert.Equal([0, 2 * MathF.Sin(2), 2 * MathF.Sin(4), 0], Run(model, 0, 1, 2, 0));

        var again = Path.Combine(folder.FullName, "again.onnx");
        model.Save(again);
        Assert.Equal([0, 2 * MathF.Sin(2)], Run(Model.Load(again, new LoadOptions { Operators = [wave] }), 0, 1));
        var node = Assert.Single(Model.Load(again).Graph.Nodes, n => !n.Operator.IsKnown);
        Assert.Equal(("my.domain::Wave", 3L, 2f), (node.Operator.Name, ((UnknownOperator)node.Operator).Version, ((UnknownOperator)node.Operator).Attributes["rate"]));
        Assert.Contains("my.domain::Wave", Assert.Throws<UnsupportedModelException>(() => Model.Load(again).Compile()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheExampleStandsInTheDocumentation()
    {
        var lines = File.ReadAllLines(Source());
        var from = Array.FindIndex(lines, l => l.Trim() == "// EXAMPLE");
        var to = Array.FindLastIndex(lines, l => l.Trim() == "// EXAMPLE");
        var code = string.Join('\n', lines[(from + 1)..to].Select(l => l.Length > 8 ? l[8..] : ""));
        Assert.Contains("```csharp\n" + code + "\n```", File.ReadAllText(Path.Combine(Repository.Root, "docs", "dotnet.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void TheVersionChoosesAmongDefinitions()
    {
        var path = Save("my.domain", "Wave", 3);
        var (old, now) = (Define(1, 2, c => Fill(c, 1)), Define(3, 3, c => Fill(c, 2)));
        Assert.Equal([4], Run(Model.Load(path, new LoadOptions { Operators = [old, now] }), 9));
        var e = Assert.Throws<UnsupportedModelException>(() => Model.Load(path, new LoadOptions { Operators = [old] }));
        Assert.Contains("version 3 of 'my.domain'", e.Message, StringComparison.Ordinal);
        Assert.Contains("versions 1 to 2", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Model.Load(path, new LoadOptions { Operators = [now, Define(2, 5, c => Fill(c, 2))] }));
    }

    [Fact]
    public void AnOperatorOfTheLibraryCannotBeReplaced() => Assert.Contains("Relu", Assert.Throws<ArgumentException>(() =>
        Model.Load(Repository.Digits, new LoadOptions { Operators = [new OperatorDefinition("", "Relu") { Infer = (_, _) => { }, Evaluate = (_, _) => { } }] })).Message, StringComparison.Ordinal);

    [Fact]
    public void ErrorsNameNodeAndOperator()
    {
        var path = Save("my.domain", "Wave", 1, ("rate", 2f));
        string Loading(Action<InferenceContext, OperatorAttributes> infer) => Assert.ThrowsAny<AiOptixException>(() =>
            Model.Load(path, new LoadOptions { Operators = [new OperatorDefinition("my.domain", "Wave") { Infer = infer, Evaluate = (_, _) => { } }] })).Message;
        string Running(Action<EvaluationContext> evaluate) =>
            Assert.Throws<InvalidInputException>(() => Run(Model.Load(path, new LoadOptions { Operators = [Define(1, 9, evaluate)] }), 1, 2)).Message;
        string[] messages =
        [
            Loading((_, _) => throw new FormatException("broken rule")), Loading((_, _) => { }), Loading((_, a) => a.Int("rate", 0)),
            Running(_ => throw new FormatException("broken evaluation")), Running(_ => { }),
            Running(c => c.Allocate(0, DType.Int64, c.Input(0).Shape)), Running(c => c.Allocate(0, DType.Float32, new Shape(7))), Running(c => c.Allocate(0, DType.Float32, Shape.Scalar)),
        ];
        Assert.All(messages, m => Assert.Contains("my.domain::Wave", m, StringComparison.Ordinal));
        Assert.Contains("broken rule", messages[0], StringComparison.Ordinal);
        Assert.Contains("no type", messages[1], StringComparison.Ordinal);
        Assert.Contains("'rate' must be an integer", messages[2], StringComparison.Ordinal);
        Assert.Contains("broken evaluation", messages[3], StringComparison.Ordinal);
    }

    private static OperatorDefinition Define(long first, long last, Action<EvaluationContext> evaluate) => new("my.domain", "Wave")
    {
        FirstVersion = first, LastVersion = last, Infer = (c, _) => c.Set(0, c.DType(0), c.Shape(0)), Evaluate = (c, _) => evaluate(c),
    };

    private static void Fill(EvaluationContext context, float value) => context.Allocate(0, DType.Float32, context.Input(0).Shape).Span<float>().Fill(value);

    /// <summary>A file that runs such an operator between two of the library's: twice the wave of the ramp of x.</summary>
    private string Save(string domain, string name, long version, params (string Name, object Value)[] attributes)
    {
        var g = new Graph("custom") { Metadata = new(8, new Dictionary<string, long> { [""] = 13, [domain] = version }, "", new Dictionary<string, string>()) };
        var x = g.AddInput("x", new TensorType(DType.Float32, new SymbolicShape(Dim.Symbol("n"))));
        var wave = g.Add(new CustomOperator(Define(1, 9, c => Fill(c, 0)) is var d && d.Domain == domain && d.Name == name ? d : throw new ArgumentException(name), version, attributes.ToDictionary(a => a.Name, a => a.Value)), g.Add(new Relu(), x));
        g.AddOutput(g.Add(new Add(), [wave, wave], ["y"]).Output);
        var path = Path.Combine(folder.FullName, "model.onnx");
        Model.Of(g).Save(path);
        return path;
    }

    private static float[] Run(Model model, params float[] x)
    {
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        using var input = Tensor.Vector<float>(x);
        using var y = (Tensor)session.Run([input])[0];
        return y.Span<float>().ToArray();
    }

    private static string Source([CallerFilePath] string path = "") =>
        File.Exists(path) ? path : Path.Combine(Repository.Root, "tests", "AiOptix.Tests", "CustomOperatorTests.cs");
}
