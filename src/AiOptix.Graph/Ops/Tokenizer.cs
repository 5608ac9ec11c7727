using System.Text;
using System.Text.RegularExpressions;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// Tokenizer of <c>com.microsoft</c>: strings [C] or [N, C] broken into tokens along a new last axis, as long as the most tokens that a string has. Strings are cut at
/// <paramref name="Separators"/>, or the matches of <paramref name="Pattern"/> are the tokens; an empty separator or the pattern "." gives single characters.
/// </summary>
/// <param name="Separators">Regular expressions in RE2's syntax, each applied to what the one before left.</param>
/// <param name="Pattern">A regular expression in RE2's syntax; null when there are separators.</param>
/// <param name="Mark">Whether U+0002 stands before the tokens of a string and U+0003 behind them.</param>
/// <param name="Shortest">Tokens of fewer characters are left out.</param>
/// <param name="Padding">What fills the rest of a string's places.</param>
public sealed record Tokenizer(ValueList<string> Separators, string? Pattern, bool Mark, long Shortest, string Padding) : Operator
{
    private bool ByCharacter => Separators is [""] || Pattern == ".";

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        Strings.Require(context, 0);
        if (Separators.Count > 0 == Pattern is not null) throw context.Error("one of 'separators' and 'tokenexp' must be given, and not both");
        if (Shortest < 1) throw context.Error($"mincharnum {Shortest} must be positive");
        if (Separators.Count > 1 && Separators.Contains("")) throw context.Error("an empty separator must be the only one");
        if (context.Shape(0) is { } s && s.Rank is not (1 or 2)) throw context.Error($"input 0 has shape {s}; expected one or two axes");
        if (!ByCharacter) foreach (var p in Separators.Concat(Pattern is null ? [] : [Pattern])) Compile(p, context.Error);
        context.Set(0, DType.String, context.Shape(0) is { } x ? new([.. x, context.Fresh()]) : null);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        if (x.Count == 0)
        {
            context.Set(0, Tensor.FromStrings([], x.Shape.Rank == 1 ? new Shape(0, 0) : new Shape(x.Shape[0], x.Shape[1], 0)));
            return;
        }
        var cuts = ByCharacter ? [] : Separators.Select(p => Compile(p, context.Error)).ToArray();
        var match = Pattern is null || ByCharacter ? null : Compile(Pattern, context.Error);
        var lists = new List<string>[x.Count];
        for (var i = 0; i < lists.Length; i++) lists[i] = Tokens(x.Strings[i], cuts, match);
        var most = lists.Max(l => l.Count);
        var length = most == 0 ? 0 : most + (Mark ? 2 : 0);
        context.Limits.CheckTensor(DType.String, new Shape([.. x.Shape, length]), $"output 0 of node {context.Node}");
        var all = new string[lists.Length * length];
        Array.Fill(all, Padding);
        for (var i = 0; length > 0 && i < lists.Length; i++)
        {
            var at = i * length;
            if (Mark) all[at++] = "\u0002";
            foreach (var token in lists[i]) all[at++] = token;
            if (Mark) all[at] = "\u0003";
        }
        context.Set(0, Tensor.FromStrings(all, new Shape([.. x.Shape, length])));
    }

    private List<string> Tokens(string text, Regex[] cuts, Regex? match)
    {
        IEnumerable<string> tokens;
        if (ByCharacter) tokens = text.EnumerateRunes().Select(c => c.ToString());
        else if (match is not null) tokens = match.Matches(text).Where(m => m.Length > 0).Select(m => m.Value);
        else
        {
            tokens = [text];
            foreach (var cut in cuts) tokens = tokens.SelectMany(t => Cut(t, cut)).ToList();
        }
        return [.. tokens.Where(t => t.Length > 0 && t.EnumerateRunes().Count() >= Shortest)];
    }

    private static IEnumerable<string> Cut(string text, Regex separator)
    {
        var from = 0;
        foreach (Match m in separator.Matches(text))
        {
            if (m.Length == 0) continue;
            yield return text[from..m.Index];
            from = m.Index + m.Length;
        }
        yield return text[from..];
    }

    private static Regex Compile(string pattern, Func<string, AiOptixException> error) => RegexFullMatch.Compile(pattern, error);
}
