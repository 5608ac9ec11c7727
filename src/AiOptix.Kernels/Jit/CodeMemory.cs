using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Jit;

/// <summary>
/// Generated machine code. Its pages are private to the process and never writable and executable at once: the bytes are written first, then the
/// pages turn read-only and executable.
/// </summary>
public sealed unsafe partial class CodeMemory : IDisposable
{
    private const int ProtRead = 1, ProtWrite = 2, ProtExec = 4, MapPrivate = 2;
    private const uint MemCommitReserve = 0x3000, MemRelease = 0x8000, PageReadWrite = 0x04, PageExecuteRead = 0x20;

    private static long liveBytes;

    private readonly nint address;
    private readonly nuint length;
    private int disposed;
    private bool isCounted;

    /// <summary>Places code.</summary>
    /// <param name="code">The bytes; position-independent.</param>
    /// <exception cref="LimitExceededException">The system grants no memory for it.</exception>
    public CodeMemory(ReadOnlySpan<byte> code)
    {
        ArgumentOutOfRangeException.ThrowIfZero(code.Length, nameof(code));
        var page = (nuint)Environment.SystemPageSize;
        length = ((nuint)code.Length + page - 1) / page * page;
        address = Reserve(length);
        code.CopyTo(new Span<byte>((void*)address, code.Length));
        Seal();
        GC.AddMemoryPressure((long)length);
        Interlocked.Add(ref liveBytes, (long)length);
        isCounted = true;
    }

    /// <summary>Bytes that all generated code of the process takes.</summary>
    public static long LiveBytes => Interlocked.Read(ref liveBytes);

    /// <summary>The first byte of the code.</summary>
    public nint Address => address;

    /// <summary>Bytes, a multiple of the page size.</summary>
    public long Length => (long)length;

    /// <summary>Gives the pages back. Nobody may be running the code.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back what nobody disposed of.</summary>
    ~CodeMemory() => Free();

    private static nint Reserve(nuint length)
    {
        // MAP_ANONYMOUS is 0x20 on Linux, 0x1000 on macOS.
        var p = OperatingSystem.IsWindows() ? VirtualAlloc(0, length, MemCommitReserve, PageReadWrite)
            : MemoryMap(0, length, ProtRead | ProtWrite, MapPrivate | (OperatingSystem.IsMacOS() ? 0x1000 : 0x20), -1, 0);
        return p is 0 or -1 ? throw new LimitExceededException($"could not reserve {length} bytes for generated code (system error {Marshal.GetLastPInvokeError()})") : p;
    }

    private void Seal()
    {
        var done = OperatingSystem.IsWindows() ? VirtualProtect(address, length, PageExecuteRead, out _) : MemoryProtect(address, length, ProtRead | ProtExec) == 0;
        if (!done)
        {
            var error = Marshal.GetLastPInvokeError();
            Dispose();
            throw new LimitExceededException($"the system forbids generated code: its pages could not be made executable (system error {error})");
        }
        if (RuntimeInformation.ProcessArchitecture == Architecture.Arm64) FlushInstructions();
    }

    // Data written by the processor reaches its instruction stream only after a barrier on Arm; every system offers one under another name.
    private void FlushInstructions()
    {
        if (OperatingSystem.IsWindows()) FlushInstructionCache(-1, address, length);
        else if (OperatingSystem.IsMacOS()) InvalidateInstructionCache(address, length);
        else ClearCache(address, address + (nint)length);
    }

    private void Free()
    {
        if (address is 0 or -1 || Interlocked.Exchange(ref disposed, 1) != 0) return;
        if (OperatingSystem.IsWindows()) VirtualFree(address, 0, MemRelease);
        else _ = MemoryUnmap(address, length);
        if (!isCounted) return;
        GC.RemoveMemoryPressure((long)length);
        Interlocked.Add(ref liveBytes, -(long)length);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MemoryMap(nint at, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int MemoryProtect(nint at, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MemoryUnmap(nint at, nuint length);

    [LibraryImport("libgcc_s.so.1", EntryPoint = "__clear_cache")]
    private static partial void ClearCache(nint begin, nint end);

    [LibraryImport("libSystem", EntryPoint = "sys_icache_invalidate")]
    private static partial void InvalidateInstructionCache(nint begin, nuint length);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint VirtualAlloc(nint at, nuint size, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualProtect(nint at, nuint size, uint protection, out uint old);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualFree(nint at, nuint size, uint type);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool FlushInstructionCache(nint process, nint at, nuint size);
}
