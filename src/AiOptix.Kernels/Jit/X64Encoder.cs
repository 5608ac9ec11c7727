using System.Buffers.Binary;

namespace AiOptix.Kernels.Jit;

/// <summary>The general registers, numbered as instructions number them.</summary>
internal enum Gpr : byte
{
    Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15,
}

/// <summary>An address: base + index·scale + displacement.</summary>
internal readonly record struct Mem(Gpr Base, int Displacement = 0)
{
    /// <summary>The index; <see cref="Gpr.Rsp"/>, which can be none, stands for none.</summary>
    public Gpr Index { get; init; } = Gpr.Rsp;

    /// <summary>The binary logarithm of the index's factor, 0 to 3.</summary>
    public int Scale { get; init; }
}

/// <summary>A place in the code; jumps to it may be written before it is set.</summary>
internal sealed class Label
{
    public int Position { get; set; } = -1;

    public List<int> Uses { get; } = [];
}

/// <summary>
/// Writes x64 machine code: the instructions that generated kernels use, as the AMD64 and AVX-512 manuals encode them. This half writes general
/// instructions; the other half those over vectors.
/// </summary>
internal sealed partial class X64Encoder
{
    private const int Rm = 0xc0;

    private byte[] bytes = new byte[4096];
    private int length;

    /// <summary>What was written; every label must be set.</summary>
    public ReadOnlySpan<byte> Code => bytes.AsSpan(0, length);

    public void Set(Label label)
    {
        label.Position = length;
        foreach (var use in label.Uses) Patch(use, label);
    }

    public void Jump(Label target)
    {
        Byte(0xe9);
        Relative(target);
    }

    public void JumpIfZero(Label target) => JumpIf(0x84, target);

    public void JumpIfNotZero(Label target) => JumpIf(0x85, target);

    /// <summary>After a subtraction of signed numbers that gave a negative one.</summary>
    public void JumpIfLess(Label target) => JumpIf(0x8c, target);

    /// <summary>After a subtraction of signed numbers that gave none.</summary>
    public void JumpIfNotLess(Label target) => JumpIf(0x8d, target);

    /// <summary>Asks for a line to be brought into the first-level cache; does nothing where there is no such memory.</summary>
    public void Prefetch(Mem line) => Prefetch(line, 1);

    /// <summary>The same, into the second-level cache only.</summary>
    public void PrefetchFar(Mem line) => Prefetch(line, 2);

    private void Prefetch(Mem line, int level)
    {
        Byte(0x40 | ((int)line.Index >> 3) << 1 | (int)line.Base >> 3);
        Byte(0x0f);
        Byte(0x18);
        ModRm(level, line, 1);
    }

    /// <summary>Calls what memory points to.</summary>
    public void Call(Mem target) => General(0xff, 2, target);

    public void Return() => Byte(0xc3);

    public void Push(Gpr register) => Stack(0x50, register);

    public void Pop(Gpr register) => Stack(0x58, register);

    public void Move(Gpr to, Gpr from) => General(0x8b, (int)to, from);

    /// <summary>A 32-bit number, extended with zeros.</summary>
    public void Move(Gpr to, int value)
    {
        if (to >= Gpr.R8) Byte(0x41);
        Byte(0xb8 | Low((int)to));
        Int32(value);
    }

    public void Load(Gpr to, Mem from) => General(0x8b, (int)to, from);

    /// <summary>A signed 32-bit number from memory.</summary>
    public void LoadInt32(Gpr to, Mem from) => General(0x63, (int)to, from);

    public void Store(Mem to, Gpr from) => General(0x89, (int)from, to);

    public void Address(Gpr to, Mem address) => General(0x8d, (int)to, address);

    public void Add(Gpr to, Gpr addend) => General(0x03, (int)to, addend);

    public void Add(Gpr to, Mem addend) => General(0x03, (int)to, addend);

