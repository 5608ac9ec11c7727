using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>What a file of tensors holds.</summary>
public enum FileContent
{
    /// <summary>Samples: the first axis counts them.</summary>
    Rows,
    /// <summary>One sample.</summary>
    Sample,
}

/// <summary>
/// Makes data sets. Paths are files, folders, or patterns (<c>*</c> and <c>?</c> within a name, <c>**</c> for folders at any depth), and stand for files in the order of their names.
/// </summary>
public static partial class Datasets
{
    /// <summary>Tensors in memory whose first axis counts samples. They are borrowed: the data set holds their memory, and who writes to it changes samples.</summary>
    /// <param name="arrays">The tensors, by name of their field.</param>
    /// <exception cref="InvalidInputException">Their first axes differ, or there is none.</exception>
    public static IndexedDataset Arrays(IReadOnlyDictionary<string, Tensor> arrays)
    {
        if (arrays.Count == 0) throw new ArgumentException("no array is given", nameof(arrays));
        return new RowsDataset([.. arrays.Keys], [new("the arrays", [.. arrays.Values.Select(t => t.Share())])], string.Join('\n', arrays.Select(a => $"{a.Key} {a.Value}")));
    }

    /// <summary>Samples that are there already, or are made when asked for.</summary>
    /// <param name="samples">The samples; the data set shares their memory.</param>
    public static IndexedDataset List(IReadOnlyList<Sample> samples) => Function(samples.Count, (index, _) => new(samples[(int)index].Names, [.. samples[(int)index].Values.Select(v => v.Share())]));

    /// <summary>Samples that a function makes, from any number of threads at once.</summary>
    /// <param name="count">How many there are.</param>
    /// <param name="read">Makes the sample of an index.</param>
    /// <param name="identity">Tells these samples from others in a saved state.</param>
    public static IndexedDataset Function(long count, Func<long, SampleContext, Sample> read, string identity = "function")
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return new FunctionDataset(count, read, identity);
    }

    /// <summary>Samples of an enumerable, pulled in its order by one thread at a time. Each epoch enumerates anew.</summary>
    /// <param name="samples">The samples, which are taken over.</param>
    /// <param name="identity">Tells these samples from others in a saved state.</param>
    public static StreamDataset Of(IEnumerable<Sample> samples, string identity = "stream") => new EnumerableDataset(samples, identity);

    /// <summary>Data sets side by side: sample i has the fields of sample i of each.</summary>
    /// <param name="parts">The data sets, all of as many samples; taken over.</param>
    /// <exception cref="InvalidInputException">Their numbers of samples differ.</exception>
    public static IndexedDataset Zip(params IReadOnlyList<IndexedDataset> parts) => parts.Count == 1 ? parts[0] : new ZipDataset(parts);

    private sealed class FunctionDataset(long count, Func<long, SampleContext, Sample> read, string identity) : IndexedDataset
    {
        public override long Count => count;

        public override string Identity => identity;

        public override Sample Read(long index, SampleContext context) => read(index, context);
    }

    private sealed class EnumerableDataset(IEnumerable<Sample> samples, string identity) : StreamDataset
    {
        public override string Identity => identity;

        public override IEnumerable<Sample> Samples(long epoch) => samples;
    }
}
