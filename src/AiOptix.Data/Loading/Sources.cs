namespace AiOptix.Data;

/// <summary>The batches of an epoch of samples that are read by index.</summary>
internal sealed class IndexedSource(Sampler sampler, long epoch, long first) : Assembler.Source
{
    private readonly bool isBatched = sampler.IsBatched;
    private long next = first;

    public override Assembly? Begin()
    {
        if (next >= sampler.Batches) return null;
        var number = next++;
        return new(epoch, number, sampler.Indices(epoch, number), isBatched);
    }
}

/// <summary>
/// The batches of an epoch of a stream. Ranks take the items in turn; of a last round that not all get something of, those without begin again at the round's first item, or nobody takes any.
/// A pass that begins in the middle pulls what lies before it and lets it go.
/// </summary>
internal sealed class StreamSource(StreamDataset data, DataLoaderOptions options, long firstEpoch, long firstBatch) : Assembler.Source
{
    private readonly long skips = firstBatch * (options.BatchSize ?? 1);
    private IEnumerator<Sample>? items;
    private long next = firstBatch;
    private long pulled;
    private long epoch = firstEpoch;
    private bool resumes = firstBatch > 0;

    public override bool IsStream => true;

    public override Assembly? Begin() => new(epoch, next++, new long[options.BatchSize ?? 1], options.BatchSize is not null);

    public override Sample? Pull(Assembly batch, int row)
    {
        if (items is null)
        {
            items = data.Samples(epoch).GetEnumerator();
            for (var skipped = 0L; skipped < skips && Round(out _) is { } item; skipped++) item.Dispose();
        }
        var sample = Round(out var index);
        if (sample is null && resumes)
        {
            // The state was that of an epoch's end, which only the stream itself can tell.
            items.Dispose();
            (items, pulled, next) = (data.Samples(++epoch).GetEnumerator(), 0, 1);
            batch.Restart(epoch);
            sample = Round(out index);
        }
        resumes = false;
        if (sample is not null) batch.Indices[row] = index;
        return sample;
    }

    /// <summary>This rank's item of the next round.</summary>
    private Sample? Round(out long index)
    {
        var round = new List<Sample>(options.World);
        index = pulled + options.Rank;
        while (round.Count < options.World && items!.MoveNext()) round.Add(items.Current);
        pulled += round.Count;
        var own = options.Rank;
        if (round.Count < options.World && options.ShardEnd == ShardEnd.Drop) own = -1;
        else if (own >= round.Count) own = round.Count == 0 ? -1 : own % round.Count;
        if (own >= 0) index += own - options.Rank;
        for (var i = 0; i < round.Count; i++)
            if (i != own) round[i].Dispose();
        return own < 0 ? null : round[own];
    }

    public override void Dispose()
    {
        items?.Dispose();
        items = null;
        base.Dispose();
    }
}
