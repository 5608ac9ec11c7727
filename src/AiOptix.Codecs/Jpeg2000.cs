using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Codecs;

/// <summary>JPEG 2000 (files and code streams) by libopenjp2.</summary>
internal static unsafe class Jpeg2000
{
    private const int CodeStream = 0, File = 2;
    private const int ParameterBytes = 16384;
    private static readonly NativeCodec library = new("JPEG 2000", "libopenjp2.so.7", "libopenjp2.7.dylib", "openjp2.dll");

    public static bool IsInstalled => library.IsInstalled;

    /// <summary>opj_image.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Image
    {
        public uint X0, Y0, X1, Y1, Count;
        public int ColourSpace;
        public Component* Components;
    }

    /// <summary>opj_image_comp.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Component
    {
        public uint Dx, Dy, Width, Height, X0, Y0, Precision, Bits, IsSigned, Resolution, Factor;
        public int* Data;
        public ushort Alpha;
    }

    private struct Source
    {
        public byte* Bytes;
        public long Length, Position;
    }

    public static Tensor Read(ReadOnlySpan<byte> file, Limits limits)
    {
        nint codec = 0, stream = 0;
        Image* image = null;
        var parameters = NativeMemory.AllocZeroed(ParameterBytes);
        fixed (byte* bytes = file)
        {
            var source = new Source { Bytes = bytes, Length = file.Length };
            try
            {
                codec = ((delegate* unmanaged<int, nint>)library.Function("opj_create_decompress"))(file[0] == 0xFF ? CodeStream : File);
                ((delegate* unmanaged<void*, void>)library.Function("opj_set_default_decoder_parameters"))(parameters);
                if (codec == 0 || ((delegate* unmanaged<nint, void*, int>)library.Function("opj_setup_decoder"))(codec, parameters) == 0) throw ImageFile.Damaged("JPEG 2000");
                stream = ((delegate* unmanaged<int, nint>)library.Function("opj_stream_default_create"))(1);
                ((delegate* unmanaged<nint, delegate* unmanaged<void*, nuint, Source*, nuint>, void>)library.Function("opj_stream_set_read_function"))(stream, &ReadBytes);
                ((delegate* unmanaged<nint, delegate* unmanaged<long, Source*, long>, void>)library.Function("opj_stream_set_skip_function"))(stream, &Skip);
                ((delegate* unmanaged<nint, delegate* unmanaged<long, Source*, int>, void>)library.Function("opj_stream_set_seek_function"))(stream, &Seek);
                ((delegate* unmanaged<nint, Source*, nint, void>)library.Function("opj_stream_set_user_data"))(stream, &source, 0);
                ((delegate* unmanaged<nint, ulong, void>)library.Function("opj_stream_set_user_data_length"))(stream, (ulong)file.Length);
                if (((delegate* unmanaged<nint, nint, Image**, int>)library.Function("opj_read_header"))(stream, codec, &image) == 0) throw ImageFile.Damaged("JPEG 2000");
                using var result = ImageFile.Allocate((long)image->X1 - image->X0, (long)image->Y1 - image->Y0, limits);
                if (((delegate* unmanaged<nint, nint, Image*, int>)library.Function("opj_decode"))(codec, stream, image) == 0) throw ImageFile.Damaged("JPEG 2000");
                Copy(image, result);
                return result.Share();
            }
            finally
            {
                if (image != null) ((delegate* unmanaged<Image*, void>)library.Function("opj_image_destroy"))(image);
                if (stream != 0) ((delegate* unmanaged<nint, void>)library.Function("opj_stream_destroy"))(stream);
                if (codec != 0) ((delegate* unmanaged<nint, void>)library.Function("opj_destroy_codec"))(codec);
                NativeMemory.Free(parameters);
            }
        }
    }

    /// <summary>The first three components, or the first one thrice, brought to 8 bits.</summary>
    private static void Copy(Image* image, Tensor result)
    {
        var (height, width) = (result.Shape[0], result.Shape[1]);
        var count = image->Count >= 3 ? 3 : 1;
        for (var c = 0; c < count; c++)
        {
            var part = image->Components[c];
            if (part.Data == null || part.Width != width || part.Height != height || part.Precision is < 1 or > 16) throw new InvalidInputException("a JPEG 2000 image with components of different extents, or of more than 16 bits, is not supported");
        }
        var target = result.Bytes;
        for (var c = 0; c < 3; c++)
        {
            var part = image->Components[count == 1 ? 0 : c];
            var offset = part.IsSigned != 0 ? 1 << ((int)part.Precision - 1) : 0;
            for (var i = 0; i < height * width; i++)
            {
                var value = part.Data[i] + offset;
                target[3 * i + c] = (byte)Math.Clamp(part.Precision > 8 ? value >> ((int)part.Precision - 8) : value << (8 - (int)part.Precision), 0, 255);
            }
        }
    }

    [UnmanagedCallersOnly]
    private static nuint ReadBytes(void* target, nuint count, Source* source)
    {
        var n = Math.Min((long)count, source->Length - source->Position);
        if (n <= 0) return nuint.MaxValue;
        Unsafe.CopyBlockUnaligned(target, source->Bytes + source->Position, (uint)n);
        source->Position += n;
        return (nuint)n;
    }

    [UnmanagedCallersOnly]
    private static long Skip(long count, Source* source)
    {
        var n = Math.Clamp(count, -source->Position, source->Length - source->Position);
        source->Position += n;
        return n == 0 && count != 0 ? -1 : n;
    }

    [UnmanagedCallersOnly]
    private static int Seek(long position, Source* source)
    {
        if (position < 0 || position > source->Length) return 0;
        source->Position = position;
        return 1;
    }
}
