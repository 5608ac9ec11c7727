using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>Copies elements between two tensors of one type, whatever the type, without looking at them. Both tensors must outlive it.</summary>
internal readonly ref struct ElementMover
{
    private readonly int bits;
    private readonly ReadOnlySpan<byte> source;
    private readonly Span<byte> destination;
    private readonly string[]? sourceStrings;
    private readonly string[]? destinationStrings;

    public ElementMover(Tensor source, Tensor destination)
    {
        if (source.DType != destination.DType) throw new ArgumentException($"cannot move {source.DType.Name()} elements into a {destination.DType.Name()} tensor");
        bits = source.DType.Bits();
        if (source.DType == DType.String)
        {
            sourceStrings = source.Strings;
            destinationStrings = destination.Strings;
            return;
        }
        this.source = source.Bytes;
        this.destination = destination.Bytes;
    }

    /// <summary>Copies a contiguous run; positions count elements.</summary>
    public void Copy(long from, long to, long count)
    {
        if (sourceStrings is not null) Array.Copy(sourceStrings, from, destinationStrings!, to, count);
        else if (bits >= 8)
        {
            var width = bits / 8;
            source.Slice(checked((int)(from * width)), checked((int)(count * width))).CopyTo(destination[checked((int)(to * width))..]);
        }
        else Copy(from, 1, to, 1, count);
    }

    /// <summary>Copies elements that lie a step apart.</summary>
    public void Copy(long from, long fromStep, long to, long toStep, long count)
    {
        switch (bits)
        {
            case 0:
                for (long i = 0; i < count; i++) destinationStrings![to + i * toStep] = sourceStrings![from + i * fromStep];
                break;
            case 8:
                Move(source, destination, from, fromStep, to, toStep, count);
                break;
            case 16:
                Move(MemoryMarshal.Cast<byte, ushort>(source), MemoryMarshal.Cast<byte, ushort>(destination), from, fromStep, to, toStep, count);
                break;
            case 32:
                Move(MemoryMarshal.Cast<byte, uint>(source), MemoryMarshal.Cast<byte, uint>(destination), from, fromStep, to, toStep, count);
                break;
            case 64:
                Move(MemoryMarshal.Cast<byte, ulong>(source), MemoryMarshal.Cast<byte, ulong>(destination), from, fromStep, to, toStep, count);
                break;
            case 128:
                Move(MemoryMarshal.Cast<byte, UInt128>(source), MemoryMarshal.Cast<byte, UInt128>(destination), from, fromStep, to, toStep, count);
                break;
            default:
                for (long i = 0; i < count; i++) MovePacked(from + i * fromStep, to + i * toStep);
                break;
        }
    }

    /// <summary>Copies a box: every index within <paramref name="extents"/>, positions advancing by the steps of its axis on either side.</summary>
    public void CopyBox(ReadOnlySpan<long> extents, long from, ReadOnlySpan<long> fromSteps, long to, ReadOnlySpan<long> toSteps)
    {
        if (extents.Length == 0)
        {
            Copy(from, to, 1);
            return;
        }
        if (extents.Length == 1)
        {
            if (fromSteps[0] == 1 && toSteps[0] == 1) Copy(from, to, extents[0]);
            else Copy(from, fromSteps[0], to, toSteps[0], extents[0]);
            return;
        }
        for (long i = 0; i < extents[0]; i++) CopyBox(extents[1..], from + i * fromSteps[0], fromSteps[1..], to + i * toSteps[0], toSteps[1..]);
    }

    /// <summary>Copies a box whose axes are each picked from by a list of source positions; -1 leaves the destination as it is.</summary>
    public void CopyMapped(ReadOnlySpan<long[]> maps, long from, ReadOnlySpan<long> fromSteps, long to, ReadOnlySpan<long> toSteps)
    {
        if (maps.Length == 0)
        {
            Copy(from, to, 1);
            return;
        }
        var map = maps[0];
        for (long i = 0; i < map.Length; i++)
        {
            if (map[i] < 0) continue;
            if (maps.Length > 1)
            {
                CopyMapped(maps[1..], from + map[i] * fromSteps[0], fromSteps[1..], to + i * toSteps[0], toSteps[1..]);
                continue;
            }
            long run = 1;
            while (i + run < map.Length && map[i + run] == map[i] + run) run++;
            Copy(from + map[i], to + i, run);
            i += run - 1;
        }
    }

    /// <summary>Fills the whole destination with the source element at a position.</summary>
    public void Fill(long from, long count) => Copy(from, 0, 0, 1, count);

    private static void Move<T>(ReadOnlySpan<T> source, Span<T> destination, long from, long fromStep, long to, long toStep, long count)
    {
        for (long i = 0; i < count; i++) destination[(int)(to + i * toStep)] = source[(int)(from + i * fromStep)];
    }

    private void MovePacked(long from, long to)
    {
        var perByte = 8 / bits;
        var mask = (1 << bits) - 1;
        var value = (source[(int)(from / perByte)] >> (int)(from % perByte * bits)) & mask;
        var shift = (int)(to % perByte * bits);
        ref var target = ref destination[(int)(to / perByte)];
        target = (byte)((target & ~(mask << shift)) | (value << shift));
    }
}
