using System.Runtime.InteropServices;
using AiOptix.Kernels.Jit;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>What a slot returns, and so how it fails.</summary>
internal enum SlotKind
{
    /// <summary>A reference; fails with null and an error.</summary>
    Reference,
    /// <summary>An int; fails with -1 and an error.</summary>
    Status,
    /// <summary>Nothing, or an int that nobody heeds; fails by doing nothing and returning 0.</summary>
    Nothing,
}

/// <summary>
/// Machine code in front of every function that Python may call. A forked child has the runtime's memory but none of its threads, so managed code must not
/// be entered there: the stub looks at a flag that a fork handler sets in the child, and then fails by itself (a RuntimeError, or nothing for a
/// destructor) with native code alone. In the parent it costs a load, a compare and a jump.
/// </summary>
internal static unsafe class ForkGuard
{
    private const string Message = "ai_optix cannot be used in a forked child: the .NET runtime does not survive fork(). Use the 'spawn' start method of multiprocessing, or fork before importing ai_optix.";

    private static readonly List<(nint Target, SlotKind Kind)> slots = [];
    private static CodeMemory? memory;
    private static int stubLength;

    /// <summary>The address of the int that is not 0 in a forked child.</summary>
    public static nint Flag { get; private set; }

    /// <summary>Asks for a stub in front of a function; <see cref="Address"/> tells where it is once all have been asked for.</summary>
    public static int Add(void* target, SlotKind kind)
    {
        if (memory is not null) throw new InvalidOperationException("the stubs are sealed");
        slots.Add(((nint)target, kind));
        return slots.Count - 1;
    }

    /// <summary>The address of a stub.</summary>
    public static nint Address(int slot) => memory!.Address + slot * stubLength;

    /// <summary>Writes the stubs and asks the system to set the flag in forked children.</summary>
    public static void Seal()
    {
        Flag = (nint)NativeMemory.AllocZeroed(sizeof(long));
        ForkedChild child = new(Flag, PyApi.Export("PyErr_SetString"), PyApi.Exception("RuntimeError"), Marshal.StringToCoTaskMemUTF8(Message));
        var stubs = slots.ConvertAll(s => Encode(s.Target, s.Kind, child));
        stubs.Add(EncodeMark(Flag));
        stubLength = (stubs.Max(s => s.Length) + 15) / 16 * 16;
        var code = new byte[stubLength * stubs.Count];
        for (var i = 0; i < stubs.Count; i++) stubs[i].CopyTo(code, i * stubLength);
        memory = new CodeMemory(code);
        if (!OperatingSystem.IsWindows()) WatchFork(Address(stubs.Count - 1));
    }

    private static void WatchFork(nint mark)
    {
        // glibc links pthread_atfork statically and exports what is behind it; others export the function itself.
        var c = NativeLibrary.Load(OperatingSystem.IsMacOS() ? "libSystem" : "libc");
        var failed = NativeLibrary.TryGetExport(c, "__register_atfork", out var register)
            ? ((delegate* unmanaged<nint, nint, nint, nint, int>)register)(0, 0, mark, 0)
            : ((delegate* unmanaged<nint, nint, nint, int>)NativeLibrary.GetExport(c, "pthread_atfork"))(0, 0, mark);
        if (failed != 0) throw new LimitExceededException("the system took no further fork handler");
    }

    private static byte[] Encode(nint target, SlotKind kind, ForkedChild child) => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => EncodeX64(target, kind, child, OperatingSystem.IsWindows()),
        Architecture.Arm64 => EncodeArm64(target, kind, child),
        var other => throw new PlatformNotSupportedException($"ai_optix runs on x64 and arm64, not on {other}"),
    };

    private static byte[] EncodeMark(nint flag)
    {
        // x64: mov r11, flag / mov dword [r11], 1 / ret. arm64: ldr x16, =flag / mov w17, 1 / str w17, [x16] / ret.
        if (RuntimeInformation.ProcessArchitecture == Architecture.X64)
            return [0x49, 0xBB, .. BitConverter.GetBytes((long)flag), 0x41, 0xC7, 0x03, 1, 0, 0, 0, 0xC3];
        return [.. Words(Literal(16, 4), 0x52800031, 0xB9000211, 0xD65F03C0), .. BitConverter.GetBytes((long)flag)];
    }

    // mov r11, flag / cmp dword [r11], 0 / jne forked / mov r11, target / jmp r11
    // forked: sub rsp, n / mov arg0, type / mov arg1, text / mov rax, PyErr_SetString / call rax / add rsp, n / mov rax, result / ret
    private static byte[] EncodeX64(nint target, SlotKind kind, ForkedChild child, bool windows)
    {
        byte[] enter = [0x49, 0xBB, .. Bytes(child.Flag), 0x41, 0x83, 0x3B, 0, 0x75, 13, 0x49, 0xBB, .. Bytes(target), 0x41, 0xFF, 0xE3];
        if (kind == SlotKind.Nothing) return [.. enter, 0x31, 0xC0, 0xC3];
        var frame = (byte)(windows ? 0x28 : 0x08);
        byte[] result = kind == SlotKind.Reference ? [0x31, 0xC0] : [0x48, 0xC7, 0xC0, 0xFF, 0xFF, 0xFF, 0xFF];
        return [.. enter, 0x48, 0x83, 0xEC, frame, 0x48, (byte)(windows ? 0xB9 : 0xBF), .. Bytes(child.Error), 0x48, (byte)(windows ? 0xBA : 0xBE), .. Bytes(child.Text),
            0x48, 0xB8, .. Bytes(child.SetError), 0xFF, 0xD0, 0x48, 0x83, 0xC4, frame, .. result, 0xC3];
    }

    // ldr x16, =flag / ldr w17, [x16] / cbnz w17, forked / ldr x16, =target / br x16
    // forked: stp x29, x30, [sp, -16]! / ldr x0, =type / ldr x1, =text / ldr x16, =PyErr_SetString / blr x16 / ldp x29, x30, [sp], 16 / mov x0, result / ret
    private static byte[] EncodeArm64(nint target, SlotKind kind, ForkedChild child)
    {
        const int Literals = 14;
        var result = kind == SlotKind.Reference ? 0xD2800000 : 0x92800000;
        var code = kind == SlotKind.Nothing
            ? Words(Literal(16, Literals), 0xB9400211, 0x35000071, Literal(16, Literals - 1), 0xD61F0200, 0xD2800000, 0xD65F03C0, Nop, Nop, Nop, Nop, Nop, Nop, Nop)
            : Words(Literal(16, Literals), 0xB9400211, 0x35000071, Literal(16, Literals - 1), 0xD61F0200,
                0xA9BF7BFD, Literal(0, Literals - 2), Literal(1, Literals - 1), Literal(16, Literals), 0xD63F0200, 0xA8C17BFD, result, 0xD65F03C0, Nop);
        return [.. code, .. Bytes(child.Flag), .. Bytes(target), .. Bytes(child.Error), .. Bytes(child.Text), .. Bytes(child.SetError)];
    }

    private const uint Nop = 0xD503201F;

    /// <summary>ldr x[register], a literal so many instructions ahead.</summary>
    private static uint Literal(int register, int ahead) => 0x58000000u | (uint)ahead << 5 | (uint)register;

    private static byte[] Words(params uint[] words) => [.. words.SelectMany(BitConverter.GetBytes)];

    private static byte[] Bytes(nint value) => BitConverter.GetBytes((long)value);

    private readonly record struct ForkedChild(nint Flag, nint SetError, nint Error, nint Text);
}
