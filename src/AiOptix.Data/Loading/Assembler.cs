using System.Runtime.ExceptionServices;
using AiOptix.Threading;

namespace AiOptix.Data;

/// <summary>
/// The workers of one pass over a data set, and the batches that they are putting together. The window holds at most <see cref="DataLoaderOptions.Prefetch"/> batches, in order; workers
/// take rows of the earliest that has some left. Nothing here refers to the reader, so that one that is forgotten can be collected and ends the workers.
/// </summary>
internal sealed class Assembler
{
    private const int ChunksPerWorker = 4;

    private readonly object gate = new();
    private readonly Queue<Assembly> window = new();
    private readonly SampleReader samples;
    private readonly DataLoaderOptions options;
    private readonly Source source;
    private readonly bool isInline;
    private readonly WorkerThreads? workers;
    private readonly SampleContext context;
    private Exception? failure;
    private Exception? crash;
    private bool stopped;

    public Assembler(SampleReader samples, DataLoaderOptions options, Source source)
    {
        (this.samples, this.options, this.source) = (samples, options, source);
        context = samples.Context();
        isInline = options.Threads == 0;
        if (!isInline) workers = new(options.Threads, "optix-loader", Work);
    }

    /// <summary>Where rows come from: what a claim gives, and when there are no more.</summary>
    internal abstract class Source : IDisposable
    {
        /// <summary>The next batch to be begun; null when there is none.</summary>
        public abstract Assembly? Begin();

        /// <summary>True when rows are pulled one at a time.</summary>
        public virtual bool IsStream => false;

        /// <summary>The item of a row, whose index it puts into the batch; null at the end. Called by one thread at a time.</summary>
        public virtual Sample? Pull(Assembly batch, int row) => null;

        public virtual void Dispose()
        {
        }
    }

    /// <summary>The next batch, in order; null at the end.</summary>
    /// <param name="timeout">How long to wait at most.</param>
    /// <param name="batch">The batch.</param>
    /// <returns>False when the time ran out.</returns>
    public bool TryNext(TimeSpan timeout, out Batch? batch)
    {
        batch = null;
        if (isInline) WorkUntilOneIsComplete();
        Assembly first;
        lock (gate)
        {
            var waited = false;
            while (!stopped && crash is null && !(window.TryPeek(out var head) ? head.IsComplete : IsAtEnd))
            {
                if (waited && timeout != Timeout.InfiniteTimeSpan) return false;
                waited = true;
                Monitor.Wait(gate, timeout);
            }
            if (crash is not null) ExceptionDispatchInfo.Throw(crash);
            if (!stopped && window.Count == 0 && failure is not null) ExceptionDispatchInfo.Throw(failure);
            if (stopped || window.Count == 0) return true;
            first = window.Dequeue();
            Monitor.PulseAll(gate);
        }
        if (options.OnError != SampleErrorPolicy.Skip && Array.Find(first.Errors, e => e is { Replacement: null }) is { } error)
        {
            first.Drop();
            throw new SampleException(error);
        }
        batch = first.Finish(samples.Spec);
        return true;
    }

    /// <summary>Tells the workers to end; does not wait.</summary>
    public void Stop()
    {
        lock (gate)
        {
            if (stopped) return;
            stopped = true;
            Monitor.PulseAll(gate);
        }
        if (isInline) source.Dispose();
        if (workers is null || workers.AreGone) Clear();
    }

    /// <summary>Waits until the workers are gone; not from a worker.</summary>
    public bool Join(TimeSpan timeout) => workers is null || workers.Join(timeout);

    private bool IsAtEnd { get; set; }

    private void WorkUntilOneIsComplete()
    {
        while (true)
        {
            lock (gate)
                if (stopped || (window.TryPeek(out var head) ? head.IsComplete : IsAtEnd)) return;
            Step(context);
        }
    }

    private void Work(bool isLast)
    {
        if (isLast)
        {
            if (stopped) Clear();
            source.Dispose();
            return;
        }
        var own = samples.Context();
        try
        {
            samples.Probe(own, () => stopped);
            while (Step(own))
            {
            }
        }
        catch (Exception e)
        {
            lock (gate)
            {
                crash ??= e;
                Monitor.PulseAll(gate);
            }
        }
    }

    /// <summary>Takes some rows on and makes them. False when there is nothing more to do.</summary>
    private bool Step(SampleContext own)
    {
        if (source.IsStream) return StreamStep(own);
        if (isInline) samples.Probe(own, () => stopped);
        Assembly? batch;
        int first, count;
        lock (gate)
        {
            while ((batch = Claimable()) is null)
            {
                if (stopped || IsAtEnd || isInline) return false;
                Monitor.Wait(gate);
            }
            first = batch.Claimed;
            count = Math.Min(batch.Rows - first, Math.Max(1, batch.Rows / (Math.Max(1, options.Threads) * ChunksPerWorker)));
            batch.Claimed += count;
        }
        for (var row = first; row < first + count && !Volatile.Read(ref stopped); row++) samples.Fill(batch, row, null, own);
        Finish(batch, count);
        return true;
    }

    private bool StreamStep(SampleContext own)
    {
        Assembly? batch;
        Sample? item;
        int row;
        bool saysFields;
        lock (source)
        {
            lock (gate)
            {
                while ((batch = Claimable()) is null)
                {
                    if (stopped || IsAtEnd || isInline) return false;
                    Monitor.Wait(gate);
                }
                row = batch.Claimed;
            }
            try
            {
                item = source.Pull(batch, row);
            }
            catch (Exception e)
            {
                End(batch, e);
                return false;
            }
            if (item is null)
            {
                End(batch, null);
                return false;
            }
            lock (gate) batch.Claimed++;
            // The first item that can be read says what the fields are, so it is made before the next one is pulled.
            saysFields = samples.Spec is null && options.BatchSize is not null;
            if (saysFields) samples.Fill(batch, row, item, own);
        }
        if (!saysFields) samples.Fill(batch, row, item, own);
        Finish(batch, 1);
        return true;
    }

    /// <summary>A stream ended inside a batch, or failed: then the batches before it are still delivered.</summary>
    private void End(Assembly batch, Exception? error)
    {
        lock (gate)
        {
            IsAtEnd = true;
            failure = error;
            batch.Rows = batch.Claimed;
            if (error is not null || batch.Rows == 0 || (options.DropLast && batch.Rows < batch.Indices.Length))
            {
                var kept = window.Where(b => b != batch).ToArray();
                window.Clear();
                foreach (var b in kept) window.Enqueue(b);
            }
            Monitor.PulseAll(gate);
        }
    }

    private Assembly? Claimable()
    {
        if (stopped) return null;
        foreach (var batch in window)
            if (batch.Claimed < batch.Rows) return batch;
        if (IsAtEnd || window.Count >= options.Prefetch) return null;
        if (source.Begin() is { } begun)
        {
            window.Enqueue(begun);
            return begun;
        }
        IsAtEnd = true;
        Monitor.PulseAll(gate);
        return null;
    }

    private void Finish(Assembly batch, int rows)
    {
        lock (gate)
        {
            batch.Done += rows;
            if (batch.IsComplete) Monitor.PulseAll(gate);
        }
    }

    private void Clear()
    {
        lock (gate)
        {
            foreach (var batch in window) batch.Drop();
            window.Clear();
        }
    }
}
