using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Onnx;

/// <summary>Operators on strings.</summary>
internal static class Texts
{
    private static readonly string[] changes = ["NONE", "LOWER", "UPPER"];

    private static readonly string[] weightings = ["TF", "IDF", "TFIDF"];

    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<StringConcat>("StringConcat", r => r.Emit(new StringConcat(), r.Required(0), r.Required(1)), (w, _) => w.Emit("StringConcat"), 20),
        OnnxOperator.Of<StringSplit>("StringSplit", r => r.Emit(new StringSplit(r.String("delimiter", ""), r.OptionalInt("maxsplit")), r.Required(0)),
            (w, op) => w.Emit("StringSplit", ("delimiter", op.Delimiter.Length > 0 ? op.Delimiter : null), ("maxsplit", op.MaxSplit)), 20),
        OnnxOperator.Of<RegexFullMatch>("RegexFullMatch", r => r.Emit(new RegexFullMatch(r.String("pattern", "")), r.Required(0)), (w, op) => w.Emit("RegexFullMatch", ("pattern", op.Pattern)), 20),
        OnnxOperator.Of<StringNormalizer>("StringNormalizer", r => r.Emit(new StringNormalizer((CaseChange)Choice(r, "case_change_action", changes), r.Bool("is_case_sensitive", false),
                [.. r.OptionalStrings("stopwords") ?? []], r.String("locale", "")), r.Required(0)),
            (w, op) => w.Emit("StringNormalizer", ("case_change_action", changes[(int)op.Change]), ("is_case_sensitive", op.CaseSensitive), ("stopwords", op.StopWords.Count > 0 ? op.StopWords : null),
                ("locale", op.Locale.Length > 0 ? op.Locale : null)), 10),
        OnnxOperator.Of<TfIdfVectorizer>("TfIdfVectorizer", r => r.Emit(new TfIdfVectorizer([.. r.OptionalInts("pool_int64s") ?? []], [.. r.OptionalStrings("pool_strings") ?? []], r.Ints("ngram_counts"), r.Ints("ngram_indexes"),
                [.. r.OptionalFloats("weights") ?? []], r.Int("min_gram_length", 1), r.Int("max_gram_length", 1), r.Int("max_skip_count", 0), (TermWeighting)Choice(r, "mode", weightings)), r.Required(0)),
            (w, op) => w.Emit("TfIdfVectorizer", ("pool_int64s", op.Integers.Count > 0 ? op.Integers : null), ("pool_strings", op.Words.Count > 0 ? op.Words : null), ("ngram_counts", op.Starts), ("ngram_indexes", op.Places),
                ("weights", op.Weights.Count > 0 ? op.Weights : null), ("min_gram_length", op.Shortest), ("max_gram_length", op.Longest), ("max_skip_count", op.Skips), ("mode", weightings[(int)op.Weighting])), 9),
    ];

    private static int Choice(NodeReader r, string attribute, string[] names)
    {
        var name = r.String(attribute, names[0]);
        var index = Array.IndexOf(names, name);
        return index >= 0 ? index : throw r.Error($"{attribute} '{name}' must be one of {string.Join(", ", names)}");
    }
}
