using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>How <see cref="TfIdfVectorizer"/> weighs what it has counted.</summary>
public enum TermWeighting
{
    /// <summary>The count.</summary>
    Frequency,
    /// <summary>The weight of what occurs at all.</summary>
    InverseFrequency,
    /// <summary>The count times the weight.</summary>
    Both,
}

/// <summary>
/// ONNX TfIdfVectorizer: how often n-grams of a pool occur in sequences [C] or [N, C] of strings or integers, as float32 [outputs] or [N, outputs]. The items of an n-gram lie 1 to
/// skips + 1 places apart; single items are counted once.
/// </summary>
/// <param name="Integers">The pool of integers: all n-grams of one item, then all of two, and so on.</param>
/// <param name="Words">The pool of strings; one of the two pools is empty.</param>
/// <param name="Starts">Where in the pool the n-grams of each length begin.</param>
/// <param name="Places">Where each n-gram is counted.</param>
/// <param name="Weights">The weight of each n-gram; empty for 1.</param>
/// <param name="Shortest">The least length that is counted.</param>
/// <param name="Longest">The greatest length that is counted.</param>
/// <param name="Skips">How many items may lie between two of an n-gram.</param>
/// <param name="Weighting">What is given for a count.</param>
public sealed record TfIdfVectorizer(ValueList<long> Integers, ValueList<string> Words, ValueList<long> Starts, ValueList<long> Places, ValueList<float> Weights, long Shortest, long Longest, long Skips,
    TermWeighting Weighting) : Operator
{
    private long Outputs => Places.Count == 0 ? 0 : Places.Max() + 1;

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var words = Words.Count > 0;
        context.Require(0, t => words ? t == DType.String : t is DType.Int32 or DType.Int64, words ? "string" : "int32 or int64");
        if (words && Integers.Count > 0) throw context.Error("only one of the two pools may be given");
        if (Shortest < 1 || Longest < Shortest || Skips < 0 || Places.Any(p => p < 0)) throw context.Error($"n-grams of {Shortest} to {Longest} items with {Skips} skips are not possible");
        if (Weights.Count > 0 && Weights.Count != Places.Count) throw context.Error($"{Weights.Count} weights do not fit {Places.Count} n-grams");
        var s = context.Shape(0);
        if (s is { Rank: not (1 or 2) }) throw context.Error($"input 0 has shape {s}; expected [C] or [N, C]");
        context.Set(0, DType.Float32, s is null ? null : s.Rank == 1 ? new(Outputs) : new(s[0], Outputs));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var items = Words.Count > 0 ? x.Strings : Array.ConvertAll(x.ToInt64(), Text);
        var pool = Words.Count > 0 ? Words.ToArray() : Array.ConvertAll(Integers.ToArray(), Text);
        var grams = Grams(context, pool);
        var (rows, length) = x.Shape.Rank == 1 ? (1, (int)x.Shape[0]) : ((int)x.Shape[0], (int)x.Shape[1]);
        var output = context.Allocate(0, DType.Float32, x.Shape.Rank == 1 ? new Shape(Outputs) : new Shape(rows, Outputs), zeroed: true);
        for (var row = 0; row < rows; row++)
        {
            var counts = new long[Places.Count];
            for (var n = Shortest; n <= Longest; n++)
                for (long step = 1; step <= (n == 1 ? 1 : Skips + 1); step++)
                    for (long start = 0; start + (n - 1) * step < length; start++)
                        if (grams.TryGetValue(Key(items, row * length + start, step, n), out var gram)) counts[gram]++;
            var own = output.Span<float>().Slice(row * (int)Outputs, (int)Outputs);
            for (var gram = 0; gram < counts.Length; gram++)
            {
                if (counts[gram] == 0) continue;
                var weight = Weights.Count > 0 && Weighting != TermWeighting.Frequency ? Weights[gram] : 1;
                own[(int)Places[gram]] += Weighting == TermWeighting.InverseFrequency ? weight : counts[gram] * weight;
            }
        }
    }

    private static string Text(long value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>An n-gram as one text: each item with its length before it.</summary>
    private static string Key(string[] items, long start, long step, long count) =>
        string.Concat(Enumerable.Range(0, (int)count).Select(i => items[start + i * step]).Select(s => $"{s.Length}:{s}"));

    private Dictionary<string, int> Grams(EvaluationContext context, string[] pool)
    {
        var grams = new Dictionary<string, int>(StringComparer.Ordinal);
        var id = 0;
        for (var n = 1; n <= Starts.Count; n++)
        {
            var end = n < Starts.Count ? Starts[n] : pool.Length;
            if (Starts[n - 1] < 0 || end > pool.Length || end < Starts[n - 1] || (end - Starts[n - 1]) % n != 0) throw context.Error($"the pool does not divide into n-grams of {n} items");
            for (var at = Starts[n - 1]; at < end; at += n, id++)
            {
                if (id >= Places.Count) throw context.Error($"the pool holds more than the {Places.Count} n-grams of ngram_indexes");
                grams.TryAdd(Key(pool, at, 1, n), id);
            }
        }
        return grams;
    }
}
