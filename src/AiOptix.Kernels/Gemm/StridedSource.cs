using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Gemm;

/// <summary>A B operand in memory at any strides, as a <see cref="GemmBlock"/> reads it.</summary>
internal unsafe struct StridedSource
{
    /// <summary>Its first element.</summary>
    public float* First;
    /// <summary>Floats from a row (a step of K) to the next.</summary>
    public nint RowStride;
    /// <summary>Floats from a column to the next.</summary>
    public nint ColumnStride;

    /// <summary>Packs steps k0…k0 + steps − 1 of columns column0…column1 − 1 into panels; see <see cref="GemmBlock.PackB"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Pack(void* source, nint k0, nint steps, int column0, int column1, float* panels, int width)
    {
        var b = (StridedSource*)source;
        var from = b->First + k0 * b->RowStride;
        if (b->ColumnStride == 1)
        {
            PanelPack.Rows(from + column0, b->RowStride, column1 - column0, width, steps, panels);
            return;
        }
        for (var column = column0; column < column1; column += width)
        {
            PanelPack.Run(from + column * b->ColumnStride, b->ColumnStride, b->RowStride, Math.Min(width, column1 - column), width, steps, panels);
            panels += steps * width;
        }
    }
}
