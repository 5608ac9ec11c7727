using System.Runtime.InteropServices;

namespace AiOptix.Kernels.Tests;

/// <summary>
/// Floats whose last byte is followed by an inaccessible page, and whose first page is preceded by one: a kernel that reads or writes beyond
/// its end kills the test process. On systems without mmap the memory is ordinary.
/// </summary>
internal sealed unsafe partial class GuardedBuffer : IDisposable
{
    private readonly byte* map;
    private readonly nuint mapped;

    public GuardedBuffer(long floats)
    {
        Length = floats;
        var bytes = (nuint)Math.Max(floats, 0) * sizeof(float);
        if (!OperatingSystem.IsLinux())
        {
            Pointer = (float*)NativeMemory.AllocZeroed(bytes + 4);
            return;
        }
        var page = (nuint)Environment.SystemPageSize;
        var body = (bytes + page - 1) / page * page;
        mapped = body + 2 * page;
        map = (byte*)Map(null, mapped, 3, 0x22, -1, 0);
        if (map == (byte*)-1) throw new InvalidOperationException("mmap failed");
        if (Protect(map, page, 0) != 0 || Protect(map + page + body, page, 0) != 0) throw new InvalidOperationException("mprotect failed");
        Pointer = (float*)(map + page + body - bytes);
    }

    public GuardedBuffer(float[] values) : this(values.Length) => values.AsSpan().CopyTo(Span);

    public float* Pointer { get; }

    public long Length { get; }

    public Span<float> Span => new(Pointer, (int)Length);

    public void Dispose()
    {
        if (map != null) _ = Unmap(map, mapped);
        else NativeMemory.Free(Pointer);
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