    public void Add(Gpr to, int addend)
    {
        if (addend == 0) return;
        var isByte = addend is >= sbyte.MinValue and <= sbyte.MaxValue;
        General(isByte ? 0x83 : 0x81, 0, to);
        Immediate(addend, isByte);
    }

    /// <summary>Rounds down to a multiple of a power of two, at most 64.</summary>
    public void AlignDown(Gpr register, int to)
    {
        General(0x83, 4, register);
        Byte(-to);
    }

    public void Subtract(Gpr from, Gpr amount) => General(0x2b, (int)from, amount);

    /// <summary>Subtracts and sets the flags; writes the instruction even for 0.</summary>
    public void Subtract(Gpr from, int amount)
    {
        var isByte = amount is >= sbyte.MinValue and <= sbyte.MaxValue;
        General(isByte ? 0x83 : 0x81, 5, from);
        Immediate(amount, isByte);
    }

    /// <summary>Sets the flags that subtracting would set.</summary>
    public void Compare(Gpr register, Mem with) => General(0x3b, (int)register, with);

    /// <summary>Takes one from a number in memory and sets the zero flag when none is left.</summary>
    public void Decrement(Mem number) => General(0xff, 1, number);

    /// <summary>Takes one from a register and sets the zero flag when none is left.</summary>
    public void Decrement(Gpr register) => General(0xff, 1, register);

    /// <summary>Sets the zero flag when none of the bits is set.</summary>
    public void Test(Mem flags, int bits)
    {
        General(0xf7, 0, flags);
        Int32(bits);
    }

    private void Stack(int opcode, Gpr register)
    {
        if (register >= Gpr.R8) Byte(0x41);
        Byte(opcode | Low((int)register));
    }

    // 64-bit operands: REX.W, then the opcode, then register (or extension of the opcode) and operand.
    private void General(int opcode, int register, Gpr operand)
    {
        Byte(0x48 | (register >> 3) << 2 | (int)operand >> 3);
        Byte(opcode);
        Byte(Rm | Low(register) << 3 | Low((int)operand));
    }

    private void General(int opcode, int register, Mem operand)
    {
        Byte(0x48 | (register >> 3) << 2 | ((int)operand.Index >> 3) << 1 | (int)operand.Base >> 3);
        Byte(opcode);
        ModRm(register, operand, 1);
    }

    /// <summary>Register and address; a displacement in one byte counts units of <paramref name="unit"/> bytes.</summary>
    private void ModRm(int register, Mem address, int unit)
    {
        var displacement = address.Displacement;
        var needsIndex = address.Index != Gpr.Rsp || Low((int)address.Base) == 4;
        var isByte = displacement % unit == 0 && displacement / unit is >= sbyte.MinValue and <= sbyte.MaxValue;
        var isNone = displacement == 0 && Low((int)address.Base) != 5;
        var mode = isNone ? 0 : isByte ? 0x40 : 0x80;
        Byte(mode | Low(register) << 3 | (needsIndex ? 4 : Low((int)address.Base)));
        if (needsIndex) Byte(address.Scale << 6 | Low((int)address.Index) << 3 | Low((int)address.Base));
        if (isNone) return;
        Immediate(isByte ? displacement / unit : displacement, isByte);
    }

    private void JumpIf(byte condition, Label target)
    {
        Byte(0x0f);
        Byte(condition);
        Relative(target);
    }

    private void Relative(Label target)
    {
        target.Uses.Add(length);
        Int32(0);
        if (target.Position >= 0) Patch(length - sizeof(int), target);
    }

    private void Patch(int use, Label label) => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(use), label.Position - (use + sizeof(int)));

    private static int Low(int register) => register & 7;

    private void Immediate(int value, bool isByte)
    {
        if (isByte) Byte(value);
        else Int32(value);
    }

    private void Byte(int value)
    {
        if (length == bytes.Length) Array.Resize(ref bytes, 2 * length);
        bytes[length++] = (byte)value;
    }

    private void Int32(int value)
    {
        for (var i = 0; i < 4; i++) Byte(value >> 8 * i);
    }
}
