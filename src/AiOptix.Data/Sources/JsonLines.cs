using System.Text.Json;
using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>A field made of columns of a table or properties of a JSON object.</summary>
/// <param name="Name">The name of the field.</param>
/// <param name="Columns">The columns; of several the field is a vector of their values.</param>
/// <param name="Type">The element type: an integer type, float32, float64, bool or string.</param>
public sealed record ColumnField(string Name, IReadOnlyList<string> Columns, DType Type = DType.Float32)
{
    /// <summary>A field of one column: a scalar, or what the column's nested lists give.</summary>
    public ColumnField(string name, string column, DType type = DType.Float32) : this(name, [column], type) { }

    internal void Check()
    {
        if (Columns.Count == 0) throw new ArgumentException($"field '{Name}' names no column");
        if (!ScalarValues.CanHold(Type)) throw new ArgumentException($"field '{Name}' cannot be {Type.Name()}: integers of 8 to 64 bits, float32, float64, bool and string can be read from text");
    }
}

public static partial class Datasets
{
    /// <summary>JSON Lines: an object a line, of which properties become fields. A property may be a number, a text, a truth value, or nested lists of equal lengths. Files are mapped; lines are parsed when they are read.</summary>
    /// <param name="paths">Files, folders, patterns.</param>
    /// <param name="fields">The fields.</param>
    /// <exception cref="IOException">A file is not there or cannot be opened.</exception>
    public static IndexedDataset JsonLines(IEnumerable<string> paths, IReadOnlyList<ColumnField> fields)
    {
        if (fields.Count == 0) throw new ArgumentException("no field is named", nameof(fields));
        foreach (var field in fields) field.Check();
        return new JsonLinesDataset(DataFiles.Find(paths, ".jsonl", ".ndjson"), fields);
    }
}

/// <summary>Lines of mapped files, found once and parsed when read.</summary>
internal sealed class JsonLinesDataset : IndexedDataset
{
    private const int Chunk = 1 << 30;

    private readonly IReadOnlyList<string> files;
    private readonly IReadOnlyList<ColumnField> fields;
    private readonly string[] names;
    private readonly List<MemoryBlock> blocks = [];
    private readonly List<(int File, int Line, long Start, int Length)> lines = [];

    public JsonLinesDataset(IReadOnlyList<string> files, IReadOnlyList<ColumnField> fields)
    {
        (this.files, this.fields, names) = (files, fields, [.. fields.Select(f => f.Name)]);
        Identity = DataFiles.Identity(files);
        for (var f = 0; f < files.Count; f++)
        {
            blocks.Add(MemoryBlock.MapFile(files[f]));
            FindLines(f, blocks[f]);
        }
    }

    public override long Count => lines.Count;

    public override string Identity { get; }

    public override string Locate(long index) => $"{files[lines[(int)index].File]}, line {lines[(int)index].Line}";

    public override Sample Read(long index, SampleContext context)
    {
        var (file, _, start, length) = lines[(int)index];
        var values = new List<Tensor>(fields.Count);
        try
        {
            using var document = JsonDocument.Parse(blocks[file].Slice(start, length).ToArray());
            foreach (var field in fields) values.Add(Field(document.RootElement, field, context.Limits));
            return new(names, values);
        }
        catch (Exception e)
        {
            foreach (var value in values) value.Dispose();
            if (e is JsonException or InvalidOperationException or FormatException) throw new InvalidInputException(e.Message, e);
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var block in disposing ? blocks : []) block.LetGo();
        blocks.Clear();
        base.Dispose(disposing);
    }

    private static Tensor Field(JsonElement line, ColumnField field, Limits limits)
    {
        var elements = new JsonElement[field.Columns.Count];
        for (var c = 0; c < elements.Length; c++)
        {
            if (line.ValueKind != JsonValueKind.Object) throw new InvalidInputException($"the line is a JSON {line.ValueKind}, expected an object");
            if (!line.TryGetProperty(field.Columns[c], out elements[c])) throw new InvalidInputException($"there is no property '{field.Columns[c]}'");
        }
        var extents = new List<long>();
        if (elements.Length > 1) extents.Add(elements.Length);
        for (var e = elements[0]; e.ValueKind == JsonValueKind.Array; e = e[0])
        {
            extents.Add(e.GetArrayLength());
            if (extents[^1] == 0) break;
        }
        var shape = new Shape([.. extents]);
        limits.CheckTensor(field.Type, shape, $"field '{field.Name}'");
        var values = ScalarValues.Create(field.Type, shape);
        var at = 0L;
        foreach (var element in elements) Put(element, elements.Length > 1 ? 1 : 0);
        return values.Tensor;

        void Put(JsonElement e, int axis)
        {
            if (axis == shape.Rank)
            {
                values.Put(at++, e);
                return;
            }
            if (e.ValueKind != JsonValueKind.Array || e.GetArrayLength() != shape[axis])
                throw new InvalidInputException($"field '{field.Name}' is no block of shape {shape}: its lists have different lengths");
            foreach (var item in e.EnumerateArray()) Put(item, axis + 1);
        }
    }

    private void FindLines(int file, MemoryBlock block)
    {
        var line = 0;
        for (long start = 0; start < block.Length;)
        {
            var rest = block.Slice(start, (int)Math.Min(Chunk, block.Length - start));
            var end = rest.IndexOf((byte)'\n');
            if (end < 0 && rest.Length == Chunk) throw new LimitExceededException($"{files[file]}, line {line + 1}: over {Chunk} bytes without an end");
            var length = end < 0 ? rest.Length : end;
            line++;
            if (!rest[..length].Trim(" \t\r"u8).IsEmpty) lines.Add((file, line, start, length));
            start += length + 1;
        }
    }
}
