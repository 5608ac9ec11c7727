using System.Text.RegularExpressions;
using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx.Tests;

public sealed partial class RealModelTests
{
    [SkippableFact]
    public void Every_real_model_reads_and_survives_a_round_trip() => RoundTripAll("models");

    [SkippableFact]
    public void Every_conformance_case_reads_and_survives_a_round_trip() => RoundTripAll("onnx-backend");

    [SkippableFact]
    public void Every_value_file_of_the_conformance_cases_reads_as_what_the_graph_says()
    {
        var errors = new List<string>();
        var count = 0;
        foreach (var model in Models("onnx-backend").Where(m => Path.GetFileName(m) == "model.onnx"))
        {
            var graph = OnnxFile.Read(model);
            foreach (var set in Directory.EnumerateDirectories(Path.GetDirectoryName(model)!, "test_data_set_*"))
                foreach (var (prefix, values) in new[] { ("input", graph.Inputs), ("output", graph.Outputs) })
                    for (var i = 0; i < values.Count; i++)
                    {
                        var file = Path.Combine(set, $"{prefix}_{i}.pb");
                        if (!File.Exists(file) || values[i].Type is not { } type) continue;
                        count++;
                        if (Attempt(() => Check(file, type)) is { } error) errors.Add($"{file}: {error}");
                    }
        }
        Assert.True(errors.Count == 0, string.Join("\n", errors));
        Assert.True(count > 1000);
    }

    private static void Check(string file, GraphType type)
    {
        var value = TensorFile.Read(file, type);
        if (value is Tensor t && type is TensorType expected) Assert.Equal(expected.DType, t.DType);
    }

    private static void RoundTripAll(string folder)
    {
        var errors = Models(folder).Select(f => (File: f, Error: Attempt(() => RoundTrip(f)))).Where(r => r.Error is not null).ToList();
        Assert.True(errors.Count == 0, string.Join("\n", errors.Select(e => $"{Path.GetFileName(Path.GetDirectoryName(e.File))}: {e.Error}")));
    }

    private static void RoundTrip(string file)
    {
        var graph = OnnxFile.Read(file);
        Verifier.Verify(graph);
        using var again = new MemoryStream();
        try
        {
            OnnxFile.Write(graph, again);
        }
        catch (UnsupportedModelException) when (graph.AllNodes.Any(n => n.Operator is UnknownOperator))
        {
            Assert.Equal(0, again.Length);
            return;
        }
        var reread = OnnxFile.Read(again.ToArray());
        Assert.Equal(Text(graph), Text(reread));
        using var third = new MemoryStream();
        OnnxFile.Write(reread, third);
        Assert.True(again.ToArray().AsSpan().SequenceEqual(third.ToArray()), "the file that was read back and written again is another one");
        foreach (var c in graph.Constants) Assert.True(c.Constant!.BitEquals(reread.Values[c.Name].Constant!), $"constant {c} changed");
    }

    /// <summary>
    /// The graph as text, constants in the order of their names: a reader meets all initializers first and then, node by node, constants that attributes and Constant
    /// nodes hold, which a writer turns into initializers only where the operator has no attribute for them. A second round trip changes nothing, not a byte.
    /// </summary>
    private static string Text(Graph graph) =>
        string.Join('\n', WithOwnSymbols(Printer.Print(graph)).Split('\n').OrderBy(l => l.StartsWith("  const ", StringComparison.Ordinal) ? l : "", StringComparer.Ordinal));

    /// <summary>Symbols that inference made up, renamed in the order in which they appear: their numbers mean nothing.</summary>
    private static string WithOwnSymbols(string text)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        return FreshSymbol().Replace(text, m => names.TryGetValue(m.Value, out var name) ? name : names[m.Value] = $"fresh{names.Count}");
    }

    [GeneratedRegex(@"\b_d\d+\b", RegexOptions.None, 1000)]
    private static partial Regex FreshSymbol();

    private static IEnumerable<string> Models(string folder) => Directory.EnumerateFiles(SharedData.Folder(folder), "*.onnx", SearchOption.AllDirectories).Order();

    private static string? Attempt(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }
}
