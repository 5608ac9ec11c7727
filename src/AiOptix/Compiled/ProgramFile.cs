using System.Buffers.Binary;
using System.Reflection;
using System.Text;
using AiOptix.Cpu;
using AiOptix.Graphs;
using AiOptix.Kernels;
using AiOptix.Onnx;
using AiOptix.Passes;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Compiled;

/// <summary>
/// The file of a saved program. A page of head: magic, where the <see cref="Manifest"/> lies and its checksum, and the path of the model, so that it is known even when the rest
/// is damaged. Then the content: the graph as ONNX, with constants that are only needed packed left out, and the packed weights as kernels read them. The manifest comes last.
/// Everything is little-endian.
/// </summary>
internal sealed class ProgramFile
{
    /// <summary>Its name in the folder of a saved program.</summary>
    public const string Name = "program.optix";

    /// <summary>Bytes of the head; content begins behind it.</summary>
    public const int HeadBytes = 4096;

    /// <summary>Packed weights begin at multiples of this.</summary>
    public const int Alignment = 64;

    private const ulong Magic = 0x314D_4152_474F_5250; // "PROGRAM1"
    private const int PathAt = 48;

    private readonly MemoryBlock block;
    private readonly long end;

    private ProgramFile(MemoryBlock block, Manifest manifest, long end)
    {
        this.block = block.Hold();
        this.end = end;
        Manifest = manifest;
    }

    /// <summary>What the file says of itself.</summary>
    public Manifest Manifest { get; }

    /// <summary>Names this build: files of another one are not trusted.</summary>
    public static string ThisBuild { get; } = BuildOf(typeof(MemoryBlock), typeof(Graph), typeof(OnnxFile), typeof(PassDriver), typeof(Session), typeof(HostTarget), typeof(CpuBackend));

    /// <summary>The model that the head names; null when it names none or is damaged.</summary>
    public static string? ModelOf(MemoryBlock file)
    {
        if (!IsWhole(file)) return null;
        var head = file.Slice(0, HeadBytes);
        var length = BinaryPrimitives.ReadInt32LittleEndian(head[40..]);
        if (length is <= 0 or > HeadBytes - PathAt) return null;
        return Checksum.Of(head.Slice(PathAt, length)) == BinaryPrimitives.ReadUInt64LittleEndian(head[32..]) ? Encoding.UTF8.GetString(head.Slice(PathAt, length)) : null;
    }

    /// <summary>Whether a file that begins with these 8 bytes claims to be a saved program.</summary>
    public static bool IsMagic(ReadOnlySpan<byte> begin) => BinaryPrimitives.ReadUInt64LittleEndian(begin) == Magic;

    private static bool IsWhole(MemoryBlock file) => file.Length >= HeadBytes && IsMagic(file.Slice(0, 8));

    /// <summary>Reads the manifest and holds every place that it names against the file.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public static ProgramFile Read(MemoryBlock file)
    {
        if (!IsWhole(file)) throw new ModelFormatException("it is truncated, or no saved program");
        var head = file.Slice(0, HeadBytes);
        var (at, length, sum) = (BinaryPrimitives.ReadInt64LittleEndian(head[8..]), BinaryPrimitives.ReadInt64LittleEndian(head[16..]), BinaryPrimitives.ReadUInt64LittleEndian(head[24..]));
        if (at < HeadBytes || length is < 0 or > int.MaxValue || at > file.Length - length) throw new ModelFormatException("it is truncated");
        var text = file.Slice(at, (int)length);
        if (Checksum.Of(text) != sum) throw new ModelFormatException("its manifest is damaged");
        try
        {
            var manifest = Manifest.Read(Encoding.UTF8.GetString(text));
            Check(manifest.Graph.Offset, manifest.Graph.Length, at);
            for (var i = 0; i < manifest.Blocks.Count; i++)
            {
                Check(manifest.Blocks[i].Offset, manifest.Blocks[i].Length, at);
                if (manifest.Blocks[i].Offset % Alignment != 0) throw new FormatException("packed weights are not aligned");
            }
            for (var i = 0; i < manifest.Asked.Length; i++)
                if (manifest.Asked[i] >= manifest.Blocks.Count) throw new FormatException("it asks for packed weights that are not there");
            if (manifest.Sums.Length != Chunks.Count(at - HeadBytes)) throw new FormatException("the number of checksums does not fit the content");
            return new(file, manifest, at);
        }
        catch (FormatException e)
        {
            throw new ModelFormatException($"its manifest is damaged: {e.Message}", e);
        }
    }

    private static void Check(long offset, long bytes, long end)
    {
        if (offset < HeadBytes || bytes > end - offset) throw new FormatException($"{bytes} bytes at {offset} do not lie in the content");
    }

    /// <summary>The head for a manifest.</summary>
    public static byte[] Head(long manifestAt, ReadOnlySpan<byte> manifest, string? model)
    {
        var head = new byte[HeadBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(head, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(8), manifestAt);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16), manifest.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(24), Checksum.Of(manifest));
        var path = Encoding.UTF8.GetBytes(model ?? "");
        if (path.Length > HeadBytes - PathAt) path = [];
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(32), Checksum.Of(path));
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(40), path.Length);
        path.CopyTo(head, PathAt);
        return head;
    }

    /// <summary>The graph; its constants lie in the file, or are there in packed form only.</summary>
    /// <exception cref="AiOptixException">It is damaged.</exception>
    public Graph Graph(LoadOptions options)
    {
        var part = block.Part(Manifest.Graph.Offset, Manifest.Graph.Length);
        try
        {
            return OnnxFile.Read(part, "the saved graph", new OnnxReadOptions { Limits = options.Limits, Operators = options.Operators, AllowAbsent = true });
        }
        finally
        {
            part.LetGo();
        }
    }

    /// <summary>The packed weights in the order in which lowering asks for them.</summary>
    public IReadOnlyList<PackedBlock> Packed()
    {
        var blocks = new PackedBlock[Manifest.Blocks.Count];
        for (var i = 0; i < blocks.Length; i++) blocks[i] = new(Manifest.Blocks[i].Form, block.Part(Manifest.Blocks[i].Offset, Manifest.Blocks[i].Length));
        var asked = new PackedBlock[Manifest.Asked.Length];
        for (var i = 0; i < asked.Length; i++) asked[i] = blocks[Manifest.Asked[i]];
        return asked;
    }

    /// <summary>What holds the content against its checksums; each fails with <see cref="ModelFormatException"/>.</summary>
    public IReadOnlyList<Preparation> Checks()
    {
        var checks = new Preparation[Manifest.Sums.Length];
        for (var i = 0; i < checks.Length; i++)
        {
            var chunk = i;
            checks[i] = new("checksums", () => Check(chunk));
        }
        return checks;
    }

    private void Check(int chunk)
    {
        if (Chunks.Sum(block, HeadBytes, end - HeadBytes, chunk) != Manifest.Sums[chunk]) throw new ModelFormatException("its content is damaged");
        GC.KeepAlive(block);
    }

    private static string BuildOf(params Type[] rooms)
    {
        var ids = new byte[16 * rooms.Length];
        for (var i = 0; i < rooms.Length; i++) rooms[i].Module.ModuleVersionId.TryWriteBytes(ids.AsSpan(16 * i));
        return $"{typeof(Model).Assembly.GetName().Version}-{Checksum.Of(ids):x16}";
    }
}
