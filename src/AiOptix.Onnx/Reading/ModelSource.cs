using AiOptix.Tensors;
using Google.Protobuf;

namespace AiOptix.Onnx;

/// <summary>A mapped file or a byte array that holds one message, and the stretches of it (and of files beside it) that tensors lie in.</summary>
internal sealed class ModelSource : IDisposable
{
    private readonly MemoryBlock block;
    private IReadOnlyList<(long Offset, long Length)> payloads = [];

    private ModelSource(MemoryBlock block, string name, string? folder, Limits limits)
    {
        this.block = block;
        Name = name;
        Limits = limits;
        External = new(folder);
    }

    /// <summary>What messages call it.</summary>
    public string Name { get; }

    public Limits Limits { get; }

    /// <summary>The files beside it.</summary>
    public ExternalFiles External { get; }

    /// <summary>Maps a file.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static ModelSource Open(string path, Limits limits)
    {
        var full = Path.GetFullPath(path);
        var name = $"'{path}'";
        return new(MemoryBlock.MapFile(full), name, Path.GetDirectoryName(full), limits);
    }

    /// <summary>Takes bytes in memory.</summary>
    public static ModelSource Over(ReadOnlyMemory<byte> bytes, string? folder, Limits limits) => new(MemoryBlock.Pin(bytes), "model in memory", folder, limits);

    /// <summary>Takes a stretch of memory over, to let go of it at the end.</summary>
    public static ModelSource Over(MemoryBlock block, string name, Limits limits) => new(block, name, null, limits);

    /// <summary>Whether initializers may come without their elements.</summary>
    public bool AllowAbsent { get; set; }

    /// <summary>The files that are mapped.</summary>
    public IEnumerable<FileStamp> Files => External.Files.Prepend(block.MappedFile).OfType<FileStamp>();

    /// <summary>Parses the message and finds its tensors.</summary>
    public T Parse<T>(MessageParser<T> parser, MessageKind kind) where T : IMessage<T>
    {
        var message = CompactMessage.Of(block, kind, Name, Limits);
        payloads = message.Payloads;
        return message.Parse(parser);
    }

    /// <summary>The raw data of a tensor of the message: what holds it, the offset, the length.</summary>
    public (MemoryBlock Block, long Offset, long Length)? RawData(Proto.TensorProto tensor)
    {
        if (!tensor.HasPayload) return null;
        var (offset, length) = payloads[tensor.Payload];
        return (block, offset, length);
    }

    /// <summary>Lets go of the files; tensors over them stay good.</summary>
    public void Dispose()
    {
        block.LetGo();
        External.Dispose();
    }
}
