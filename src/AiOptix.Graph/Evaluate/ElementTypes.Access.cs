using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Evaluate;

public static partial class ElementTypes
{
    /// <summary>Reads elements of a numeric or bool tensor, from <paramref name="start"/> on, as float64.</summary>
    /// <exception cref="ArgumentException">Strings or complex numbers.</exception>
    public static void Read(Tensor source, long start, Span<double> destination)
    {
        var at = checked((int)start);
        switch (source.DType)
        {
            case DType.Float32: Cast(source.Span<float>().Slice(at, destination.Length), destination); break;
            case DType.Float64: source.Span<double>().Slice(at, destination.Length).CopyTo(destination); break;
            case DType.Float16: Cast(source.Span<Half>().Slice(at, destination.Length), destination); break;
            case DType.UInt64: Cast(source.Span<ulong>().Slice(at, destination.Length), destination); break;
            case DType.BFloat16:
                var brain = source.Span<BFloat16>().Slice(at, destination.Length);
                for (var i = 0; i < destination.Length; i++) destination[i] = (float)brain[i];
                break;
            case DType.Float8E8M0:
                var powers = source.Bytes.Slice(at, destination.Length);
                for (var i = 0; i < destination.Length; i++) destination[i] = NarrowFloat.DecodePower(powers[i]);
                break;
            case var t when t.IsNarrowFloat():
                var format = NarrowFloat.Of(t);
                var bytes = source.Bytes;
                for (var i = 0; i < destination.Length; i++) destination[i] = format.Decode(t.IsPacked() ? Packed(bytes, 4, start + i) : bytes[at + i]);
                break;
            default:
                Span<long> integers = stackalloc long[Chunk];
                for (var done = 0; done < destination.Length; done += Chunk)
                {
                    var n = Math.Min(Chunk, destination.Length - done);
                    Read(source, start + done, integers[..n]);
                    Cast(integers[..n], destination.Slice(done, n));
                }
                break;
        }
    }

    /// <summary>Reads elements of an integer or bool tensor, from <paramref name="start"/> on, as int64; uint64 keeps its bits.</summary>
    /// <exception cref="ArgumentException">Not integers.</exception>
    public static void Read(Tensor source, long start, Span<long> destination)
    {
        var at = checked((int)start);
        switch (source.DType)
        {
            case DType.Int64: source.Span<long>().Slice(at, destination.Length).CopyTo(destination); break;
            case DType.UInt64: Cast(source.Span<ulong>().Slice(at, destination.Length), destination); break;
            case DType.Int32: Cast(source.Span<int>().Slice(at, destination.Length), destination); break;
            case DType.UInt32: Cast(source.Span<uint>().Slice(at, destination.Length), destination); break;
            case DType.Int16: Cast(source.Span<short>().Slice(at, destination.Length), destination); break;
            case DType.UInt16: Cast(source.Span<ushort>().Slice(at, destination.Length), destination); break;
            case DType.Int8: Cast(source.Span<sbyte>().Slice(at, destination.Length), destination); break;
            case DType.UInt8: Cast(source.Span<byte>().Slice(at, destination.Length), destination); break;
            case DType.Bool:
                var flags = source.Bytes.Slice(at, destination.Length);
                for (var i = 0; i < destination.Length; i++) destination[i] = flags[i] != 0 ? 1 : 0;
                break;
            case DType.Int4 or DType.UInt4 or DType.Int2 or DType.UInt2:
                var bits = source.DType.Bits();
                var unsigned = source.DType is DType.UInt4 or DType.UInt2;
                var bytes = source.Bytes;
                for (var i = 0; i < destination.Length; i++)
                {
                    long v = Packed(bytes, bits, start + i);
                    destination[i] = unsigned ? v : v << (64 - bits) >> (64 - bits);
                }
                break;
            default: throw new ArgumentException($"expected integers, found {source.DType.Name()}");
        }
    }

