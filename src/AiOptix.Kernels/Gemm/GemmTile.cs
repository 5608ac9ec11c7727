using System.Runtime.CompilerServices;

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
    /// <summary>
    /// Null, or for each step but the first how many floats its columns lie behind those of the step before, instead of <see cref="BStride"/>; one more than the last is read.
    /// </summary>
    public int* BOffsets;
    /// <summary>Floats between two rows of <see cref="C"/>.</summary>
    public nint Ldc;
    /// <summary>Rows wanted, 1 to the kernel's tile height. More may be written, see <see cref="GemmKernel.IsWhole"/>.</summary>
    public int Rows;
    /// <summary>Columns wanted, 1 to the kernel's tile width. More may be written, see <see cref="GemmKernel.IsWhole"/>.</summary>
    public int Columns;
    /// <summary>True to add to C, false to overwrite it.</summary>
    public bool Accumulate;

    /// <summary>The columns of the next step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float* Step(float* b, nint stride, ref int* offsets) => offsets == null ? b + stride : b + *offsets++;
}
