namespace AiOptix.Kernels.Attention;

/// <summary>
/// Scaled dot-product attention, softmax(scale·Q·Kᵀ + mask)·V: Q [Batch, Heads, Queries, Width], K [Batch, KeyHeads, Keys, Width],
/// V [Batch, KeyHeads, Keys, ValueWidth], result [Batch, Heads, Queries, ValueWidth].
/// </summary>
/// <param name="Batch">Sequences.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyHeads">Key and value heads, a divisor of <paramref name="Heads"/>; consecutive query heads share one.</param>
/// <param name="Queries">Query positions.</param>
/// <param name="Keys">Key positions.</param>
/// <param name="Width">Length of a query and of a key.</param>
/// <param name="ValueWidth">Length of a value.</param>
public readonly record struct AttentionShape(int Batch, int Heads, int KeyHeads, int Queries, int Keys, int Width, int ValueWidth);

/// <summary>Strides of a tensor [batch, head, position, element] in floats; 0 repeats.</summary>
/// <param name="Batch">From a batch to the next.</param>
/// <param name="Head">From a head to the next.</param>
/// <param name="Position">From a position to the next.</param>
/// <param name="Element">From an element to the next.</param>
public readonly record struct HeadStrides(nint Batch, nint Head, nint Position, nint Element = 1)
{
    /// <summary>The offset of the first element of a head.</summary>
    public nint Of(int batch, int head) => batch * Batch + head * Head;
}

/// <summary>The operands of one run of an <see cref="AttentionPlan"/>; no alignment is needed. The result must not overlap any other operand.</summary>
public unsafe struct AttentionCall
{
    /// <summary>A call without mask.</summary>
    public AttentionCall() { }

    /// <summary>Queries.</summary>
    public float* Q;
    /// <summary>Strides of <see cref="Q"/>.</summary>
    public HeadStrides QStrides;
    /// <summary>Keys.</summary>
    public float* K;
    /// <summary>Strides of <see cref="K"/>.</summary>
    public HeadStrides KStrides;
    /// <summary>Values.</summary>
    public float* V;
    /// <summary>Strides of <see cref="V"/>.</summary>
    public HeadStrides VStrides;
    /// <summary>The result.</summary>
    public float* Y;
    /// <summary>Strides of <see cref="Y"/>; its elements must be adjacent.</summary>
    public HeadStrides YStrides;
    /// <summary>Addends of the scores [batch, head, query, key], or null.</summary>
    public float* Mask;
    /// <summary>Bytes [batch, head, query, key] that are 0 where a query does not see a key, or null.</summary>
    public byte* Allowed;
    /// <summary>Strides of <see cref="Mask"/> or <see cref="Allowed"/>; position is the query, and keys must be adjacent.</summary>
    public HeadStrides MaskStrides;
    /// <summary>Keys that the mask covers; those behind are hidden.</summary>
    public int MaskKeys = int.MaxValue;
    /// <summary>How many keys of each batch there are, or null when all are; query 0 stands at that number less the number of queries then.</summary>
    public long* Valid;
    /// <summary>The factor of the scores, usually 1/√Width.</summary>
    public float Scale = 1f;
    /// <summary>When not 0, scaled scores s become Softcap·tanh(s / Softcap).</summary>
    public float Softcap;
    /// <summary>The key position at which query 0 stands; query i stands i behind.</summary>
    public int Position;
    /// <summary>How many keys before its own position a query sees.</summary>
    public int Before = int.MaxValue;
    /// <summary>How many keys after its own position a query sees: 0 in causal attention.</summary>
    public int After = int.MaxValue;
}
