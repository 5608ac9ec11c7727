namespace AiOptix.Kernels.Jit;

/// <summary>An instruction over vectors: opcode, opcode map (1 is 0F, 2 is 0F38, 3 is 0F3A), prefix (1 is 66, 2 is F3, 3 is F2) and whether memory gives one float.</summary>
internal readonly record struct VectorOp(byte Opcode, byte Map = 1, byte Prefix = 0, bool IsScalarMemory = false)
{
    /// <summary>The W bit.</summary>
    public bool IsW1 { get; init; }

    /// <summary>How many times memory is narrower than the vector: 1, 2 or 4.</summary>
    public int Narrowing { get; init; } = 1;

    public static readonly VectorOp Load = new(0x10), Store = new(0x11), Move = new(0x28);
    public static readonly VectorOp Xor = new(0x57), And = new(0x54), AndNot = new(0x55), Or = new(0x56);
    public static readonly VectorOp Add = new(0x58), Multiply = new(0x59), Subtract = new(0x5c), Min = new(0x5d), Divide = new(0x5e), Max = new(0x5f);
    public static readonly VectorOp Broadcast = new(0x18, 2, 1, IsScalarMemory: true);

    /// <summary>first = second·third + first.</summary>
    public static readonly VectorOp MultiplyAdd231 = new(0xb8, 2, 1);

    /// <summary>first = second·first + third.</summary>
    public static readonly VectorOp MultiplyAdd213 = new(0xa8, 2, 1);

    /// <summary>first = first·third + second.</summary>
    public static readonly VectorOp MultiplyAdd132 = new(0x98, 2, 1);

    /// <summary>first = √third.</summary>
    public static readonly VectorOp Sqrt = new(0x51);

    /// <summary>512-bit: first = second·2^third.</summary>
    public static readonly VectorOp Scale = new(0x2c, 2, 1);

    /// <summary>512-bit, with an immediate: first = third as an integer, 0 for the nearest, 1 for the one below.</summary>
    public static readonly VectorOp Round = new(0x08, 3, 1);

    /// <summary>512-bit: first = third in the lanes of the mask, second in the others.</summary>
    public static readonly VectorOp Choose = new(0x65, 2, 1);

    public static readonly VectorOp MaskedLoad = new(0x2c, 2, 1), MaskedStore = new(0x2e, 2, 1);
    public static readonly VectorOp Compare = new(0xc2), Blend = new(0x4a, 3, 1);

    /// <summary>first += Σ of four products of unsigned bytes of second and signed bytes of third, a 32-bit lane each (VNNI).</summary>
    public static readonly VectorOp DotBytes = new(0x50, 2, 1);

    /// <summary>first = Σ of two products of 16-bit numbers of second and third, a 32-bit lane each.</summary>
    public static readonly VectorOp DotWords = new(0xf5, 1, 1);

    public static readonly VectorOp AddInts = new(0xfe, 1, 1), SubtractInts = new(0xfa, 1, 1), AddWordsSaturated = new(0xed, 1, 1), MaxInts = new(0x3d, 2, 1), MinInts = new(0x39, 2, 1), MaxWords = new(0xee, 1, 1), MinWords = new(0xea, 1, 1);
    public static readonly VectorOp AndBits = new(0xdb, 1, 1), XorBits = new(0xef, 1, 1), ToFloats = new(0x5b), ToInts = new(0x5b, 1, 1);

    /// <summary>Narrowing with saturation, 128 bits at a time: first those of second, then those of third.</summary>
    public static readonly VectorOp PackInts = new(0x6b, 1, 1), PackWordsUnsigned = new(0x67, 1, 1), PackWordsSigned = new(0x63, 1, 1);

    /// <summary>512-bit: the lower bytes of 16-bit or 32-bit lanes to memory.</summary>
    public static readonly VectorOp StoreBytesOfWords = new(0x30, 2, 2) { Narrowing = 2 }, StoreBytesOfInts = new(0x31, 2, 2) { Narrowing = 4 };

    /// <summary>512-bit: bytes to memory, under a mask of bytes.</summary>
    public static readonly VectorOp StoreBytes = new(0x7f, 1, 3);
}

/// <summary>
/// Instructions over vectors: 512-bit ones in the EVEX encoding, with a mask register where asked for, 256-bit and 128-bit ones in the VEX encoding. The first operand
/// is the register field, the second the one that prefixes hold, the third register or memory.
/// </summary>
internal sealed partial class X64Encoder(int vectorBytes)
{
    private const int Zmm = 64, Ymm = 32;

    /// <summary>Bytes of a vector: 64 or 32.</summary>
    public int VectorBytes { get; } = vectorBytes;

    /// <summary>A vector instruction over registers.</summary>
    public void Vector(VectorOp op, int first, int second, int third, int mask = 0)
    {
        if (VectorBytes == Zmm) Evex(op, first, second, third >> 3 & 1, third >> 4 & 1, mask, isBroadcast: false);
        else Vex(op, first, second, third >> 3 & 1, 0, VectorBytes);
        Byte(op.Opcode);
        Byte(Rm | Low(first) << 3 | Low(third));
    }

