using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>Reads, transforms and checks samples; one for a loader, used by all its workers.</summary>
internal sealed class SampleReader(Dataset data, DataLoaderOptions options)
{
    private const int SamplesPerWorker = 4;

    private readonly Lock gate = new();
    private readonly BufferPool pool = new(SamplesPerWorker * Math.Max(1, options.Threads));
    private BufferPool? batches;
    private volatile BatchSpec? spec;
    private bool probed;

    /// <summary>The fields of a batch, when a sample could be read.</summary>
    public BatchSpec? Spec => spec;

    public SampleContext Context() => new(pool, options.Limits);

    /// <summary>Frees memory that waits to be used again.</summary>
    public void Close()
    {
        pool.Close();
        lock (gate) batches?.Close();
    }

    /// <summary>Where a sample comes from.</summary>
    public string Locate(long index) => data is IndexedDataset indexed ? indexed.Locate(index) : $"sample {index} of the stream";

    /// <summary>Finds the fields by the first sample, in the data set's own order, that can be read.</summary>
    public void Probe(SampleContext context, Func<bool> stopped)
    {
        if (spec is not null || options.BatchSize is null || data is not IndexedDataset indexed) return;
        lock (gate)
        {
            for (long i = 0; !probed && i < indexed.Count && !stopped(); i++)
            {
                try
                {
                    context.Move(epoch: 0, i, options.Seed);
                    using var sample = Transformed(indexed.Read(i, context), context);
                    spec = BatchSpec.Of(sample, Locate(i));
                    probed = true;
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // Its own batch reports it.
                }
            }
            if (!stopped()) probed = true;
        }
    }

    /// <summary>Makes a row from an item of a stream, or by index.</summary>
    public void Fill(Assembly batch, int row, Sample? item, SampleContext context)
    {
        var index = batch.Indices[row];
        try
        {
            Fill(batch, row, index, item, context);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            batch.Errors[row] = new(index, Locate(index), e, options.OnError == SampleErrorPolicy.Replace ? Replace(batch, row, index, context) : null);
        }
    }

    private long? Replace(Assembly batch, int row, long index, SampleContext context)
    {
        var count = ((IndexedDataset)data).Count;
        for (var other = (index + 1) % count; other != index; other = (other + 1) % count)
        {
            try
            {
                Fill(batch, row, other, null, context);
                return other;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // So does this one's.
            }
        }
        return null;
    }

    private void Fill(Assembly batch, int row, long index, Sample? item, SampleContext context)
    {
        context.Move(batch.Epoch, index, options.Seed);
        if (item is null && batch.Samples is null && options.Transforms.Count == 0 && spec is { } known && ((IndexedDataset)data).CopyRow(index, new(known, Targets(batch, known), row))) return;
        var sample = Transformed(item ?? ((IndexedDataset)data).Read(index, context), context);
        if (batch.Samples is not null)
        {
            batch.Samples[row] = sample;
            return;
        }
        using (sample)
        {
            if (spec is null)
                lock (gate) spec ??= BatchSpec.Of(sample, Locate(index));
            spec.Check(sample);
            new BatchRow(spec, Targets(batch, spec), row).Put(sample);
        }
    }

    private Tensor[] Targets(Assembly batch, BatchSpec fields)
    {
        if (batch.Targets is { } there) return there;
        lock (gate) batches ??= new((options.Prefetch + 1) * fields.Names.Count);
        lock (batch)
            return batch.Targets ??= [.. Enumerable.Range(0, fields.Names.Count).Select(f => fields.Rent(f, batch.Indices.Length, batches, options.Limits))];
    }

    private Sample Transformed(Sample sample, SampleContext context)
    {
        foreach (var transform in options.Transforms)
        {
            var given = sample;
            try
            {
                sample = transform.Apply(given, context);
            }
            catch
            {
                given.Dispose();
                throw;
            }
        }
        return sample;
    }
}
