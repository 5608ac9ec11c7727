using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>Samples for a <see cref="DataLoader"/>: read by index (<see cref="IndexedDataset"/>) or one after the other (<see cref="StreamDataset"/>).</summary>
public abstract class Dataset : IDisposable
{
    /// <summary>What tells this data set from another, files by name and length: part of a loader's saved state, so that it is not resumed on other data.</summary>
    public abstract string Identity { get; }

    /// <summary>The samples in order, without a loader: each as the tensors of the names given, in that order.</summary>
    /// <param name="names">The names of the tensors wanted.</param>
    /// <param name="limits">What a sample may ask for.</param>
    /// <exception cref="SampleException">A sample cannot be read, or lacks a name.</exception>
    public IEnumerable<Tensor[]> Tensors(IReadOnlyList<string> names, Limits? limits = null)
    {
        using var loader = new DataLoader(this, new() { BatchSize = null, Workers = 0, Prefetch = 1, Limits = limits ?? Limits.Default });
        foreach (var batch in loader)
            using (batch)
                yield return [.. names.Select(n => batch[n].Share())];
    }

    /// <summary>Lets go of files and memory. Tensors that were read stay valid.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="Dispose()"/>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>Samples that are read by index, from any number of threads at once.</summary>
public abstract class IndexedDataset : Dataset
{
    /// <summary>How many samples there are.</summary>
    public abstract long Count { get; }

    /// <summary>Reads a sample; whatever it throws is that sample's error.</summary>
    /// <param name="index">From 0 up to, but without, <see cref="Count"/>.</param>
    /// <param name="context">Limits, memory, seed.</param>
    public abstract Sample Read(long index, SampleContext context);

    /// <summary>Where a sample comes from, for messages: file and row.</summary>
    public virtual string Locate(long index) => $"sample {index}";

    /// <summary>Copies a sample straight into a row of a batch whose fields it fits. False: it cannot, <see cref="Read"/> does.</summary>
    internal virtual bool CopyRow(long index, BatchRow row) => false;
}

/// <summary>Samples that come one after the other. They are pulled by one thread at a time, in order, and transformed by all workers.</summary>
public abstract class StreamDataset : Dataset
{
    /// <summary>The samples of an epoch. Whatever the enumerator throws ends the epoch and goes to the user.</summary>
    public abstract IEnumerable<Sample> Samples(long epoch);
}
