using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AiOptix.Tensors;

/// <summary>XXH64 with seed 0: tells whether bytes changed by accident. It is no defence against somebody who means to.</summary>
public static class Checksum
{
    private const ulong Prime1 = 0x9E3779B185EBCA87, Prime2 = 0xC2B2AE3D27D4EB4F, Prime3 = 0x165667B19E3779F9, Prime4 = 0x85EBCA77C2B2AE63, Prime5 = 0x27D4EB2F165667C5;

    /// <summary>Bytes of a round: a word for each of the four lanes.</summary>
    public const int RoundBytes = 32;

    /// <summary>The checksum of some bytes.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        Span<ulong> lanes = stackalloc ulong[4];
        Begin(lanes);
        ulong a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3];
        var rest = bytes;
        for (; rest.Length >= RoundBytes; rest = rest[RoundBytes..])
        {
            a = Round(a, Word(rest));
            b = Round(b, Word(rest[8..]));
            c = Round(c, Word(rest[16..]));
            d = Round(d, Word(rest[24..]));
        }
        (lanes[0], lanes[1], lanes[2], lanes[3]) = (a, b, c, d);
        return End(lanes, rest, bytes.Length);
    }

    /// <summary>The four lanes before the first round. For whoever does rounds by other means.</summary>
    public static void Begin(Span<ulong> lanes) => (lanes[0], lanes[1], lanes[2], lanes[3]) = unchecked((Prime1 + Prime2, Prime2, 0UL, 0 - Prime1));

    /// <summary>The checksum of bytes whose whole rounds are done.</summary>
    /// <param name="lanes">The lanes behind them.</param>
    /// <param name="rest">The bytes that make no whole round.</param>
    /// <param name="length">How many bytes there are in all.</param>
    public static ulong End(ReadOnlySpan<ulong> lanes, ReadOnlySpan<byte> rest, int length)
    {
        var hash = Prime5;
        if (length >= RoundBytes)
        {
            hash = unchecked(BitOperations.RotateLeft(lanes[0], 1) + BitOperations.RotateLeft(lanes[1], 7) + BitOperations.RotateLeft(lanes[2], 12) + BitOperations.RotateLeft(lanes[3], 18));
            foreach (var lane in lanes) hash = Merge(hash, lane);
        }
        return Tail(unchecked(hash + (ulong)length), rest);
    }

    /// <summary>The checksum of checksums.</summary>
    public static ulong Of(ReadOnlySpan<ulong> parts) => Of(MemoryMarshal.AsBytes(parts));

    private static ulong Tail(ulong hash, ReadOnlySpan<byte> rest)
    {
        unchecked
        {
            for (; rest.Length >= 8; rest = rest[8..]) hash = BitOperations.RotateLeft(hash ^ Round(0, Word(rest)), 27) * Prime1 + Prime4;
            if (rest.Length >= 4)
            {
                hash = BitOperations.RotateLeft(hash ^ BinaryPrimitives.ReadUInt32LittleEndian(rest) * Prime1, 23) * Prime2 + Prime3;
                rest = rest[4..];
            }
            foreach (var b in rest) hash = BitOperations.RotateLeft(hash ^ b * Prime5, 11) * Prime1;
            hash = (hash ^ (hash >> 33)) * Prime2;
            hash = (hash ^ (hash >> 29)) * Prime3;
            return hash ^ (hash >> 32);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Word(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Round(ulong lane, ulong word) => unchecked(BitOperations.RotateLeft(lane + word * Prime2, 31) * Prime1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Merge(ulong hash, ulong lane) => unchecked((hash ^ Round(0, lane)) * Prime1 + Prime4);
}
