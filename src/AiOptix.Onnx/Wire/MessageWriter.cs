using AiOptix.Tensors;
using Google.Protobuf;

namespace AiOptix.Onnx;

/// <summary>
/// Writes a message whose tensors carry <c>payload</c> indices: each becomes <c>raw_data</c>, straight from the tensor's memory into the stream, and the lengths of
/// the messages around it grow by what it takes.
/// </summary>
internal sealed class MessageWriter
{
    private const int Chunk = 1 << 24;
    private readonly WireReader reader;
    private readonly IReadOnlyList<Tensor> payloads;
    private readonly List<long> sizes = [];
    private int next;

    private MessageWriter(MemoryBlock compact, IReadOnlyList<Tensor> payloads)
    {
        reader = new(compact, "message");
        this.payloads = payloads;
    }

    /// <summary>Writes a message.</summary>
    /// <param name="message">The message; its tensors name payloads by index.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="payloads">The tensors whose memory is the raw data.</param>
    /// <param name="to">Where it goes.</param>
    /// <param name="cancellation">Ends a long write.</param>
    public static void Write(IMessage message, MessageKind kind, IReadOnlyList<Tensor> payloads, Stream to, CancellationToken cancellation)
    {
        var block = MemoryBlock.Pin(message.ToByteArray());
        var writer = new MessageWriter(block, payloads);
        writer.Measure(kind, block.Length);
        writer.reader.Position = 0;
        writer.Expand(kind, block.Length, to, cancellation);
        block.LetGo();
    }

    /// <summary>Writes the memory of a tensor.</summary>
    public static void WriteData(Tensor tensor, Stream to, CancellationToken cancellation)
    {
        for (long at = 0; at < tensor.ByteLength; at += Chunk)
        {
            cancellation.ThrowIfCancellationRequested();
            to.Write(tensor.BytesAt(at, (int)Math.Min(Chunk, tensor.ByteLength - at)));
        }
        GC.KeepAlive(tensor);
    }

    /// <summary>The size of a message once it is expanded; those of the messages in it are listed in the order in which they begin.</summary>
    private long Measure(MessageKind message, long end)
    {
        long size = 0;
        while (reader.Position < end)
        {
            var (start, field, kind) = ReadField(message, end, out var wireType);
            if (kind == MessageKind.Kept)
            {
                reader.Skip(wireType, end);
                size += reader.Position - start;
            }
            else if (kind == MessageKind.Payload)
            {
                size += Delimited(MessageKinds.RawDataField, payloads[(int)reader.ReadVarint(end)].ByteLength);
            }
            else
            {
                var length = reader.ReadLength(end);
                var slot = sizes.Count;
                sizes.Add(0);
                sizes[slot] = Measure(kind, reader.Position + length);
                size += Delimited(field, sizes[slot]);
            }
        }
        return size;
    }

    private void Expand(MessageKind message, long end, Stream to, CancellationToken cancellation)
    {
        while (reader.Position < end)
        {
            var (start, field, kind) = ReadField(message, end, out var wireType);
            if (kind == MessageKind.Kept)
            {
                reader.Skip(wireType, end);
                to.Write(reader.Block.Slice(start, (int)(reader.Position - start)));
            }
            else if (kind == MessageKind.Payload)
            {
                var tensor = payloads[(int)reader.ReadVarint(end)];
                PutHeader(MessageKinds.RawDataField, tensor.ByteLength, to);
                WriteData(tensor, to, cancellation);
            }
            else
            {
                var length = reader.ReadLength(end);
                PutHeader(field, sizes[next++], to);
                Expand(kind, reader.Position + length, to, cancellation);
            }
        }
    }

    private (long Start, int Field, MessageKind Kind) ReadField(MessageKind message, long end, out int wireType)
    {
        var start = reader.Position;
        (var field, wireType) = reader.ReadTag(end);
        var isPayload = message == MessageKind.Tensor && field == MessageKinds.PayloadField;
        return (start, field, isPayload ? MessageKind.Payload : MessageKinds.Of(message, field));
    }

    private static long Delimited(int field, long length) => VarintSize((ulong)field << 3) + VarintSize((ulong)length) + length;

    private static int VarintSize(ulong value)
    {
        var n = 1;
        for (; value >= 0x80; value >>= 7) n++;
        return n;
    }

    private static void PutHeader(int field, long length, Stream to)
    {
        PutVarint(((ulong)field << 3) | WireReader.Delimited, to);
        PutVarint((ulong)length, to);
    }

    private static void PutVarint(ulong value, Stream to)
    {
        for (; value >= 0x80; value >>= 7) to.WriteByte((byte)(value | 0x80));
        to.WriteByte((byte)value);
    }
}
