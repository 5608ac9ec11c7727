using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>Data sets side by side.</summary>
internal sealed class ZipDataset : IndexedDataset
{
    private readonly IReadOnlyList<IndexedDataset> parts;
    private IReadOnlyList<string>? names;

    public ZipDataset(IReadOnlyList<IndexedDataset> parts)
    {
        if (parts.Count == 0) throw new ArgumentException("no data set is given", nameof(parts));
        this.parts = parts;
        foreach (var part in parts)
            if (part.Count != Count) throw new InvalidInputException($"{Origin(part)} has {part.Count} samples, {Origin(parts[0])} has {Count}; fields side by side need the same number");
    }

    public override long Count => parts[0].Count;

    public override string Identity => string.Join("\n\n", parts.Select(p => p.Identity));

    public override string Locate(long index) => string.Join(" and ", parts.Select(p => p.Locate(index)));

    public override Sample Read(long index, SampleContext context)
    {
        var samples = new List<Sample>(parts.Count);
        try
        {
            foreach (var part in parts) samples.Add(part.Read(index, context));
            var found = samples.SelectMany(s => s.Names).ToArray();
            if (names is null || !found.SequenceEqual(names)) names = found;
            return new(names, [.. samples.SelectMany(s => s.Values)]);
        }
        catch
        {
            foreach (var sample in samples) sample.Dispose();
            throw;
        }
    }

    internal override bool CopyRow(long index, BatchRow row)
    {
        if (!parts.All(p => p is RowsDataset)) return false;
        var first = 0;
        foreach (var part in parts.Cast<RowsDataset>())
        {
            part.CopyRow(index, row with { First = first });
            first += part.Names.Count;
        }
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            foreach (var part in parts) part.Dispose();
        base.Dispose(disposing);
    }

    private static string Origin(IndexedDataset part) => part.Count > 0 ? part.Locate(0) : "an empty data set";
}
