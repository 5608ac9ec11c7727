using System.Runtime.CompilerServices;
using AiOptix.Tensors;
using Google.Protobuf;

namespace AiOptix.Onnx;

/// <summary>
/// A message without the raw data of its tensors. Each <c>TensorProto</c> that had any carries in <c>payload</c> the index of the stretch of the
/// file where it lies; such a field in the file itself is dropped, so the link cannot be forged. Enclosing lengths are written anew, always in five bytes.
/// </summary>
internal sealed class CompactMessage
{
    private const int LengthBytes = 5;

    /// <summary>What the stack holds, whatever the limits say.</summary>
    private const int DeepestNesting = 256;

    private readonly WireReader reader;
    private readonly string source;
    private readonly Limits limits;
    private readonly List<(long Offset, long Length)> payloads = [];
    private byte[] bytes;
    private int length;

    private CompactMessage(MemoryBlock block, string source, Limits limits)
    {
        this.source = source;
        this.limits = limits;
        reader = new(block, source);
        bytes = new byte[Math.Min(block.Length + 64, 1 << 16)];
    }

    /// <summary>Where the raw data lies, offsets from the start of the block.</summary>
    public IReadOnlyList<(long Offset, long Length)> Payloads => payloads;

    /// <summary>Walks over a message.</summary>
    /// <param name="block">The message; may be larger than 2 GB.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="source">The file's name, for errors.</param>
    /// <param name="limits">Bounds on depth and size.</param>
    /// <exception cref="ModelFormatException">The bytes are not such a message.</exception>
    /// <exception cref="LimitExceededException">It is nested too deeply, or too large without its tensors.</exception>
    public static CompactMessage Of(MemoryBlock block, MessageKind kind, string source, Limits limits)
    {
        var message = new CompactMessage(block, source, limits);
        message.Walk(kind, block.Length, 1);
        GC.KeepAlive(block);
        return message;
    }

    /// <summary>Has the protobuf library parse what is left.</summary>
    /// <exception cref="ModelFormatException">It refuses.</exception>
    public T Parse<T>(MessageParser<T> parser) where T : IMessage<T>
    {
        try
        {
            using var stream = new MemoryStream(bytes, 0, length);
            using var input = CodedInputStream.CreateWithLimits(stream, int.MaxValue, DeepestNesting + 32);
            return parser.WithDiscardUnknownFields(true).ParseFrom(input);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or ArgumentException)
        {
            throw new ModelFormatException($"{source}: damaged, or not of the expected kind: {e.Message}", e);
        }
    }

    private void Walk(MessageKind message, long end, int depth)
    {
        if (depth > Math.Min(limits.MaxDepth, DeepestNesting) || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new LimitExceededException($"{source}: messages are nested more than {depth - 1} deep at byte {reader.Position} (Limits.MaxDepth, at most {DeepestNesting})");
        var payload = -1;
        while (reader.Position < end)
        {
            var start = reader.Position;
            var (field, wireType) = reader.ReadTag(end);
            var kind = MessageKinds.Of(message, field);
            if (kind is MessageKind.Kept or MessageKind.Dropped)
            {
                reader.Skip(wireType, end);
                if (kind == MessageKind.Kept) Copy(start, reader.Position - start);
                continue;
            }
            if (wireType != WireReader.Delimited) throw reader.Error($"field {field} of {message} has wire type {wireType}, expected {WireReader.Delimited}", start);
            var size = reader.ReadLength(end);
            if (kind == MessageKind.Payload)
            {
                payload = payloads.Count;
                payloads.Add((reader.Position, size));
                reader.Position += size;
                continue;
            }
            PutVarint(((ulong)field << 3) | WireReader.Delimited);
            var at = Grow(LengthBytes);
            Walk(kind, reader.Position + size, depth + 1);
            PutLength(at, length - at - LengthBytes);
        }
        if (payload < 0) return;
        PutVarint(((ulong)MessageKinds.PayloadField << 3) | WireReader.Varint);
        PutVarint((ulong)payload);
    }

    private void Copy(long from, long count)
    {
        var at = Grow(count);
        reader.Block.Slice(from, (int)count).CopyTo(bytes.AsSpan(at));
    }

    private void PutVarint(ulong value)
    {
        Span<byte> digits = stackalloc byte[10];
        var n = 0;
        for (; value >= 0x80; value >>= 7) digits[n++] = (byte)(value | 0x80);
        digits[n++] = (byte)value;
        var at = Grow(n);
        digits[..n].CopyTo(bytes.AsSpan(at));
    }

    private void PutLength(int at, int value)
    {
        for (var i = 0; i < LengthBytes - 1; i++) bytes[at + i] = (byte)((value >> (7 * i)) | 0x80);
        bytes[at + LengthBytes - 1] = (byte)(value >> (7 * (LengthBytes - 1)));
    }

    private int Grow(long count)
    {
        var at = length;
        if (at + count > Array.MaxLength)
            throw new LimitExceededException($"{source}: the model without the raw data of its tensors exceeds {Array.MaxLength} bytes; store tensors as raw_data or external data");
        length = (int)(at + count);
        if (length > bytes.Length) Array.Resize(ref bytes, (int)Math.Min(Array.MaxLength, Math.Max(length, 2L * bytes.Length)));
        return at;
    }
}
