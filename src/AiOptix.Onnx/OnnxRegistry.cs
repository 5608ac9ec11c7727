using AiOptix.Onnx.Microsoft;

namespace AiOptix.Onnx;

/// <summary>Every operator that files may hold, family by family: the only registration there is. A family's rows are made when a name is not found in those before it.</summary>
internal static class OnnxRegistry
{
    private static readonly Dictionary<string, List<OnnxOperator>> byName = new(StringComparer.Ordinal);
    private static readonly Lazy<IReadOnlyList<OnnxOperator>> all = new(ReadAll);
    private static readonly Lazy<Dictionary<Type, OnnxOperator>> byType = new(() => All.Where(o => o.Writes is not null).ToDictionary(o => o.Writes!));
    private static int made;

    /// <summary>All rows.</summary>
    public static IReadOnlyList<OnnxOperator> All => all.Value;

    /// <summary>The row that reads an operator, or null.</summary>
    public static OnnxOperator? Find(string domain, string name)
    {
        if (domain == "ai.onnx") domain = "";
        lock (byName)
        {
            while (true)
            {
                if (name.Length > 0 && byName.TryGetValue(name, out var named) && named.Find(o => o.Domain == domain) is { } row) return row;
                if (Family(made) is not { } rows) return null;
                made++;
                foreach (var o in rows)
                {
                    if (!byName.TryGetValue(o.Name, out var same)) byName[o.Name] = same = [];
                    same.Add(o);
                }
            }
        }
    }

    /// <summary>The row that writes a graph operator, or null.</summary>
    public static OnnxOperator? Find(Type graphOperator) => byType.Value.GetValueOrDefault(graphOperator);

    private static List<OnnxOperator> ReadAll()
    {
        var rows = new List<OnnxOperator>();
        for (var i = 0; Family(i) is { } family; i++) rows.AddRange(family);
        return rows;
    }

    /// <summary>The families, those that most models use first; null behind the last.</summary>
    private static IReadOnlyList<OnnxOperator>? Family(int index) => index switch
    {
        0 => Convolutions.Rows,
        1 => Activations.Rows,
        2 => Arithmetic.Rows,
        3 => Multiplications.Rows,
        4 => Reshaping.Rows,
        5 => Normalizations.Rows,
        6 => Constants.Rows,
        7 => Reductions.Rows,
        8 => Slicing.Rows,
        9 => Indexing.Rows,
        10 => Casts.Rows,
        11 => Functions.Rows,
        12 => Comparisons.Rows,
        13 => Quantizations.Rows,
        14 => Attentions.Rows,
        15 => Resizing.Rows,
        16 => Recurrents.Rows,
        17 => ControlFlows.Rows,
        18 => Bits.Rows,
        19 => Containers.Rows,
        20 => Encoders.Rows,
        21 => FlexAttentions.Rows,
        22 => Learning.Rows,
        23 => Randoms.Rows,
        24 => Removed.Rows,
        25 => Sampling.Rows,
        26 => Signals.Rows,
        27 => Texts.Rows,
        28 => Training.Rows,
        29 => Trees.Rows,
        30 => FusedActivations.Rows,
        31 => FusedAttentions.Rows,
        32 => FusedConvolutions.Rows,
        33 => FusedNorms.Rows,
        34 => FusedProducts.Rows,
        35 => GroupQueries.Rows,
        36 => QuantizedLinear.Rows,
        37 => QuantizedProducts.Rows,
        38 => QuantizedRows.Rows,
        39 => Recurrences.Rows,
        40 => Varied.Rows,
        _ => null,
    };
}
