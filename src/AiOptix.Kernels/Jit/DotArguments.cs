using System.Runtime.InteropServices;

namespace AiOptix.Kernels.Jit;

/// <summary>The arguments of an int8 product tile; strides and offsets count bytes.</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct DotArguments
{
    /// <summary>A of the first tile's first row and step: unsigned bytes, or signed ones when the tile flips them. Changed by the call.</summary>
    [FieldOffset(At.A)] public byte* A;
    /// <summary>B's panel.</summary>
    [FieldOffset(At.B)] public byte* B;
    /// <summary>C of the first tile. Changed by the call.</summary>
    [FieldOffset(At.C)] public byte* C;
    /// <summary>Where each piece of A lies behind <see cref="A"/>; in the columnwise form followed by where its weights lie behind <see cref="B"/>.</summary>
    [FieldOffset(At.Offsets)] public int* Offsets;
    /// <summary>Pieces, at least 1.</summary>
    [FieldOffset(At.Pieces)] public nint Pieces;
    /// <summary>Steps of a piece, of four terms each, at least 1; 1 in the columnwise form.</summary>
    [FieldOffset(At.Steps)] public nint Steps;
    /// <summary>From a row of A to the next.</summary>
    [FieldOffset(At.AStride)] public nint AStride;
    /// <summary>From a row of C to the next.</summary>
    [FieldOffset(At.CStride)] public nint CStride;
    /// <summary>A bit for each column that is written; read where the tile has a tail.</summary>
    [FieldOffset(At.Tail)] public ulong Tail;
    /// <summary>Tiles, one below the other, at least 1. Changed by the call.</summary>
    [FieldOffset(At.Tiles)] public nint Tiles;
    /// <summary>From a tile to the next in A.</summary>
    [FieldOffset(At.ATile)] public nint ATile;
    /// <summary>From a tile to the next in C.</summary>
    [FieldOffset(At.CTile)] public nint CTile;
    /// <summary>What the sum of a column begins with, in the panel's order.</summary>
    [FieldOffset(At.Bias)] public int* Bias;
    /// <summary>The factor of a column, in the panel's order.</summary>
    [FieldOffset(At.Factors)] public float* Factors;
    /// <summary>float32 results: the addend of a column.</summary>
    [FieldOffset(At.Addends)] public float* Addends;
    /// <summary>What is added to a rounded result.</summary>
    [FieldOffset(At.Zero)] public int Zero;
    /// <summary>The same in both 16-bit halves.</summary>
    [FieldOffset(At.ZeroWords)] public int ZeroWords;
    /// <summary>The least result.</summary>
    [FieldOffset(At.Low)] public int Low;
    /// <summary>The same in both 16-bit halves.</summary>
    [FieldOffset(At.LowWords)] public int LowWords;
    /// <summary>The greatest result.</summary>
    [FieldOffset(At.High)] public int High;
    /// <summary>The same in both 16-bit halves.</summary>
    [FieldOffset(At.HighWords)] public int HighWords;
    /// <summary>0x80808080.</summary>
    [FieldOffset(At.Flip)] public uint Flip;
    /// <summary>0x00ff00ff.</summary>
    [FieldOffset(At.EvenBytes)] public uint EvenBytes;
    /// <summary>What a scaled sum is cut off at before it is rounded: 1e9.</summary>
    [FieldOffset(At.Most)] public float Most;
    /// <summary>−1e9.</summary>
    [FieldOffset(At.Least)] public float Least;
    /// <summary>Memory that will be read soon, the weights of the next panel: each step asks for one line of it. Changed by the call; read unless the form is columnwise, like the next two.</summary>
    [FieldOffset(At.Next)] public byte* Next;
    /// <summary>Where it begins.</summary>
    [FieldOffset(At.NextBegin)] public byte* NextBegin;
    /// <summary>Where it ends.</summary>
    [FieldOffset(At.NextEnd)] public byte* NextEnd;
    /// <summary>Rows of a tile; read by code that is not generated, like what follows.</summary>
    [FieldOffset(At.Rows)] public int Rows;
    /// <summary>Columns of a tile.</summary>
    [FieldOffset(At.Columns)] public int Columns;
    /// <summary>What is stored.</summary>
    [FieldOffset(At.Form)] public DotForm Form;

    /// <summary>Sets the constants.</summary>
    public void SetConstants() => (Flip, EvenBytes, Most, Least) = (0x80808080, 0x00ff00ff, 1e9f, -1e9f);

    /// <summary>Sets what becomes of a rounded result.</summary>
    public void SetRange(int zero, int low, int high)
    {
        (Zero, Low, High) = (zero, low, high);
        (ZeroWords, LowWords, HighWords) = (Twice(zero), Twice(low), Twice(high));
        static int Twice(int value) => (ushort)value | value << 16;
    }

    /// <summary>Sets what will be read soon.</summary>
    public void SetNext(byte* begin, nint bytes)
    {
        Next = NextBegin = begin;
        NextEnd = begin + bytes;
    }

    /// <summary>Where generated code finds the fields.</summary>
    public static class At
    {
        public const int A = 0, B = 8, C = 16, Offsets = 24, Pieces = 32, Steps = 40, AStride = 48, CStride = 56, Tail = 64, Tiles = 72, ATile = 80, CTile = 88, Bias = 96, Factors = 104, Addends = 112;
        public const int Zero = 120, ZeroWords = 124, Low = 128, LowWords = 132, High = 136, HighWords = 140, Flip = 144, EvenBytes = 148, Most = 152, Least = 156, Next = 160, NextBegin = 168, NextEnd = 176, Rows = 184, Columns = 188, Form = 192;
    }
}
