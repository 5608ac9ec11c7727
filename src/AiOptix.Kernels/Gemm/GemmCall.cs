using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Gemm;

/// <summary>
/// The operands of one run of a <see cref="GemmPlan"/>. Strides count floats; a batch stride of 0 repeats an operand. No alignment is needed.
/// C must not overlap any other operand, the residual included: partial sums pass through it.
/// </summary>
public unsafe struct GemmCall
{
    /// <summary>A call with neutral factors.</summary>
    public GemmCall() { }

    /// <summary>A, or its packed form.</summary>
    public float* A;
    /// <summary>From a row of A to the next; not used when A is packed.</summary>
    public nint ARowStride;
    /// <summary>From a column of A to the next; not used when A is packed.</summary>
    public nint AColumnStride = 1;
    /// <summary>From an outer batch of A to the next.</summary>
    public nint ABatchStride1;
    /// <summary>From an inner batch of A to the next.</summary>
    public nint ABatchStride2;
    /// <summary>B, or its packed form.</summary>
    public float* B;
    /// <summary>From a row of B to the next; not used when B is packed.</summary>
    public nint BRowStride;
    /// <summary>From a column of B to the next; not used when B is packed.</summary>
    public nint BColumnStride = 1;
    /// <summary>From an outer batch of B to the next.</summary>
    public nint BBatchStride1;
    /// <summary>From an inner batch of B to the next.</summary>
    public nint BBatchStride2;
    /// <summary>The result; its columns are adjacent.</summary>
    public float* C;
    /// <summary>From a row of C to the next.</summary>
    public nint CRowStride;
    /// <summary>From an outer batch of C to the next.</summary>
    public nint CBatchStride1;
    /// <summary>From an inner batch of C to the next.</summary>
    public nint CBatchStride2;
    /// <summary>M floats to add to the rows, or null.</summary>
    public float* RowBias;
    /// <summary>N floats to add to the columns, or null.</summary>
    public float* ColumnBias;
    /// <summary>A matrix to add after the biases, or null; its columns are adjacent.</summary>
    public float* Residual;
    /// <summary>From a row of the residual to the next; 0 repeats one row.</summary>
    public nint ResidualRowStride;
    /// <summary>From an outer batch of the residual to the next.</summary>
    public nint ResidualBatchStride1;
    /// <summary>From an inner batch of the residual to the next.</summary>
    public nint ResidualBatchStride2;
    /// <summary>The factor of the product.</summary>
    public float Alpha = 1f;
    /// <summary>Applied last: C = activation(Alpha·A·B + biases + residual).</summary>
    public Activation Activation;
    /// <summary>Parameters of the activation.</summary>
    public ActivationArgs Args;
    /// <summary>
    /// Whether tasks, and the panels of a packed B that a single row meets, go from the last to the first. Products that follow each other over one B and take turns at it find in the caches what the one
    /// before read last. The bits of C do not depend on it.
    /// </summary>
    public bool Backwards;
}
