using System.Text;
using System.Text.RegularExpressions;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX RegexFullMatch: whether a pattern in RE2's syntax matches the whole of each string. Matching takes time in proportion to the string's length.</summary>
/// <param name="Pattern">The pattern.</param>
public sealed record RegexFullMatch(string Pattern) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        Strings.Require(context, 0);
        Compile(Pattern, context.Error, whole: true);
        context.Set(0, DType.Bool, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var regex = Compile(Pattern, context.Error, whole: true);
        var output = context.Allocate(0, DType.Bool, x.Shape);
        for (var i = 0; i < x.Count; i++) output.Bytes[i] = regex.IsMatch(x.Strings[i]) ? (byte)1 : (byte)0;
    }

    /// <summary>A pattern in RE2's syntax, matched in time in proportion to the text.</summary>
    internal static Regex Compile(string pattern, Func<string, AiOptixException> error, bool whole = false)
    {
        try
        {
            var translated = Translate(pattern);
            return new(whole ? @"\A(?:" + translated + @")\z" : translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw error($"the pattern '{pattern}' is not understood: {e.Message}");
        }
    }

    /// <summary>RE2's words for what .NET writes in another way: classes of ASCII characters, named groups, quoted text, the end of the text.</summary>
    private static string Translate(string pattern)
    {
        var text = new StringBuilder();
        var set = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var rest = pattern.AsSpan(i);
            if (rest.StartsWith(@"\Q"))
            {
                var end = pattern.IndexOf(@"\E", i, StringComparison.Ordinal);
                text.Append(Regex.Escape(pattern[(i + 2)..(end < 0 ? pattern.Length : end)]));
                i = end < 0 ? pattern.Length : end + 1;
            }
            else if (rest[0] == '\\' && rest.Length > 1)
            {
                text.Append(rest[1] switch
                {
                    'd' => set ? "0-9" : "[0-9]",
                    'w' => set ? "0-9A-Za-z_" : "[0-9A-Za-z_]",
                    's' => set ? @"\t\n\f\r " : @"[\t\n\f\r ]",
                    'D' when !set => "[^0-9]",
                    'W' when !set => "[^0-9A-Za-z_]",
                    'S' when !set => @"[^\t\n\f\r ]",
                    'C' when !set => @"[\s\S]",
                    var c => $"\\{c}",
                });
                i++;
            }
            else if (set && rest.StartsWith("[:") && rest.IndexOf(":]") is > 0 and var close && Class(rest[2..close]) is { } members)
            {
                text.Append(members);
                i += close + 1;
            }
            else if (!set && rest.StartsWith("(?P<"))
            {
                text.Append("(?<");
                i += 3;
            }
            else if (!set && rest[0] == '$') text.Append(@"\z");
            else if (!set && rest[0] == '[')
            {
                set = true;
                text.Append('[');
                if (rest.StartsWith("[^")) text.Append(pattern[++i]);
                if (i + 1 < pattern.Length && pattern[i + 1] == ']') text.Append('\\').Append(pattern[++i]);
            }
            else if (set && rest[0] == '[') text.Append(@"\[");
            else
            {
                set &= rest[0] != ']';
                text.Append(rest[0]);
            }
        }
        return text.ToString();
    }

    private static string? Class(ReadOnlySpan<char> name) => name switch
    {
        "alpha" => "A-Za-z",
        "digit" => "0-9",
        "alnum" => "0-9A-Za-z",
        "word" => "0-9A-Za-z_",
        "upper" => "A-Z",
        "lower" => "a-z",
        "xdigit" => "0-9A-Fa-f",
        "space" => @"\t\n\v\f\r ",
        "blank" => @"\t ",
        "punct" => @"!-/:-@\[-`{-~",
        "print" => " -~",
        "graph" => "!-~",
        "cntrl" => @"\x00-\x1F\x7F",
        "ascii" => @"\x00-\x7F",
        _ => null,
    };
}
