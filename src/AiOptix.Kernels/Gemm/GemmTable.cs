using System.Runtime.CompilerServices;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Gemm;

/// <summary>Every float32 micro-kernel for matrix products, best first; the last row is the scalar reference.</summary>
public static unsafe class GemmTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<GemmKernel> Rows { get; } =
    [
        new("gemm_f32_14x32_avx512_jit", Isa.Avx512 | Isa.Jit, GeneratedTiles.Avx512),
        new("gemm_f32_12x32_avx512", Isa.Avx512, 12, 32, 8, 16, &Tile12x32),
        new("gemm_f32_6x16_avx2_jit", Isa.Avx2 | Isa.Jit, GeneratedTiles.Avx2),
        new("gemm_f32_6x16_avx2", Isa.Avx2, 6, 16, 4, 8, &Tile6x16),
        new("gemm_f32_4x8_v128", Isa.None, 4, 8, 4, 4, &Tile4x8),
        new("gemm_f32_scalar", Isa.None, 1, 1, 1, 1, &NarrowTiles.Tile1x1<V1>),
    ];

    /// <summary>The row of that name.</summary>
    internal static GemmKernel Named(string name)
    {
        for (var i = 0; i < Rows.Count; i++)
            if (Rows[i].Name == name) return Rows[i];
        throw new ArgumentException($"there is no row {name}");
    }

    /// <summary>
    /// The best row that the target can run. It depends on nothing else, so an operand packed for one shape serves every other shape it may be
    /// multiplied with on that target.
    /// </summary>
    public static GemmKernel Select(Target target)
    {
        for (var i = 0; i < Rows.Count; i++)
            if (target.Has(Rows[i].Isa)) return Rows[i];
        return Rows[^1];
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Tile12x32(GemmTile* t)
    {
        if (t->Columns > 24)
        {
            if (t->Rows > 8) WideTiles.Tile12x2<V16>(t);
            else if (t->Rows > 4) WideTiles.Tile8x2<V16>(t);
            else if (t->Rows > 1) WideTiles.Tile4x2<V16>(t);
            else WideTiles.Tile1x2<V16>(t);
            return;
        }
        if (t->Columns > 8)
        {
            if (t->Rows > 8) NarrowTiles.Tile12x1<V16>(t);
            else if (t->Rows > 4) NarrowTiles.Tile8x1<V16>(t);
            else if (t->Rows > 1) NarrowTiles.Tile4x1<V16>(t);
            else NarrowTiles.Tile1x1<V16>(t);
            if (t->Columns <= 16) return;
        }
        var edge = *t;
        if (t->Columns > 16)
        {
            edge.B += 16;
            edge.C += 16;
        }
        if (t->Rows > 8) NarrowTiles.Tile12x1<V8>(&edge);
        else if (t->Rows > 4) NarrowTiles.Tile8x1<V8>(&edge);
        else if (t->Rows > 1) NarrowTiles.Tile4x1<V8>(&edge);
        else NarrowTiles.Tile1x1<V8>(&edge);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Tile6x16(GemmTile* t)
    {
        if (t->Columns > 12)
        {
            if (t->Rows > 4) WideTiles.Tile6x2<V8>(t);
            else if (t->Rows > 1) WideTiles.Tile4x2<V8>(t);
            else WideTiles.Tile1x2<V8>(t);
            return;
        }
        if (t->Columns > 4)
        {
            if (t->Rows > 4) NarrowTiles.Tile6x1<V8>(t);
            else if (t->Rows > 1) NarrowTiles.Tile4x1<V8>(t);
            else NarrowTiles.Tile1x1<V8>(t);
            if (t->Columns <= 8) return;
        }
        var edge = *t;
        if (t->Columns > 8)
        {
            edge.B += 8;
            edge.C += 8;
        }
        if (t->Rows > 4) NarrowTiles.Tile6x1<V4>(&edge);
        else if (t->Rows > 1) NarrowTiles.Tile4x1<V4>(&edge);
        else NarrowTiles.Tile1x1<V4>(&edge);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Tile4x8(GemmTile* t)
    {
        if (t->Columns > 4)
        {
            if (t->Rows > 1) WideTiles.Tile4x2<V4>(t);
            else WideTiles.Tile1x2<V4>(t);
        }
        else
        {
            if (t->Rows > 1) NarrowTiles.Tile4x1<V4>(t);
            else NarrowTiles.Tile1x1<V4>(t);
        }
    }

    /// <summary>Runs a row's micro-kernel for the tiles that a product of the given size is cut into, so that their code is compiled before a run needs it.</summary>
    /// <param name="row">The row.</param>
    /// <param name="rows">Rows of the product; 0 when they are not known.</param>
    /// <param name="columns">Columns of the product; 0 when they are not known.</param>
    internal static void RehearseTiles(GemmKernel row, int rows, int columns)
    {
        if (row.Generated is not null) return;
        using var memory = new RehearsalMemory();
        GemmTile tile = default;
        tile.A = memory.Floats(row.Mr);
        tile.B = memory.Floats(row.Nr);
        tile.C = memory.Floats(row.Mr * row.Nr);
        (tile.K, tile.AStride, tile.BStride, tile.Ldc) = (1, row.Mr, row.Nr, row.Nr);
        for (tile.Rows = 1; tile.Rows <= row.Mr; tile.Rows++)
            for (tile.Columns = 1; tile.Columns <= row.Nr; tile.Columns++)
                if (Occurs(tile.Rows, rows, row.Mr) && Occurs(tile.Columns, columns, row.Nr)) row.Tile(&tile);
    }

    private static bool Occurs(int part, int whole, int most) => whole == 0 || (part == most && whole >= most) || part == whole % most;
}
