namespace AiOptix.Graphs.Ops;

/// <summary>
/// The equation of an <see cref="Einsum"/> for operands of known rank, every axis a label: letters as they are, the axes under an ellipsis as digits counted
/// from the right, so that they broadcast.
/// </summary>
/// <param name="Operands">The labels of each operand's axes.</param>
/// <param name="Output">The labels of the output's axes.</param>
public sealed record EinsumEquation(IReadOnlyList<string> Operands, string Output)
{
    /// <summary>The labels that are summed over.</summary>
    public string Summed => string.Concat(string.Concat(Operands).Distinct().Except(Output));

    /// <summary>True for the label of an axis under an ellipsis.</summary>
    public static bool IsBroadcast(char label) => label < 'A';

    /// <summary>Reads an equation.</summary>
    /// <param name="equation">As ONNX writes it.</param>
    /// <param name="ranks">The ranks of the operands.</param>
    /// <exception cref="FormatException">It is none, or does not fit the ranks.</exception>
    public static EinsumEquation Parse(string equation, IReadOnlyList<int> ranks)
    {
        var sides = equation.Replace(" ", "", StringComparison.Ordinal).Split("->");
        var terms = sides[0].Split(',');
        if (sides.Length > 2 || terms.Length != ranks.Count) throw new FormatException($"equation '{equation}' has {terms.Length} terms for {ranks.Count} inputs");
        var width = 0;
        for (var i = 0; i < terms.Length; i++)
            if (terms[i].Contains("...", StringComparison.Ordinal)) width = Math.Max(width, ranks[i] - (terms[i].Length - 3));
        if (width > 17) throw new FormatException($"an ellipsis of equation '{equation}' stands for {width} axes");
        var operands = terms.Select((t, i) => Expand(equation, t, ranks[i] - t.Length + 3)).ToArray();
        for (var i = 0; i < operands.Length; i++)
            if (operands[i].Length != ranks[i]) throw new FormatException($"term '{terms[i]}' of equation '{equation}' does not fit an input with {ranks[i]} axes");
        var output = sides.Length == 2 ? Expand(equation, sides[1], width) : Implicit(operands, width);
        if (output.Distinct().Count() != output.Length || output.Except(string.Concat(operands)).Any(c => !IsBroadcast(c)))
            throw new FormatException($"the output of equation '{equation}' repeats a label or has one that no input has");
        return new(operands, output);
    }

    private static string Implicit(string[] operands, int width)
    {
        var all = string.Concat(operands);
        return Ellipsis(width) + string.Concat(all.Distinct().Where(c => !IsBroadcast(c) && all.Count(d => d == c) == 1).Order());
    }

    private static string Expand(string equation, string term, int width)
    {
        var parts = term.Split("...");
        if (parts.Length > 2 || (parts.Length == 2 && width < 0) || parts.Any(p => !p.All(char.IsAsciiLetter))) throw new FormatException($"term '{term}' of equation '{equation}' is not valid");
        return parts.Length == 1 ? term : parts[0] + Ellipsis(width) + parts[1];
    }

    /// <summary>Labels below 'A', the rightmost always the same.</summary>
    private static string Ellipsis(int width) => string.Concat(Enumerable.Range(0, width).Select(i => (char)('0' + width - 1 - i)));
}
