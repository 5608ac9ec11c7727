namespace AiOptix.Kernels.Gemm;

/// <summary>The argument of a micro-kernel: one tile of C, one K block of its panels.</summary>
public unsafe struct GemmTile
{
    /// <summary>A panel: step k holds <see cref="AStride"/> floats, one a row.</summary>
    public float* A;
    /// <summary>B panel: step k holds the tile's columns, <see cref="BStride"/> floats after those of k − 1.</summary>
    public float* B;
    /// <summary>The tile's first element.</summary>
    public float* C;
    /// <summary>Steps.</summary>
    public nint K;
    /// <summary>Floats between two steps of <see cref="A"/>.</summary>
    public nint AStride;
    /// <summary>Floats between two steps of <see cref="B"/>.</summary>
    public nint BStride;
    /// <summary>Floats between two rows of <see cref="C"/>.</summary>
    public nint Ldc;
    /// <summary>Rows wanted, 1 to the kernel's tile height. More may be written, see <see cref="GemmKernel.IsWhole"/>.</summary>
    public int Rows;
    /// <summary>Columns wanted, 1 to the kernel's tile width. More may be written, see <see cref="GemmKernel.IsWhole"/>.</summary>
    public int Columns;
    /// <summary>True to add to C, false to overwrite it.</summary>
    public bool Accumulate;
}
