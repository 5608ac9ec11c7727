using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>Tensors whose first axis counts samples, in memory or mapped.</summary>
/// <param name="Location">Where they come from, for messages: a file.</param>
/// <param name="Columns">A tensor for each field, all of as many rows; taken over.</param>
internal sealed record RowsShard(string Location, IReadOnlyList<Tensor> Columns)
{
    /// <summary>Samples.</summary>
    public long Rows => Columns.Count == 0 ? 0 : Columns[0].Shape[0];
}

/// <summary>Samples that are rows of tensors, shard after shard. A sample is a view; into a batch it goes by one copy.</summary>
internal sealed class RowsDataset : IndexedDataset
{
    private readonly IReadOnlyList<RowsShard> shards;
    private readonly long[] starts;
    private readonly Shape[] shapes;

    /// <param name="names">The names of the fields.</param>
    /// <param name="shards">The shards, at least one.</param>
    /// <param name="identity">Tells the data set from others.</param>
    /// <param name="faults">Rows that are known to be bad, and why.</param>
    /// <exception cref="InvalidInputException">Shards or columns do not fit together.</exception>
    public RowsDataset(IReadOnlyList<string> names, IReadOnlyList<RowsShard> shards, string identity, IReadOnlyDictionary<long, Exception>? faults = null)
    {
        (Names, this.shards, Identity, Faults) = (names, shards, identity, faults);
        shapes = [.. shards[0].Columns.Select((c, f) => c.Shape.Rank > 0 ? new Shape(c.Shape.Dims[1..]) : throw Scalar(shards[0], f))];
        starts = new long[shards.Count + 1];
        for (var i = 0; i < shards.Count; i++)
        {
            Check(shards[i]);
            starts[i + 1] = starts[i] + shards[i].Rows;
        }
    }

    /// <summary>The names of the fields.</summary>
    public IReadOnlyList<string> Names { get; }

    public override long Count => starts[^1];

    public override string Identity { get; }

    private IReadOnlyDictionary<long, Exception>? Faults { get; }

    public override string Locate(long index)
    {
        var (shard, row) = Find(index);
        return $"{shard.Location}, row {row}";
    }

    public override Sample Read(long index, SampleContext context)
    {
        ThrowIfBad(index);
        var (shard, row) = Find(index);
        return new(Names, [.. shard.Columns.Select((c, f) => c.DType == DType.String
            ? Tensor.FromStrings(c.Strings[(int)(row * shapes[f].Count)..(int)((row + 1) * shapes[f].Count)], shapes[f])
            : c.View(row * shapes[f].Count, shapes[f]))]);
    }

    internal override bool CopyRow(long index, BatchRow target)
    {
        ThrowIfBad(index);
        var (shard, row) = Find(index);
        for (var f = 0; f < shapes.Length; f++) target.Put(f, shard.Columns[f], row);
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            foreach (var column in shards.SelectMany(s => s.Columns)) column.Dispose();
        base.Dispose(disposing);
    }

    private void ThrowIfBad(long index)
    {
        if (Faults is not null && Faults.TryGetValue(index, out var fault)) throw fault;
    }

    private (RowsShard Shard, long Row) Find(long index)
    {
        var at = starts.Length == 2 ? 0 : Array.BinarySearch(starts, index);
        if (at < 0) at = ~at - 1;
        while (shards[at].Rows == 0) at++;
        return (shards[at], index - starts[at]);
    }

    private void Check(RowsShard shard)
    {
        for (var f = 0; f < shapes.Length; f++)
        {
            var (column, first) = (shard.Columns[f], shards[0].Columns[f]);
            if (column.Shape.Rank == 0) throw Scalar(shard, f);
            if (column.DType.IsPacked()) throw new InputTypeException($"{shard.Location}: '{Names[f]}' is {column}; elements that share bytes cannot be rows of their own");
            if (column.DType != first.DType || !column.Shape.Dims[1..].SequenceEqual(shapes[f].Dims))
                throw new InvalidInputException($"{shard.Location}: '{Names[f]}' has rows of {column.DType.Name()}{new Shape(column.Shape.Dims[1..])}, expected {first.DType.Name()}{shapes[f]} as in {shards[0].Location}");
            if (column.Shape[0] != shard.Rows)
                throw new InvalidInputException($"{shard.Location}: '{Names[f]}' has {column.Shape[0]} rows, '{Names[0]}' has {shard.Rows}; the first axis of each field counts the same samples");
        }
    }

    private InvalidInputException Scalar(RowsShard shard, int field) =>
        new($"{shard.Location}: '{Names[field]}' is a scalar; its first axis should count samples (or say that each file is one sample)");
}
