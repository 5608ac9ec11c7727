using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Jit;

/// <summary>
/// The generated product tiles of one vector width: 1 to <see cref="TileSet.Height"/> rows by one or two vectors, of which the last may be partly used. A tile is generated when a plan first
/// asks for it and stays: their number does not depend on the shapes that a process meets.
/// </summary>
internal sealed unsafe class GeneratedTiles
{
    private readonly int vectorBytes;
    private readonly GeneratedKernel?[] kernels;

    private GeneratedTiles(int vectorBytes, int height)
    {
        this.vectorBytes = vectorBytes;
        kernels = new GeneratedKernel?[TileSet.Count(height)];
        // As long as the process, like the table of kernels that holds this object.
        Set = new((nint*)NativeMemory.AllocZeroed((nuint)kernels.Length, (nuint)sizeof(nint)), height, vectorBytes / sizeof(float));
    }

    /// <summary>14 rows by two vectors of 64 bytes.</summary>
    public static GeneratedTiles Avx512 { get; } = new(64, 14);

    /// <summary>6 rows by two vectors of 32 bytes.</summary>
    public static GeneratedTiles Avx2 { get; } = new(32, 6);

    /// <summary>The tiles, to run those that were made ready.</summary>
    public TileSet Set { get; }

    /// <summary>Makes the tile of a size ready; any number of threads may ask at once.</summary>
    /// <exception cref="LimitExceededException">The system grants no memory for it.</exception>
    public void Prepare(TileForm form, int rows, int columns)
    {
        var i = Set.Index(form, rows, columns);
        if (kernels[i] is not null) return;
        var kernel = CodeCache.Shared.Get(new TileCode(vectorBytes, rows, (columns + Set.Lanes - 1) / Set.Lanes, columns % Set.Lanes != 0, form));
        Volatile.Write(ref Set.Addresses[i], kernel.Address);
        Volatile.Write(ref kernels[i], kernel);
    }

    /// <summary>Makes the tiles ready that a product of a size is cut into where A needs no panels; see <see cref="Gemm.GemmKernel.RowsAStrip"/>.</summary>
    /// <param name="rows">Rows of the product.</param>
    /// <param name="most">Rows of the highest tile.</param>
    /// <param name="columns">Columns of the product.</param>
    public void PrepareEven(int rows, int most, int columns)
    {
        var height = Gemm.GemmKernel.RowsAStrip(rows, most);
        foreach (var form in (TileForm[])[TileForm.Adjacent, TileForm.Strided])
            for (var lower = rows % height == 0 ? height : Math.Max(1, height - 1); lower <= height; lower++)
                if (rows > 0) Prepare(form, lower, lower, columns);
    }

    /// <summary>Makes the tiles ready that a product of a size is cut into.</summary>
    /// <param name="form">How A lies in memory.</param>
    /// <param name="rows">Rows of the product.</param>
    /// <param name="rowsAStrip">Rows of a tile, the last may have fewer.</param>
    /// <param name="columns">Columns of the product.</param>
    public void Prepare(TileForm form, int rows, int rowsAStrip, int columns)
    {
        foreach (var height in (int[])[Math.Min(rows, rowsAStrip), rows % rowsAStrip])
            foreach (var width in (int[])[Math.Min(columns, Set.Width), columns % Set.Width])
                if (height > 0 && width > 0) Prepare(form, height, width);
    }
}

/// <summary>Generated tiles by form and size.</summary>
/// <param name="addresses">Their functions; 0 where one was not made ready.</param>
/// <param name="height">Rows of the highest tile.</param>
/// <param name="lanes">Lanes of a vector.</param>
internal readonly unsafe struct TileSet(nint* addresses, int height, int lanes)
{
    /// <summary>Vectors of the widest tile.</summary>
    public const int Vectors = 2;

    private const int Forms = 3, MaskLanes = 8;

    /// <summary>Their functions; 0 where one was not made ready.</summary>
    public nint* Addresses { get; } = addresses;

    /// <summary>Rows of the highest tile; 0 when there is none.</summary>
    public int Height { get; } = height;

    /// <summary>Lanes of a vector, a power of two.</summary>
    public int Lanes { get; } = lanes;

    /// <summary>Columns of the widest tile, and of a panel of B.</summary>
    public int Width => Vectors * Lanes;

    // Constant data of the program, which does not move.
    private static ReadOnlySpan<int> Masks => [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>Tiles of nearly one height for a number of rows: how many, the height of most, and how many are a row higher.</summary>
    public (int Count, int Height, int Higher) Cut(int rows)
    {
        var count = (rows + Height - 1) / Height;
        return (count, rows / count, rows % count);
    }

    /// <summary>The tiles that there are.</summary>
    public static int Count(int height) => Forms * height * Vectors * 2;

    /// <summary>The place of a tile.</summary>
    public int Index(TileForm form, int rows, int columns) => (((int)form * Height + rows - 1) * Vectors + (columns > Lanes ? 1 : 0)) * 2 + (Used(columns) == 0 ? 0 : 1);

    /// <summary>What <see cref="TileArguments.Tail"/> is for some columns that are no whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint TailOf(int columns)
    {
        var used = Used(columns);
        return Lanes > MaskLanes ? (1 << used) - 1 : (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Masks)) + (MaskLanes - used) * sizeof(int);
    }

    // Columns of a vector that is partly used: a division would take as long as some steps of a sum.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Used(int columns) => columns & (Lanes - 1);

    /// <summary>Runs a tile that was made ready.</summary>
    /// <param name="form">How A lies in memory.</param>
    /// <param name="rows">Rows of a tile.</param>
    /// <param name="columns">Columns of a tile.</param>
    /// <param name="arguments">The rest.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run(TileForm form, int rows, int columns, TileArguments* arguments)
    {
        if (Used(columns) != 0) arguments->Tail = TailOf(columns);
        ((delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>)Addresses[Index(form, rows, columns)])(arguments);
    }

    /// <summary>Runs tiles of one height that lie below each other; A, C and residual then point behind the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void RunLine(TileForm form, int tiles, int rows, int columns, TileArguments* arguments)
    {
        arguments->Tiles = tiles;
        (arguments->ATile, arguments->CTile, arguments->ResidualTile) = (rows * arguments->AStride, rows * arguments->CStride, rows * arguments->ResidualStride);
        Run(form, rows, columns, arguments);
    }
}
