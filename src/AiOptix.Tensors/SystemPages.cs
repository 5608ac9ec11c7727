using System.Runtime.InteropServices;

namespace AiOptix.Tensors;

/// <summary>
/// Memory taken from Linux itself, in pages. Large blocks come from here and not from the C library's heap, which keeps blocks of some megabytes that were freed for the
/// thread that asked for them: a process with many threads grew by tens of megabytes. What is large enough asks for pages of 2 MiB, which cost one fault and one
/// entry of the translation cache where pages of 4 KiB cost 512.
/// </summary>
internal static unsafe partial class SystemPages
{
    private const int HugePage = 2 << 20;

    /// <summary>Blocks of this many bytes and more come from here; on other systems none do.</summary>
    public static readonly long Least = OperatingSystem.IsLinux() && Environment.Is64BitProcess ? 1 << 20 : long.MaxValue;

    /// <summary>Zeroed memory, at a multiple of the page size, of 2 MiB where it is as large.</summary>
    /// <exception cref="InsufficientMemoryException">The system has not that much.</exception>
    public static byte* Map(long length)
    {
        var huge = length >= HugePage;
        var bytes = Whole(length);
        // The kernel puts a mapping at any page: more is asked for, and what lies before and behind the aligned stretch is given back.
        var asked = huge ? checked(bytes + HugePage) : bytes;
        var mapped = Map(null, asked, ReadWrite, PrivateAnonymous, -1, 0);
        if (mapped == Failed) throw new InsufficientMemoryException($"mmap of {length} bytes failed with error {Marshal.GetLastPInvokeError()}");
        if (!huge) return (byte*)mapped;
        var begin = (byte*)(((nuint)mapped + HugePage - 1) / HugePage * HugePage);
        var before = (nuint)(begin - (byte*)mapped);
        if (before > 0) _ = Unmap(mapped, before);
        if (asked - bytes > before) _ = Unmap(begin + bytes, asked - bytes - before);
        _ = Advise(begin, bytes, HugePages);
        return begin;
    }

    /// <summary>Gives back what <see cref="Map(long)"/> gave.</summary>
    public static void Unmap(byte* pointer, long length) => _ = Unmap(pointer, Whole(length));

    /// <summary>Takes the whole pages of a stretch out of this process's memory; touched again, mapped ones come back from their file.</summary>
    public static void Evict(byte* from, long bytes)
    {
        var page = (nuint)Environment.SystemPageSize;
        var (begin, end) = (((nuint)from + page - 1) / page * page, ((nuint)from + (nuint)bytes) / page * page);
        if (begin < end) _ = Advise((void*)begin, end - begin, DontNeed);
    }

    private static nuint Whole(long length)
    {
        var page = (nuint)Environment.SystemPageSize;
        return ((nuint)length + page - 1) / page * page;
    }

    private const int ReadWrite = 3, PrivateAnonymous = 0x22;
    private const int DontNeed = 4, HugePages = 14;
    private static readonly void* Failed = (void*)-1;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* address, nuint length, int advice);
}