    /// <summary>Writes elements of a numeric or bool tensor, from <paramref name="start"/> on. Packed types are written in ascending order.</summary>
    /// <exception cref="ArgumentException">Strings or complex numbers.</exception>
    public static void Write(Tensor destination, long start, ReadOnlySpan<double> source, bool saturate = true, PowerRounding rounding = PowerRounding.Up)
    {
        var at = checked((int)start);
        switch (destination.DType)
        {
            case DType.Float32: Cast(source, destination.Span<float>().Slice(at, source.Length)); break;
            case DType.Float64: source.CopyTo(destination.Span<double>()[at..]); break;
            case DType.Float16: Cast(source, destination.Span<Half>().Slice(at, source.Length)); break;
            case DType.BFloat16:
                var brain = destination.Span<BFloat16>().Slice(at, source.Length);
                for (var i = 0; i < source.Length; i++) brain[i] = (BFloat16)(float)source[i];
                break;
            case DType.Bool:
                for (var i = 0; i < source.Length; i++) destination.Bytes[at + i] = source[i] != 0 ? (byte)1 : (byte)0;
                break;
            case DType.Float8E8M0:
                for (var i = 0; i < source.Length; i++) destination.Bytes[at + i] = NarrowFloat.EncodePower(source[i], saturate, rounding);
                break;
            case var t when t.IsNarrowFloat():
                var format = NarrowFloat.Of(t);
                var bytes = destination.Bytes;
                for (var i = 0; i < source.Length; i++)
                {
                    var code = format.Encode(source[i], saturate);
                    if (t.IsPacked()) SetPacked(bytes, 4, start + i, code);
                    else bytes[at + i] = code;
                }
                break;
            case DType.UInt64:
                var wide = destination.Span<ulong>().Slice(at, source.Length);
                for (var i = 0; i < source.Length; i++) wide[i] = source[i] >= 9223372036854775808.0 ? (ulong)source[i] : (ulong)(long)source[i];
                break;
            case DType.Int32: Cast(source, destination.Span<int>().Slice(at, source.Length)); break;
            default:
                Span<long> integers = stackalloc long[Chunk];
                for (var done = 0; done < source.Length; done += Chunk)
                {
                    var n = Math.Min(Chunk, source.Length - done);
                    for (var i = 0; i < n; i++) integers[i] = (long)source[done + i];
                    Write(destination, start + done, integers[..n]);
                }
                break;
        }
    }

    /// <summary>Writes elements of a numeric or bool tensor, from <paramref name="start"/> on; integers keep their low bits. Packed types are written in ascending order.</summary>
    /// <exception cref="ArgumentException">Strings or complex numbers.</exception>
    public static void Write(Tensor destination, long start, ReadOnlySpan<long> source, bool saturate = true, PowerRounding rounding = PowerRounding.Up)
    {
        var at = checked((int)start);
        switch (destination.DType)
        {
            case DType.Int64: source.CopyTo(destination.Span<long>()[at..]); break;
            case DType.UInt64: Cast(source, destination.Span<ulong>().Slice(at, source.Length)); break;
            case DType.Int32: Cast(source, destination.Span<int>().Slice(at, source.Length)); break;
            case DType.UInt32: Cast(source, destination.Span<uint>().Slice(at, source.Length)); break;
            case DType.Int16: Cast(source, destination.Span<short>().Slice(at, source.Length)); break;
            case DType.UInt16: Cast(source, destination.Span<ushort>().Slice(at, source.Length)); break;
            case DType.Int8: Cast(source, destination.Span<sbyte>().Slice(at, source.Length)); break;
            case DType.UInt8: Cast(source, destination.Span<byte>().Slice(at, source.Length)); break;
            case DType.Bool:
                for (var i = 0; i < source.Length; i++) destination.Bytes[at + i] = source[i] != 0 ? (byte)1 : (byte)0;
                break;
            case DType.Int4 or DType.UInt4 or DType.Int2 or DType.UInt2:
                var bytes = destination.Bytes;
                for (var i = 0; i < source.Length; i++) SetPacked(bytes, destination.DType.Bits(), start + i, (int)source[i]);
                break;
            case DType.Float32: Cast(source, destination.Span<float>().Slice(at, source.Length)); break;
            default:
                Span<double> floats = stackalloc double[Chunk];
                for (var done = 0; done < source.Length; done += Chunk)
                {
                    var n = Math.Min(Chunk, source.Length - done);
                    Cast(source.Slice(done, n), floats[..n]);
                    Write(destination, start + done, floats[..n], saturate, rounding);
                }
                break;
        }
    }

    /// <summary>Converts element by element: integers keep their low bits, floats round to nearest even, or to the nearest integer in range once cut off.</summary>
    private static void Cast<TFrom, TTo>(ReadOnlySpan<TFrom> source, Span<TTo> destination)
        where TFrom : unmanaged, INumber<TFrom> where TTo : unmanaged, INumber<TTo>
    {
        for (var i = 0; i < source.Length; i++) destination[i] = TTo.CreateTruncating(source[i]);
    }
}
