using System.Globalization;
using AiOptix.Tensors;
using nietras.SeparatedValues;

namespace AiOptix.Data;

/// <summary>How a table of text is read.</summary>
public sealed record CsvOptions
{
    /// <summary>What stands between columns; null finds it out from the first line.</summary>
    public char? Separator { get; init; }

    /// <summary>Whether the first line names the columns; otherwise their names are 0, 1, 2, …</summary>
    public bool HasHeader { get; init; } = true;
}

public static partial class Datasets
{
    /// <summary>Tables of text with quoted values (RFC 4180), read into memory when they are opened; a row that does not fit its fields is an error of that sample.</summary>
    /// <param name="paths">Files, folders, patterns.</param>
    /// <param name="fields">The fields.</param>
    /// <param name="options">Separator and header.</param>
    /// <param name="limits">What the tables may ask for.</param>
    /// <exception cref="IOException">A file is not there or cannot be opened.</exception>
    /// <exception cref="InvalidInputException">A column is not there.</exception>
    /// <exception cref="LimitExceededException">The tables hold more than allowed.</exception>
    public static IndexedDataset Csv(IEnumerable<string> paths, IReadOnlyList<ColumnField> fields, CsvOptions? options = null, Limits? limits = null)
    {
        if (fields.Count == 0) throw new ArgumentException("no field is named", nameof(fields));
        foreach (var field in fields) field.Check();
        var files = DataFiles.Find(paths, ".csv", ".tsv");
        var faults = new Dictionary<long, Exception>();
        var shards = new List<RowsShard>();
        long rows = 0, held = 0;
        foreach (var file in files)
        {
            var shard = CsvFile.Read(file, fields, options ?? new(), limits ?? Limits.Default, rows, faults);
            foreach (var column in shard.Columns) held = (limits ?? Limits.Default).Charge(held, column, "the tables");
            rows += shard.Rows;
            shards.Add(shard);
        }
        return new RowsDataset([.. fields.Select(f => f.Name)], shards, DataFiles.Identity(files), faults);
    }
}

/// <summary>Reads a table of text.</summary>
internal static class CsvFile
{
    private const int FirstRows = 1024;

    public static RowsShard Read(string path, IReadOnlyList<ColumnField> fields, CsvOptions options, Limits limits, long firstRow, Dictionary<long, Exception> faults)
    {
        try
        {
            using var reader = Reader(path, options);
            var columns = fields.Select(f => Columns(reader, f, options, path)).ToArray();
            var values = fields.Select(f => ScalarValues.Create(f.Type, Shape(f, FirstRows))).ToArray();
            var rows = 0;
            foreach (var row in reader)
            {
                if (values.Length > 0 && rows == values[0].Tensor.Shape[0])
                    for (var f = 0; f < values.Length; f++) values[f] = Grown(values[f], fields[f], 2L * rows, limits, path);
                try
                {
                    for (var f = 0; f < values.Length; f++)
                        for (var c = 0; c < columns[f].Length; c++)
                            values[f].Put((long)rows * columns[f].Length + c, columns[f][c] < row.ColCount ? row[columns[f][c]].Span : throw new InvalidInputException($"the line has {row.ColCount} columns"));
                }
                catch (InvalidInputException e)
                {
                    faults[firstRow + rows] = new InvalidInputException($"{path}, line {row.LineNumberFrom}: {e.Message}", e);
                }
                rows++;
            }
            return new(path, [.. values.Select((v, f) => v.Tensor.DType == DType.String
                ? Tensor.FromStrings(v.Tensor.Strings[..(int)Shape(fields[f], rows).Count], Shape(fields[f], rows))
                : v.Tensor.View(0, Shape(fields[f], rows)))]);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or NotSupportedException)
        {
            throw new InvalidInputException($"{path}: {e.Message}", e);
        }
    }

    private static SepReader Reader(string path, CsvOptions options)
    {
        SepReaderOptions Configured(SepReaderOptions o) => o with { HasHeader = options.HasHeader, Unescape = true, DisableColCountCheck = true };
        return (options.Separator is { } separator ? Sep.New(separator).Reader(Configured) : Sep.Reader(Configured)).FromFile(path);
    }

    private static int[] Columns(SepReader reader, ColumnField field, CsvOptions options, string path)
    {
        var columns = new int[field.Columns.Count];
        for (var c = 0; c < columns.Length; c++)
        {
            var name = field.Columns[c];
            var found = options.HasHeader ? reader.HasHeader && reader.Header.TryIndexOf(name, out columns[c]) : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out columns[c]);
            if (!found) throw new InvalidInputException($"{path} has no column '{name}'; {(options.HasHeader ? $"it has {string.Join(", ", reader.Header.ColNames.Select(n => $"'{n}'"))}" : "without a header columns are 0, 1, 2, …")}");
        }
        return columns;
    }

    private static ScalarValues Grown(ScalarValues values, ColumnField field, long rows, Limits limits, string path)
    {
        var shape = Shape(field, rows);
        limits.CheckTensor(field.Type, shape, $"{path}, field '{field.Name}'");
        var grown = ScalarValues.Create(field.Type, shape);
        var old = values.Tensor;
        if (old.DType == DType.String) old.Strings.CopyTo(grown.Tensor.Strings, 0);
        else old.Bytes.CopyTo(grown.Tensor.BytesAt(0, (int)old.ByteLength));
        old.Dispose();
        return grown;
    }

    private static Shape Shape(ColumnField field, long rows) => field.Columns.Count > 1 ? new(rows, field.Columns.Count) : new(rows);
}
