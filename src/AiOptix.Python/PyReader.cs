using System.Runtime.InteropServices;
using AiOptix.Data;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>What stands behind a Python <c>Reader</c>.</summary>
internal sealed class ReaderObject : IDisposable
{
    private static readonly TimeSpan patience = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenRegistration atExit;

    public ReaderObject(BatchReader reader)
    {
        Reader = reader;
        atExit = Blocking.Closing.Register(reader.Stop);
    }

    public BatchReader Reader { get; }

    /// <summary>The sample of each row of the last batch.</summary>
    public IReadOnlyList<long> Indices { get; set; } = [];

    /// <summary>Ends the workers and waits a little for them, without the GIL, which they may need.</summary>
    public void Dispose()
    {
        atExit.Unregister();
        Reader.Stop();
        Blocking.Released(() => Reader.Join(patience));
    }
}

/// <summary>The type <c>Reader</c>: one pass over a data set.</summary>
internal static unsafe class PyReader
{
    private static readonly TimeSpan signalInterval = TimeSpan.FromMilliseconds(20);

    public static TypeBuilder Type { get; } = new("Reader", "One pass over a data set.");

    public static TypeBuilder Describe() => Type.Ends()
        .Method("next", "", "The next batch, a dict of what the wrap function made of each field; None at the end.", &Next)
        .Method("stop", "", "Ends the pass.", &Stop)
        .Property("indices", "The sample of each row of the last batch.", &Indices);

    public static nint New(BatchReader reader) => Type.Wrap(new ReaderObject(reader));

    [UnmanagedCallersOnly]
    private static nint Next(nint self, nint* arguments, nint count)
    {
        try
        {
            var o = TypeBuilder.Value<ReaderObject>(self);
            var batch = Wait(o.Reader);
            if (batch is null) return Py.None();
            o.Indices = batch.Indices;
            // What is skipped keeps its text, not the frames of its traceback.
            foreach (var error in batch.Errors) (error.Cause as IDisposable)?.Dispose();
            return Values.Dict(batch.Names.Select((name, i) => (name, batch.Values[i])));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
        finally
        {
            Deferred.Drain();
        }
    }

    private static Batch? Wait(BatchReader reader)
    {
        while (true)
        {
            Batch? batch;
            bool isThere;
            var state = Blocking.Enter();
            try
            {
                isThere = reader.TryMoveNext(signalInterval, out batch);
            }
            finally
            {
                Blocking.Leave(state);
            }
            if (isThere) return batch;
            Errors.Check(PyApi.ErrCheckSignals());
        }
    }

    [UnmanagedCallersOnly]
    private static nint Stop(nint self, nint* arguments, nint count) => TypeBuilder.Read<ReaderObject>(self, static o =>
    {
        o.Dispose();
        return Py.None();
    });

    [UnmanagedCallersOnly]
    private static nint Indices(nint self, nint closure) => TypeBuilder.Read<ReaderObject>(self, static o => Py.List([.. o.Indices.Select(Py.Integer)]));
}
