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
    /// <summary>Strides of <see cref="Mask"/>; position is the query, element the key.</summary>
    public HeadStrides MaskStrides;
    /// <summary>The factor of the scores, usually 1/√Width.</summary>
    public float Scale = 1f;
    /// <summary>True to hide key j from query i where j &gt; i + <see cref="CausalOffset"/>.</summary>
    public bool Causal;
    /// <summary>How many keys query 0 sees beyond the first: 0 aligns the corner of the mask top left, Keys − Queries bottom right.</summary>
    public int CausalOffset;
}
