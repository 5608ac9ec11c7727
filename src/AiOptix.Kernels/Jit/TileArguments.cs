using System.Runtime.InteropServices;

namespace AiOptix.Kernels.Jit;

/// <summary>What a product tile does besides the product.</summary>
[Flags]
internal enum TileFlags
{
    /// <summary>Overwrite C with the product.</summary>
    None = 0,
    /// <summary>Start from the sums in C.</summary>
    Accumulate = 1,
    /// <summary>Multiply by <see cref="TileArguments.Alpha"/> and add the rows' addends, or −0 where there are none, with one rounding.</summary>
    Scale = 2,
    /// <summary>Add one number a column.</summary>
    ColumnBias = 4,
    /// <summary>Add a matrix.</summary>
    Residual = 8,
    /// <summary>max(x, 0).</summary>
    Relu = 16,
    /// <summary>x·First where x &lt; 0.</summary>
    Leaky = 32,
    /// <summary>x limited to First…Second.</summary>
    Clip = 64,
    /// <summary>Call <see cref="TileArguments.Function"/>.</summary>
    Function = 128,
}

/// <summary>The arguments of a generated product tile; strides count bytes.</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct TileArguments
{
    /// <summary>A of the first tile's first row and step. Changed by the call.</summary>
    [FieldOffset(At.A)] public byte* A;
    /// <summary>B's panel.</summary>
    [FieldOffset(At.B)] public byte* B;
    /// <summary>C of the first tile. Changed by the call.</summary>
    [FieldOffset(At.C)] public byte* C;
    /// <summary>Where each piece of A lies behind <see cref="A"/>, in floats; see <see cref="TileForm"/>. One piece at 0 for a plain product. Of a depthwise tile each is followed by where its weights lie behind <see cref="B"/>.</summary>
    [FieldOffset(At.Offsets)] public int* Offsets;
    /// <summary>Pieces; none gives a sum of 0.</summary>
    [FieldOffset(At.Pieces)] public nint Pieces;
    /// <summary>Steps of a piece; step k of piece p meets row p·Steps + k of B.</summary>
    [FieldOffset(At.Steps)] public nint Steps;
    /// <summary>From a row of A to the next, or from a step to the next, bytes; see <see cref="TileForm"/>.</summary>
    [FieldOffset(At.AStride)] public nint AStride;
    /// <summary>From a step of B to the next; of a depthwise tile, from a panel to the next.</summary>
    [FieldOffset(At.BStride)] public nint BStride;
    /// <summary>From a row of C to the next.</summary>
    [FieldOffset(At.CStride)] public nint CStride;
    /// <summary><see cref="TileFlags"/>.</summary>
    [FieldOffset(At.Flags)] public nint Flags;
    /// <summary>The columns of the last vector: 512-bit, a bit a lane; 256-bit, the address of eight numbers whose sign chooses.</summary>
    [FieldOffset(At.Tail)] public nint Tail;
    /// <summary>One addend a row.</summary>
    [FieldOffset(At.RowBias)] public byte* RowBias;
    /// <summary>From an addend to the next; 0 for one addend for all.</summary>
    [FieldOffset(At.RowBiasStride)] public nint RowBiasStride;
    /// <summary>One addend a column.</summary>
    [FieldOffset(At.ColumnBias)] public byte* ColumnBias;
    /// <summary>The matrix to add. Changed by the call.</summary>
    [FieldOffset(At.Residual)] public byte* Residual;
    /// <summary>From a row of it to the next.</summary>
    [FieldOffset(At.ResidualStride)] public nint ResidualStride;
    /// <summary>Tiles, one below the other, or of a depthwise tile vectors of channels; at least 1. Changed by the call.</summary>
    [FieldOffset(At.Tiles)] public nint Tiles;
    /// <summary>From a tile to the next in A.</summary>
    [FieldOffset(At.ATile)] public nint ATile;
    /// <summary>From a tile to the next in C.</summary>
    [FieldOffset(At.CTile)] public nint CTile;
    /// <summary>From a tile to the next in the residual.</summary>
    [FieldOffset(At.ResidualTile)] public nint ResidualTile;
    /// <summary>The factor of the product.</summary>
    [FieldOffset(At.Alpha)] public float Alpha;
    /// <summary>The first parameter of the activation.</summary>
    [FieldOffset(At.First)] public float First;
    /// <summary>The second one.</summary>
    [FieldOffset(At.Second)] public float Second;
    /// <summary>The addend that changes nothing: −0.</summary>
    [FieldOffset(At.Nothing)] public float Nothing;

    /// <summary>The code of an activation; see <see cref="TileActivation"/>.</summary>
    [FieldOffset(At.Function)] public nint Function;
    /// <summary>The numbers that it reads.</summary>
    [FieldOffset(At.Numbers)] public nint Numbers;

    /// <summary>Where else to ask for memory ahead: bytes from B on; 0 asks for B itself.</summary>
    [FieldOffset(At.Elsewhere)] public nint Elsewhere;
    /// <summary>How far ahead of each piece of A to ask for as many bytes as the tile reads of B, in place of B's; 0 for none.</summary>
    [FieldOffset(At.AheadOfA)] public nint AheadOfA;

    /// <summary>The panel that B is packed to, steps a whole tile's width apart; see <see cref="TileForm.Packing"/>.</summary>
    [FieldOffset(At.Panel)] public byte* Panel;

    /// <summary>Where generated code finds the fields.</summary>
    public static class At
    {
        public const int A = 0, B = 8, C = 16, Offsets = 24, Pieces = 32, Steps = 40, AStride = 48, BStride = 56, CStride = 64, Flags = 72, Tail = 80;
        public const int RowBias = 88, RowBiasStride = 96, ColumnBias = 104, Residual = 112, ResidualStride = 120, Tiles = 128, ATile = 136, CTile = 144, ResidualTile = 152, Alpha = 160, First = 164, Second = 168, Nothing = 172;
        public const int Function = 176, Numbers = 184, Elsewhere = 192, AheadOfA = 200, Panel = 208;
    }
}
