using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace AiOptix.Tensors;

/// <summary>A stretch of native memory with a counted lifetime: owned (64-byte aligned), borrowed from a caller, or mapped from a file.</summary>
public sealed unsafe class MemoryBlock
{
    /// <summary>The alignment of owned memory in bytes.</summary>
    public const int Alignment = 64;

    // Telling the collector of less costs more than the memory.
    private const long LeastPressure = 4096;

    private readonly Action? release;
    private readonly bool owned;
    private byte* pointer;
    private int holders = 1;
    private int freed;

    private MemoryBlock(byte* pointer, long length, bool owned, Action? release)
    {
        this.pointer = pointer;
        Length = length;
        this.owned = owned;
        this.release = release;
        if (!owned && release is null) GC.SuppressFinalize(this);
    }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>The file that it is mapped from, or null.</summary>
    public FileStamp? MappedFile { get; private init; }

    /// <summary>The first byte; null only for an empty block.</summary>
    public byte* Pointer => pointer;

    /// <summary>How many bytes of owned native memory live in the process.</summary>
    public static long OwnedBytes => Interlocked.Read(ref ownedBytes);

    private static long ownedBytes;

    /// <summary>Allocates owned memory, 64-byte aligned.</summary>
    /// <exception cref="LimitExceededException">The machine has not that much.</exception>
    public static MemoryBlock Allocate(long length, bool zeroed = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        byte* p;
        try
        {
            p = IsPages(length) ? SystemPages.Map(length) : (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(length, 1), Alignment);
        }
        catch (OutOfMemoryException e)
        {
            throw new LimitExceededException($"could not allocate {length} bytes of native memory", e);
        }
        if (zeroed && !IsPages(length)) NativeMemory.Clear(p, (nuint)length);
        if (length >= LeastPressure) GC.AddMemoryPressure(length);
        Interlocked.Add(ref ownedBytes, length);
        return new(p, length, owned: true, release: null);
    }

    /// <summary>Wraps memory of somebody else; <paramref name="release"/> runs once when the last holder lets go.</summary>
    public static MemoryBlock Borrow(void* pointer, long length, Action? release = null) => new((byte*)pointer, length, owned: false, release);

    /// <summary>Maps a file read-only. Whoever truncates the file while it is mapped takes the process down; replacing it by a rename is harmless.</summary>
    /// <exception cref="IOException">It cannot be opened or mapped.</exception>
    public static MemoryBlock MapFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 1);
        var length = file.Length;
        var stamp = new FileStamp(file.Name, length, File.GetLastWriteTimeUtc(file.SafeFileHandle));
        if (length == 0) return new(null, 0, owned: false, release: null) { MappedFile = stamp };
        using var map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        var view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* p = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref p);
        return new(p + view.PointerOffset, length, owned: false, () =>
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
        }) { MappedFile = stamp };
    }

    /// <summary>A stretch of this block as a block of its own, which holds this one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It does not lie inside.</exception>
    public MemoryBlock Part(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new(Hold().pointer + offset, length, owned: false, LetGo) { MappedFile = MappedFile };
    }

    /// <summary>
    /// Has the system take mapped pages that nobody needs for now out of this process's memory; touched again, they come back from the file. Nothing happens to memory that is
    /// not mapped from a file, and on systems without such a call.
    /// </summary>
    internal void Evict(byte* from, long bytes)
    {
        if (MappedFile is not null && OperatingSystem.IsLinux()) SystemPages.Evict(from, bytes);
    }

    /// <summary>Wraps managed memory, which stays where it is until the last holder lets go.</summary>
    public static MemoryBlock Pin(ReadOnlyMemory<byte> memory)
    {
        var handle = memory.Pin();
        return Borrow(handle.Pointer, memory.Length, handle.Dispose);
    }

    /// <summary>A stretch of the memory. A span does not keep the block alive.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It does not lie inside.</exception>
    public ReadOnlySpan<byte> Slice(long offset, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - count);
        return new(pointer + offset, count);
    }

    /// <summary>Adds a holder.</summary>
    public MemoryBlock Hold()
    {
        ObjectDisposedException.ThrowIf(Interlocked.Increment(ref holders) <= 1, this);
        return this;
    }

    /// <summary>Removes a holder; the last one frees the memory.</summary>
    public void LetGo()
    {
        if (Interlocked.Decrement(ref holders) != 0) return;
        GC.SuppressFinalize(this);
        Free();
    }

    /// <summary>Frees what nobody let go of.</summary>
    ~MemoryBlock() => Free();

    private static bool IsPages(long length) => length >= SystemPages.Least;

    private void Free()
    {
        if (Interlocked.Exchange(ref freed, 1) != 0) return;
        var p = pointer;
        pointer = null;
        if (owned && p != null)
        {
            if (IsPages(Length)) SystemPages.Unmap(p, Length);
            else NativeMemory.AlignedFree(p);
            if (Length >= LeastPressure) GC.RemoveMemoryPressure(Length);
            Interlocked.Add(ref ownedBytes, -Length);
        }
        release?.Invoke();
    }
}
