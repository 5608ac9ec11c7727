using AiOptix.Onnx.Microsoft;

namespace AiOptix.Onnx;

/// <summary>Every operator that files may hold, family by family: the only registration there is.</summary>
internal static class OnnxRegistry
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<OnnxOperator> All { get; } =
    [
        .. Activations.Rows,
        .. Arithmetic.Rows,
        .. Bits.Rows,
        .. Casts.Rows,
        .. Comparisons.Rows,
        .. Attentions.Rows,
        .. Constants.Rows,
        .. Containers.Rows,
        .. ControlFlows.Rows,
        .. Convolutions.Rows,
        .. Encoders.Rows,
        .. FlexAttentions.Rows,
        .. Functions.Rows,
        .. Indexing.Rows,
        .. Learning.Rows,
        .. Multiplications.Rows,
        .. Normalizations.Rows,
        .. Quantizations.Rows,
        .. Randoms.Rows,
        .. Recurrents.Rows,
        .. Reductions.Rows,
        .. Removed.Rows,
        .. Reshaping.Rows,
        .. Resizing.Rows,
        .. Sampling.Rows,
        .. Signals.Rows,
        .. Slicing.Rows,
        .. Texts.Rows,
        .. Training.Rows,
        .. Trees.Rows,
        .. FusedActivations.Rows,
        .. FusedAttentions.Rows,
        .. FusedConvolutions.Rows,
        .. FusedNorms.Rows,
        .. FusedProducts.Rows,
        .. GroupQueries.Rows,
        .. QuantizedLinear.Rows,
        .. QuantizedProducts.Rows,
        .. QuantizedRows.Rows,
        .. Recurrences.Rows,
        .. Varied.Rows,
    ];

    private static readonly Dictionary<(string Domain, string Name), OnnxOperator> byName =
        All.Where(o => o.Name.Length > 0).ToDictionary(o => (o.Domain, o.Name));

    private static readonly Dictionary<Type, OnnxOperator> byType = All.Where(o => o.Writes is not null).ToDictionary(o => o.Writes!);

    /// <summary>The row that reads an operator, or null.</summary>
    public static OnnxOperator? Find(string domain, string name) => byName.GetValueOrDefault((domain == "ai.onnx" ? "" : domain, name));

    /// <summary>The row that writes a graph operator, or null.</summary>
    public static OnnxOperator? Find(Type graphOperator) => byType.GetValueOrDefault(graphOperator);
}
