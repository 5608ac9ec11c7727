using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace AiOptix.Threading;

/// <summary>The system calls of Linux that .NET does not offer.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe partial class LinuxNative
{
    private const int FutexWaitPrivate = 0 | 128;
    private const int FutexWakePrivate = 1 | 128;

    /// <summary>The number of the futex system call, or -1 where it is not known for this architecture.</summary>
    internal static readonly nint FutexNumber = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 202,
        Architecture.Arm64 => 98,
        _ => -1,
    };

    /// <summary>Sleeps while the word holds the expected value; may also return without cause.</summary>
    internal static void FutexWait(int* word, int expected) => Syscall(FutexNumber, word, FutexWaitPrivate, expected, null);

    /// <summary>Wakes up to <paramref name="count"/> sleepers on the word.</summary>
    internal static void FutexWake(int* word, int count) => Syscall(FutexNumber, word, FutexWakePrivate, count, null);

    /// <summary>Fills the mask of processors that the calling thread may use; 0 on success.</summary>
    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int SchedGetAffinity(int pid, nuint bytes, byte* mask);

    [LibraryImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Syscall(nint number, int* word, nint operation, nint value, void* timeout);
}
