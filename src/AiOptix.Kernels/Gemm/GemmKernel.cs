using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Gemm;

/// <summary>A row of <see cref="GemmTable"/>: a micro-kernel over packed panels and the tile it computes.</summary>
public readonly unsafe struct GemmKernel
{
    internal GemmKernel(string name, Isa isa, int mr, int nr, int columnStep, int vectorWidth, delegate*<GemmTile*, void> tile)
    {
        Name = name;
        Isa = isa;
        Mr = mr;
        Nr = nr;
        ColumnStep = columnStep;
        VectorWidth = vectorWidth;
        Tile = tile;
    }

    internal GemmKernel(string name, Isa isa, GeneratedTiles tiles) : this(name, isa, tiles.Set.Height, tiles.Set.Width, 1, tiles.Set.Lanes, null) => Generated = tiles;

    /// <summary>The specification in short: operation, type, tile, instruction set.</summary>
    public string Name { get; }

    /// <summary>Instruction sets it needs.</summary>
    public Isa Isa { get; }

    /// <summary>Rows of a tile, and of an A panel.</summary>
    public int Mr { get; }

    /// <summary>Columns of a tile, and of a B panel.</summary>
    public int Nr { get; }

    /// <summary>The micro-kernel writes columns in multiples of this.</summary>
    public int ColumnStep { get; }

    /// <summary>Lanes of the vectors it works with (1, 4, 8 or 16).</summary>
    public int VectorWidth { get; }

    /// <summary>The micro-kernel; null for generated ones.</summary>
    public delegate*<GemmTile*, void> Tile { get; }

    /// <summary>The generated micro-kernels, which write tiles of any size exactly, read A in place and hold the epilogue; null for others.</summary>
    internal GeneratedTiles? Generated { get; }

    /// <summary>True when its packed B of K rows may be compact.</summary>
    public bool CanCompact(int k) => k >= CompactPanels.FewestSteps && (long)k * Nr <= int.MaxValue && Nr == 2 * VectorWidth && GemvTable.For(VectorWidth).Compact != null;

    /// <summary>True when a tile of that size is written exactly; otherwise it goes through the spill area of Mr × Nr floats.</summary>
    public bool IsWhole(int rows, int columns) => (rows == Mr || rows == 1 || rows % 4 == 0) && columns % ColumnStep == 0;

    /// <summary>Rows of the next tile where A needs no panels: as many tiles as must be, none more than a row higher than another.</summary>
    /// <param name="rows">Rows that are left.</param>
    /// <param name="mr">Rows of the highest tile.</param>
    internal static int RowsAStrip(int rows, int mr)
    {
        var strips = Math.Max(1, (rows + mr - 1) / mr);
        return Math.Max(1, (rows + strips - 1) / strips);
    }

    /// <summary>The epilogue for that activation at this kernel's vector width.</summary>
    internal delegate*<EpilogueTile*, void> EpilogueFor(Activation activation) => Epilogue.Select(activation, VectorWidth);
}