    /// <summary>A vector instruction with its last operand in memory.</summary>
    /// <param name="op">The instruction.</param>
    /// <param name="first">The first register.</param>
    /// <param name="second">The second register; 0 when the instruction has none.</param>
    /// <param name="memory">The last operand; at any address.</param>
    /// <param name="mask">The mask register of a 512-bit instruction; 0 for none.</param>
    /// <param name="isZeroing">Lanes outside the mask become zero.</param>
    /// <param name="isBroadcast">Memory holds one float for all lanes (512-bit instructions only).</param>
    public void Vector(VectorOp op, int first, int second, Mem memory, int mask = 0, bool isZeroing = false, bool isBroadcast = false)
    {
        int b = (int)memory.Base >> 3, x = memory.Index == Gpr.Rsp ? 0 : (int)memory.Index >> 3;
        if (VectorBytes == Zmm) Evex(op, first, second, b, x, mask, isBroadcast, isZeroing);
        else Vex(op, first, second, b, x, VectorBytes);
        Byte(op.Opcode);
        ModRm(first, memory, VectorBytes == Ymm ? 1 : isBroadcast || op.IsScalarMemory ? sizeof(float) : Zmm / op.Narrowing);
    }

    /// <summary>A comparison: of 512-bit vectors into a mask register, of 256-bit ones into a vector.</summary>
    public void CompareLess(int to, int a, int b)
    {
        const int lessThan = 1;
        Vector(VectorOp.Compare, to, a, b);
        Byte(lessThan);
    }

    /// <summary>256-bit: the lanes of <paramref name="yes"/> where the sign of <paramref name="choice"/> is set, else those of <paramref name="no"/>.</summary>
    public void Blend(int to, int no, int yes, int choice)
    {
        Vector(VectorOp.Blend, to, no, yes);
        Byte(choice << 4);
    }

    /// <summary>The immediate behind an instruction that has one.</summary>
    public void Immediate(int value) => Byte(value);

    /// <summary>32-bit lanes shifted: to the left, or to the right with copies of the sign.</summary>
    public void ShiftInts(int to, int from, int bits, bool isLeft)
    {
        Vector(new(0x72, 1, 1), isLeft ? 6 : 4, to, from);
        Byte(bits);
    }

    /// <summary>16-bit lanes shifted to the right, zeros from the left.</summary>
    public void ShiftWordsRight(int to, int from, int bits)
    {
        Vector(new(0x71, 1, 1), 2, to, from);
        Byte(bits);
    }

    /// <summary>256-bit: the first and the third quarter side by side.</summary>
    public void JoinEvenQuarters(int to, int from)
    {
        Vector(new(0x00, 3, 1) { IsW1 = true }, to, 0, from);
        Byte(0x08);
    }

    /// <summary>Stores or loads the lower 128 bits of a register.</summary>
    public void Lower(VectorOp op, int register, Mem memory)
    {
        const int xmm = 16;
        Vex(op, register, 0, (int)memory.Base >> 3, 0, xmm);
        Byte(op.Opcode);
        ModRm(register, memory, 1);
    }

    /// <summary>A mask register from a 64-bit number in memory.</summary>
    public void LoadLongMask(int mask, Mem from)
    {
        Vex(new(0x90) { IsW1 = true }, mask, 0, (int)from.Base >> 3, 0, 16);
        Byte(0x90);
        ModRm(mask, from, 1);
    }

    /// <summary>A mask register from the lower 16 bits of a number in memory.</summary>
    public void LoadMask(int mask, Mem from)
    {
        Vex(new(0x90), mask, 0, (int)from.Base >> 3, 0, 16);
        Byte(0x90);
        ModRm(mask, from, 1);
    }

    /// <summary>Ends the use of wide vectors.</summary>
    public void ZeroUpper()
    {
        Byte(0xc5);
        Byte(0xf8);
        Byte(0x77);
    }

    // C4, then inverted register bits and map, then inverted second register, length and prefix.
    private void Vex(VectorOp op, int first, int second, int b, int x, int bytesOfVector)
    {
        Byte(0xc4);
        Byte((~first >> 3 & 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | op.Map);
        Byte((op.IsW1 ? 0x80 : 0) | (~second & 15) << 3 | (bytesOfVector == Ymm ? 4 : 0) | op.Prefix);
    }

    // 62, then the same with a fourth register bit, and last zeroing, length, broadcast, the second register's last bit, mask.
    private void Evex(VectorOp op, int first, int second, int b, int x, int mask, bool isBroadcast, bool isZeroing = false)
    {
        const int length512 = 0x40;
        Byte(0x62);
        Byte((~first >> 3 & 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (~first >> 4 & 1) << 4 | op.Map);
        Byte((op.IsW1 ? 0x80 : 0) | (~second & 15) << 3 | 4 | op.Prefix);
        Byte((isZeroing ? 0x80 : 0) | length512 | (isBroadcast ? 0x10 : 0) | (~second >> 4 & 1) << 3 | mask);
    }
}
