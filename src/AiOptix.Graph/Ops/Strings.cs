using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What operators on strings share.</summary>
internal static class Strings
{
    public static void Require(InferenceContext context, int input) => context.Require(input, t => t == DType.String, "string");
}

/// <summary>ONNX StringConcat: strings joined in pairs, with broadcasting.</summary>
public sealed record StringConcat : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        Strings.Require(context, 0);
        Strings.Require(context, 1);
        context.Set(0, DType.String, Broadcast.Infer(context, 0, 2));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        var shape = Broadcast.Common(context, a, b);
        var output = context.Allocate(0, DType.String, shape);
        var walk = new Broadcast(shape, a.Shape, b.Shape);
        while (walk.NextRow())
            for (var i = 0; i < walk.RowLength; i++)
                output.Strings[walk.OutputOffset + i] = a.Strings[walk.Offset(0) + i * walk.Step(0)] + b.Strings[walk.Offset(1) + i * walk.Step(1)];
    }
}

/// <summary>ONNX StringSplit: every string cut at a delimiter into a new last axis, filled up with empty strings, and how many parts each has.</summary>
/// <param name="Delimiter">The delimiter; empty for runs of white space, which count nothing at the ends.</param>
/// <param name="MaxSplit">How many cuts there may be, from the left; null for all.</param>
public sealed record StringSplit(string Delimiter = "", long? MaxSplit = null) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        Strings.Require(context, 0);
        var s = context.Shape(0);
        context.Set(0, DType.String, s is null ? null : new([.. s, context.Fresh()]));
        context.Set(1, DType.Int64, s);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var parts = Array.ConvertAll(x.Strings, Split);
        var width = parts.Length == 0 ? 0 : parts.Max(p => p.Length);
        var output = context.Allocate(0, DType.String, new Shape([.. x.Shape.Dims, width]));
        for (var i = 0; i < parts.Length; i++) parts[i].CopyTo(output.Strings, i * width);
        context.Allocate(1, DType.Int64, x.Shape).Store(Array.ConvertAll(parts, p => (long)p.Length));
    }

    private string[] Split(string text)
    {
        var most = MaxSplit is >= 0 and < int.MaxValue ? (int)MaxSplit.Value + 1 : int.MaxValue;
        if (Delimiter.Length > 0) return text.Split(Delimiter, most);
        var parts = new List<string>();
        var rest = text.AsSpan().TrimStart();
        while (rest.Length > 0)
        {
            var end = 0;
            while (end < rest.Length && !char.IsWhiteSpace(rest[end])) end++;
            if (parts.Count + 1 == most || end == rest.Length)
            {
                parts.Add((parts.Count + 1 == most ? rest.TrimEnd() : rest[..end]).ToString());
                break;
            }
            parts.Add(rest[..end].ToString());
            rest = rest[end..].TrimStart();
        }
        return [.. parts];
    }
}

/// <summary>How letters change.</summary>
public enum CaseChange
{
    /// <summary>Not at all.</summary>
    None,
    /// <summary>To lower case.</summary>
    Lower,
    /// <summary>To upper case.</summary>
    Upper,
}

/// <summary>ONNX StringNormalizer: strings [C] or [1, C] without stop words, in another case. Where none is left there is one empty string.</summary>
/// <param name="Change">How letters change; the rules of case are those of no particular language.</param>
/// <param name="CaseSensitive">Whether stop words must match in case.</param>
/// <param name="StopWords">What is left out.</param>
/// <param name="Locale">The language that the model was made for.</param>
public sealed record StringNormalizer(CaseChange Change = CaseChange.None, bool CaseSensitive = false, ValueList<string> StopWords = default, string Locale = "") : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        Strings.Require(context, 0);
        var s = context.Shape(0);
        if (s is not null && !(s.Rank == 1 || s.Rank == 2 && s[0].Constant is null or 1)) throw context.Error($"input 0 has shape {s}; expected [C] or [1, C]");
        context.Set(0, DType.String, s is null ? null : s.Rank == 1 ? new(context.Fresh()) : new(1, context.Fresh()));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var stop = StopWords.ToHashSet(CaseSensitive ? StringComparer.Ordinal : StringComparer.InvariantCultureIgnoreCase);
        var kept = x.Strings.Where(s => !stop.Contains(s)).Select(Cased).ToArray();
        if (kept.Length == 0) kept = [""];
        context.Set(0, Tensor.FromStrings(kept, x.Shape.Rank == 1 ? new Shape(kept.Length) : new Shape(1, kept.Length)));
    }

    private string Cased(string text) => Change switch { CaseChange.Lower => text.ToLowerInvariant(), CaseChange.Upper => text.ToUpperInvariant(), _ => text };
}
