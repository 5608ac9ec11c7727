using System.Text;
using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>Writes a graph as text, one node a line, for people and for comparing in tests.</summary>
public static class Printer
{
    /// <summary>The text of a graph.</summary>
    public static string Print(Graph graph)
    {
        var text = new StringBuilder();
        Print(graph, text, "");
        return text.ToString();
    }

    private static void Print(Graph graph, StringBuilder text, string indent)
    {
        text.Append(indent).Append("graph ").Append(graph.Name).Append(" (").AppendJoin(", ", graph.Inputs).Append(")\n");
        foreach (var c in graph.Constants) text.Append(indent).Append("  const ").Append(c).Append(Content(c.Constant!)).Append('\n');
        foreach (var n in graph.Nodes)
        {
            text.Append(indent).Append("  ").AppendJoin(", ", n.Outputs).Append(" = ").Append(Text(n.Operator));
            text.Append('(').AppendJoin(", ", n.Inputs.Select(i => i?.Name ?? "_")).Append(")\n");
            foreach (var sub in n.Operator.Subgraphs) Print(sub, text, indent + "    ");
        }
        text.Append(indent).Append("  return ").AppendJoin(", ", graph.Outputs.Select(o => o.Name)).Append('\n');
    }

    /// <summary>An operator with its attributes.</summary>
    public static string Text(Operator op)
    {
        if (!op.IsKnown || op.Subgraphs.Count > 0) return op.Name;
        var s = op.ToString();
        var from = s.IndexOf('{', StringComparison.Ordinal);
        var inner = from < 0 ? "" : s[(from + 1)..s.LastIndexOf('}')];
        var kept = inner.Split(", ").Select(p => p.Trim())
            .Where(p => p.Length > 0 && !IsDerived(p));
        var attributes = string.Join(", ", kept);
        return attributes.Length == 0 ? op.Name : $"{op.Name}{{{attributes}}}";
    }

    private static bool IsDerived(string attribute) =>
        attribute.StartsWith("Name = ", StringComparison.Ordinal) || attribute.StartsWith("IsPure = ", StringComparison.Ordinal)
        || attribute.StartsWith("IsKnown = ", StringComparison.Ordinal) || attribute.StartsWith("Subgraphs = ", StringComparison.Ordinal);

    private static string Content(Tensor t) =>
        t.Count <= 8 && t.DType is DType.Int64 or DType.Int32 ? " {" + string.Join(",", t.ToInt64()) + "}" : "";
}
