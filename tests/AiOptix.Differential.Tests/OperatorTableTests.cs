using System.Globalization;
using System.Text;
using AiOptix.Bench;
using AiOptix.Cpu.Lower;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Onnx;

namespace AiOptix.Differential.Tests;

/// <summary>The README's table of operators, and its list of those without a kernel, are what the code has. <c>AIOPTIX_UPDATE_README=1</c> writes them anew.</summary>
public class OperatorTableTests
{
    private const string Begin = "<!-- operators -->\n", End = "<!-- end of operators -->";

    [Fact]
    public void TheReadmeListsTheOperators()
    {
        var file = Path.Combine(Repository.Root, "README.md");
        var text = File.ReadAllText(file);
        var (from, to) = (text.IndexOf(Begin, StringComparison.Ordinal), text.IndexOf(End, StringComparison.Ordinal));
        Assert.True(from >= 0 && to > from, "the README has no place for the operators");
        var table = Table();
        if (Environment.GetEnvironmentVariable("AIOPTIX_UPDATE_README") == "1") File.WriteAllText(file, text[..(from + Begin.Length)] + table + text[to..]);
        text = File.ReadAllText(file);
        Assert.Contains(Begin + table + End, text, StringComparison.Ordinal);
    }

    private static string Table()
    {
        var text = new StringBuilder("\n| domain | number | operators |\n|---|---|---|\n");
        foreach (var domain in OnnxRegistry.All.Where(o => o.Name.Length > 0).GroupBy(o => o.Domain).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            string[] names = [.. domain.Select(o => o.Name).Order(StringComparer.Ordinal)];
            text.Append(CultureInfo.InvariantCulture, $"| {(domain.Key.Length > 0 ? domain.Key : "ai.onnx")} | {names.Length} | {string.Join(", ", names)} |\n");
        }
        string[] without = [.. typeof(Operator).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Operator)) && !t.IsAbstract && t != typeof(UnknownOperator) && !t.IsSubclassOf(typeof(ControlFlow)))
            .Where(t => !LoweringRules.Has(t)).Select(t => t.Name).Order(StringComparer.Ordinal)];
        string[] handed = [.. without.Where(n => n.StartsWith("Sequence", StringComparison.Ordinal) || n.StartsWith("Optional", StringComparison.Ordinal))];
        string[] rest = [.. without.Except(handed)];
        text.Append(CultureInfo.InvariantCulture, $"\nWithout a kernel, as Reference steps, run {rest.Length} graph operators: {string.Join(", ", rest)}; and {handed.Length} that hand values through and calculate nothing: {string.Join(", ", handed)}. ");
        text.Append(CultureInfo.InvariantCulture, $"Composed of others, of float32 (and of the features and integers that their kernels take), run {Compositions.Operators.Count}: {string.Join(", ", Compositions.Operators.Order(StringComparer.Ordinal))}; their other types, and attributes that no composition holds, are Reference steps as well.\n\n");
        return text.ToString();
    }
}
