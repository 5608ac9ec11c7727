using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace AiOptix.Data;

/// <summary>
/// One pass over a data set. It owns the workers, which end when the pass is over, when it is disposed of (as <c>foreach</c> does on every way out), and when it is forgotten and
/// collected. Batches are the caller's to dispose of.
/// </summary>
public sealed class BatchReader : IEnumerator<Batch>
{
    private readonly DataLoader loader;
    private readonly Assembler assembler;
    private Batch? current;
    private bool ended;

    internal BatchReader(DataLoader loader, Assembler assembler) => (this.loader, this.assembler) = (loader, assembler);

    /// <inheritdoc/>
    public Batch Current => current ?? throw new InvalidOperationException("there is no batch; call MoveNext first");

    object IEnumerator.Current => Current;

    /// <summary>Waits for the next batch.</summary>
    /// <returns>False at the end of the epoch.</returns>
    /// <exception cref="SampleException">A sample cannot be read and the policy is to raise. The pass is over; the loader's position is that batch.</exception>
    public bool MoveNext()
    {
        while (!TryMoveNext(Timeout.InfiniteTimeSpan, out current))
        {
        }
        return current is not null;
    }

    /// <summary>Waits for the next batch for some time.</summary>
    /// <param name="timeout">How long at most.</param>
    /// <param name="batch">The batch; null at the end of the epoch.</param>
    /// <returns>False when the time ran out.</returns>
    /// <inheritdoc cref="MoveNext"/>
    public bool TryMoveNext(TimeSpan timeout, out Batch? batch)
    {
        batch = null;
        if (ended) return true;
        try
        {
            if (!assembler.TryNext(timeout, out batch)) return false;
        }
        catch
        {
            Dispose();
            throw;
        }
        GC.KeepAlive(this);
        if (batch is not null) loader.Passed(this, batch);
        else End();
        current = batch;
        return true;
    }

    /// <summary>Not possible: begin a new pass instead.</summary>
    [ExcludeFromCodeCoverage]
    public void Reset() => throw new NotSupportedException("a pass cannot begin again; ask the loader for a new one");

    /// <summary>Ends the pass and waits for the workers: each finishes the sample that it is at.</summary>
    public void Dispose()
    {
        Stop();
        assembler.Join(Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends the pass without waiting for the workers.</summary>
    public void Stop()
    {
        ended = true;
        assembler.Stop();
        GC.SuppressFinalize(this);
    }

    /// <summary>Waits until the workers are gone.</summary>
    /// <returns>False when the time ran out.</returns>
    public bool Join(TimeSpan timeout) => assembler.Join(timeout);

    private void End()
    {
        loader.Finished(this);
        Dispose();
    }

    /// <summary>Ends the workers of a pass that was forgotten.</summary>
    ~BatchReader() => assembler.Stop();
}
