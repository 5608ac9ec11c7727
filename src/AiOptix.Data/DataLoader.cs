using System.Collections;
using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>
/// Reads a data set in batches, by threads of this process. The order is a function of seed, epoch and sample alone: the same for any number of workers. Each enumeration is one
/// epoch; one that runs to its end moves the loader on to the next. A loader is used by one thread at a time.
/// </summary>
/// <example><code>
/// using var images = new NpyDataset("images.npy", "image");
/// var loader = new DataLoader(images, new() { BatchSize = 32, Shuffle = true, Seed = 7 });
/// foreach (var batch in loader)
///     using (batch) session.Run([batch["image"]]);
/// </code></example>
public sealed class DataLoader : IEnumerable<Batch>, IDisposable
{
    private const int MostErrors = 1000;

    private readonly Dataset data;
    private readonly SampleReader samples;
    private readonly Sampler? sampler;
    private readonly List<SampleError> errors = [];
    private BatchReader? reader;
    private long nextBatch;

    /// <summary>Creates a loader; nothing is read yet.</summary>
    /// <param name="data">The data set, which stays the caller's.</param>
    /// <param name="options">How to read it.</param>
    /// <exception cref="ArgumentException">An option is out of range or does not fit the data set.</exception>
    public DataLoader(Dataset data, DataLoaderOptions? options = null)
    {
        (this.data, Options) = (data, options ?? new());
        Options.Check(data);
        samples = new(data, Options);
        sampler = data is IndexedDataset indexed ? new(indexed.Count, Options) : null;
    }

    /// <summary>How it reads.</summary>
    public DataLoaderOptions Options { get; }

    /// <summary>Batches an epoch; null for a stream, of which only its end tells.</summary>
    public long? Count => sampler?.Batches;

    /// <summary>The epoch that the next enumeration reads, or the present one is in.</summary>
    public long Epoch { get; private set; }

    /// <summary>How many samples could not be read since the loader was made.</summary>
    public long ErrorCount { get; private set; }

    /// <summary>The samples that could not be read, the first thousand.</summary>
    public IReadOnlyList<SampleError> Errors => errors;

    /// <summary>Begins an epoch, or goes on where a loaded state says. A pass that is still going on ends.</summary>
    public BatchReader GetEnumerator()
    {
        ObjectDisposedException.ThrowIf(nextBatch < 0, this);
        reader?.Dispose();
        var first = nextBatch;
        nextBatch = 0;
        Assembler.Source source = data is StreamDataset stream ? new StreamSource(stream, Options, Epoch, first) : new IndexedSource(sampler!, Epoch, first);
        Position = (Epoch, first);
        return reader = new(this, new(samples, Options, source));
    }

    /// <summary>Where the loader stands, as small JSON: behind the last batch that was handed out. What was read ahead does not count.</summary>
    public string SaveState() => LoaderState.Write(Position.Epoch, Position.Batch, Options, data);

    /// <summary>Has the next enumeration go on where a state was saved, which gives what an uninterrupted one would have given, with any number of workers.</summary>
    /// <param name="state">What <see cref="SaveState"/> gave.</param>
    /// <exception cref="InvalidInputException">It is damaged, or of other data or options; all differences are named.</exception>
    public void LoadState(string state)
    {
        var (epoch, batch) = LoaderState.Read(state, Options, data);
        if (sampler is not null && batch > 0 && batch >= sampler.Batches) (epoch, batch) = (epoch + 1, 0);
        reader?.Dispose();
        (Epoch, nextBatch, Position) = (epoch, batch, (epoch, batch));
    }

    /// <summary>Ends a pass that is going on. Batches that were handed out stay valid.</summary>
    public void Dispose() => TryDispose(Timeout.InfiniteTimeSpan);

    /// <summary>Ends a pass that is going on, and waits for its workers for some time.</summary>
    /// <returns>False when the time ran out: a worker is still at a sample.</returns>
    public bool TryDispose(TimeSpan timeout)
    {
        nextBatch = -1;
        reader?.Stop();
        samples.Close();
        return reader?.Join(timeout) ?? true;
    }

    IEnumerator<Batch> IEnumerable<Batch>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private (long Epoch, long Batch) Position { get; set; }

    /// <summary>A batch was handed out.</summary>
    internal void Passed(BatchReader by, Batch batch)
    {
        ErrorCount += batch.Errors.Count;
        errors.AddRange(batch.Errors.Take(MostErrors - errors.Count));
        if (by != reader) return;
        Epoch = batch.Epoch;
        Position = batch.Number + 1 == sampler?.Batches ? (batch.Epoch + 1, 0) : (batch.Epoch, batch.Number + 1);
    }

    /// <summary>An epoch came to its end.</summary>
    internal void Finished(BatchReader by)
    {
        if (by != reader) return;
        Position = (++Epoch, 0);
    }
}
