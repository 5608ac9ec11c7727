namespace AiOptix.Passes.Quantize;

/// <summary>In which form a product is written.</summary>
public enum QuantizedForm
{
    /// <summary>As it is.</summary>
    Float,
    /// <summary>int8 weights and uint8 activations whose ranges are known beforehand: between DequantizeLinear and QuantizeLinear.</summary>
    Static,
    /// <summary>int8 weights; the activations' range is found in each run: DynamicQuantizeLinear and MatMulInteger.</summary>
    Dynamic,
    /// <summary>Only the weights, int8 in blocks along the sum.</summary>
    Weights8,
    /// <summary>Only the weights, int4 in blocks along the sum.</summary>
    Weights4,
}

/// <summary>
/// What is quantised in a graph, and how. Nodes and values go by names that are the same whenever the same file is rewritten by the same passes: a node by that of its
/// first output. A plan is all that <see cref="QuantizationWriter"/> needs: it can be stored and applied elsewhere.
/// </summary>
public sealed record QuantizationPlan
{
    /// <summary>The products that are quantised; others stay as they are.</summary>
    public required IReadOnlyDictionary<string, QuantizedForm> Nodes { get; init; }

    /// <summary>The ranges of activations, by value; static products without one stay as they are.</summary>
    public IReadOnlyDictionary<string, ActivationRange> Ranges { get; init; } = new Dictionary<string, ActivationRange>();

    /// <summary>The mean of every channel of a product's input, by value: the bias takes back what rounding the weights shifts the mean result by. Empty corrects nothing.</summary>
    public IReadOnlyDictionary<string, double[]> Means { get; init; } = new Dictionary<string, double[]>();

    /// <summary>Factors by which a normalisation's channels are divided and the weights behind it multiplied before anything is quantised, by the normalisation's output.</summary>
    public IReadOnlyDictionary<string, double[]> Smoothing { get; init; } = new Dictionary<string, double[]>();

    /// <summary>Whether what stands between static products (sums, pools, movement) stays in bytes.</summary>
    public bool Followers { get; init; } = true;

    /// <summary>Whether a static product whose result no other one needs gives floats instead of bytes.</summary>
    public bool FloatResults { get; init; }

    /// <summary>How many weights share a scale where only the weights are quantised.</summary>
    public int BlockSize { get; init; } = 32;
}
