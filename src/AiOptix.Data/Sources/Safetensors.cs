using System.Buffers.Binary;
using System.Text.Json;
using AiOptix.Tensors;

namespace AiOptix.Data;

public static partial class Datasets
{
    /// <summary>Safetensors files, mapped: each tensor is a field.</summary>
    /// <param name="paths">Files, folders, patterns.</param>
    /// <param name="names">Which tensors to read, in which order; none reads all, by name.</param>
    /// <param name="content">What a file holds.</param>
    /// <exception cref="IOException">A file is not there or cannot be opened.</exception>
    /// <exception cref="ModelFormatException">A file is damaged, or lacks a name.</exception>
    public static IndexedDataset Safetensors(IEnumerable<string> paths, IReadOnlyList<string>? names = null, FileContent content = FileContent.Rows)
    {
        var files = DataFiles.Find(paths, ".safetensors");
        if (content == FileContent.Sample) return new FilesDataset(files, (index, _) => SafetensorsFile.Read(files[(int)index], names));
        IReadOnlyList<string> found = names ?? SafetensorsFile.Names(files[0]);
        return Rows(found, files, file => SafetensorsFile.Read(file, found).Tensors);
    }
}

/// <summary>Reads the safetensors format: 8 bytes of length, a JSON header with type, shape and place of each tensor, the data.</summary>
internal static class SafetensorsFile
{
    private const int MostHeaderBytes = 100_000_000;

    private static readonly (string Name, DType Type)[] types =
    [
        ("F64", DType.Float64), ("F32", DType.Float32), ("F16", DType.Float16), ("BF16", DType.BFloat16), ("I64", DType.Int64), ("I32", DType.Int32), ("I16", DType.Int16), ("I8", DType.Int8),
        ("U64", DType.UInt64), ("U32", DType.UInt32), ("U16", DType.UInt16), ("U8", DType.UInt8), ("BOOL", DType.Bool), ("F8_E4M3", DType.Float8E4M3FN), ("F8_E5M2", DType.Float8E5M2),
        ("C64", DType.Complex64),
    ];

    /// <summary>The names of a file's tensors, sorted.</summary>
    public static IReadOnlyList<string> Names(string path)
    {
        using var sample = Read(path, null);
        return sample.Names;
    }

    /// <summary>Maps tensors.</summary>
    public static Sample Read(string path, IReadOnlyList<string>? names)
    {
        var file = MemoryBlock.MapFile(path);
        var values = new List<Tensor>();
        try
        {
            if (file.Length < 8) throw new ModelFormatException($"{path} is no safetensors file: it has {file.Length} bytes");
            var length = BinaryPrimitives.ReadUInt64LittleEndian(file.Slice(0, 8));
            if (length > MostHeaderBytes || length > (ulong)(file.Length - 8)) throw new ModelFormatException($"{path}: the header claims {length} bytes; the file has {file.Length - 8} after its length field, and at most {MostHeaderBytes} are accepted");
            using var header = JsonDocument.Parse(file.Slice(8, (int)length).ToArray());
            var there = header.RootElement.EnumerateObject().Where(p => p.Name != "__metadata__").Select(p => p.Name).Order(StringComparer.Ordinal).ToArray();
            names ??= there;
            foreach (var name in names)
            {
                if (!header.RootElement.TryGetProperty(name, out var entry)) throw new ModelFormatException($"{path} has no tensor '{name}'; it has {string.Join(", ", there.Select(t => $"'{t}'"))}");
                values.Add(Map(file, 8 + (long)length, entry, $"{path}, tensor '{name}'"));
            }
            return new(names, values);
        }
        catch (Exception e)
        {
            foreach (var value in values) value.Dispose();
            if (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or InvalidGraphException or LimitExceededException) throw new ModelFormatException($"{path}: the header is damaged: {e.Message}", e);
            throw;
        }
        finally
        {
            file.LetGo();
        }
    }

    private static Tensor Map(MemoryBlock file, long start, JsonElement entry, string name)
    {
        var text = entry.GetProperty("dtype").GetString();
        var type = Array.Find(types, t => t.Name == text).Type;
        if (type == DType.Undefined) throw new ModelFormatException($"{name} has the type '{text}', which is not known; known are {string.Join(", ", types.Select(t => t.Name))}");
        var shape = new Shape([.. entry.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())]);
        var offsets = entry.GetProperty("data_offsets");
        var (from, to) = (offsets[0].GetInt64(), offsets[1].GetInt64());
        var bytes = type.ByteLength(shape.Count);
        if (from < 0 || to < from || to > file.Length - start || to - from != bytes)
            throw new ModelFormatException($"{name} is {type.Name()}{shape}, {bytes} bytes; the header puts it at {from} to {to} of {file.Length - start}");
        return Tensor.Over(file, start + from, type, shape);
    }
}
