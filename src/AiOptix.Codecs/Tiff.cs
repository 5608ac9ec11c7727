using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Codecs;

/// <summary>TIFF by libtiff, from memory; the first image of a file.</summary>
internal static unsafe class Tiff
{
    private const int TopLeft = 1;
    private const ushort WidthTag = 256, HeightTag = 257;
    private static readonly NativeCodec library = new("TIFF and JPEG", "libtiff.so.6", "libtiff.so.5", "libtiff.6.dylib", "libtiff.dll");
    private static readonly Lazy<bool> quiet = new(Quieten);

    public static bool IsInstalled => library.IsInstalled;

    /// <summary>What the callbacks read.</summary>
    private struct Source
    {
        public byte* Bytes;
        public long Length, Position;
    }

    public static Tensor Read(ReadOnlySpan<byte> file, Limits limits)
    {
        var (width, height) = Extents(file);
        _ = quiet.Value;
        var open = (delegate* unmanaged<byte*, byte*, Source*, delegate* unmanaged<Source*, byte*, nint, nint>, delegate* unmanaged<Source*, byte*, nint, nint>, delegate* unmanaged<Source*, long, int, long>,
            delegate* unmanaged<Source*, int>, delegate* unmanaged<Source*, long>, delegate* unmanaged<Source*, void**, long*, int>, delegate* unmanaged<Source*, void*, long, void>, nint>)library.Function("TIFFClientOpen");
        var read = (delegate* unmanaged<nint, uint, uint, uint*, int, int, int>)library.Function("TIFFReadRGBAImageOriented");
        var close = (delegate* unmanaged<nint, void>)library.Function("TIFFClose");
        using var result = ImageFile.Allocate(width, height, limits);
        limits.CheckTensor(DType.UInt8, new Shape(height, width, 4), "the decoded image");
        using var raster = Tensor.Allocate(DType.UInt8, new Shape(height, width, 4));
        fixed (byte* bytes = file, name = "memory\0"u8, mode = "rm\0"u8)
        {
            var source = new Source { Bytes = bytes, Length = file.Length };
            var handle = open(name, mode, &source, &ReadBytes, &WriteBytes, &Seek, &Close, &Size, &Map, &Unmap);
            if (handle == 0) throw ImageFile.Damaged("TIFF");
            var done = read(handle, (uint)width, (uint)height, (uint*)raster.Pointer, TopLeft, 1);
            close(handle);
            if (done == 0) throw ImageFile.Damaged("TIFF");
        }
        var from = raster.Bytes;
        var to = result.Bytes;
        for (var i = 0; i < to.Length / 3; i++) from.Slice(4 * i, 3).CopyTo(to[(3 * i)..]);
        return result.Share();
    }

    /// <summary>Width and height by the first directory.</summary>
    private static (long Width, long Height) Extents(ReadOnlySpan<byte> file)
    {
        var little = file[0] == 'I';
        if (file.Length < 8 || Short(file[2..]) != 42) throw ImageFile.Damaged("TIFF");
        long width = 0, height = 0, at = Long(file[4..]);
        if (at + 2 > file.Length) throw ImageFile.Damaged("TIFF");
        var entries = Short(file[(int)at..]);
        for (var i = 0; i < entries; i++)
        {
            var entry = at + 2 + 12L * i;
            if (entry + 12 > file.Length) throw ImageFile.Damaged("TIFF");
            var e = file[(int)entry..];
            var value = Short(e[2..]) == 3 ? Short(e[8..]) : Long(e[8..]);
            if (Short(e) == WidthTag) width = value;
            if (Short(e) == HeightTag) height = value;
        }
        return (width, height);

        ushort Short(ReadOnlySpan<byte> s) => little ? BinaryPrimitives.ReadUInt16LittleEndian(s) : BinaryPrimitives.ReadUInt16BigEndian(s);
        uint Long(ReadOnlySpan<byte> s) => little ? BinaryPrimitives.ReadUInt32LittleEndian(s) : BinaryPrimitives.ReadUInt32BigEndian(s);
    }

    /// <summary>Keeps the library from printing what it finds wrong.</summary>
    private static bool Quieten()
    {
        ((delegate* unmanaged<nint, nint>)library.Function("TIFFSetErrorHandler"))(0);
        ((delegate* unmanaged<nint, nint>)library.Function("TIFFSetWarningHandler"))(0);
        return true;
    }

    [UnmanagedCallersOnly]
    private static nint ReadBytes(Source* source, byte* target, nint count)
    {
        var n = Math.Max(0, Math.Min(count, source->Length - source->Position));
        Unsafe.CopyBlockUnaligned(target, source->Bytes + source->Position, (uint)n);
        source->Position += n;
        return (nint)n;
    }

    [UnmanagedCallersOnly]
    private static nint WriteBytes(Source* source, byte* from, nint count) => 0;

    [UnmanagedCallersOnly]
    private static long Seek(Source* source, long offset, int whence)
    {
        var to = whence switch { 0 => offset, 1 => source->Position + offset, _ => source->Length + offset };
        if (to < 0 || to > source->Length) return -1;
        return source->Position = to;
    }

    [UnmanagedCallersOnly]
    private static int Close(Source* source) => 0;

    [UnmanagedCallersOnly]
    private static long Size(Source* source) => source->Length;

    [UnmanagedCallersOnly]
    private static int Map(Source* source, void** address, long* size) => 0;

    [UnmanagedCallersOnly]
    private static void Unmap(Source* source, void* address, long size)
    {
    }
}
