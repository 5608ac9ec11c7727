using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace AiOptix.Python;

/// <summary>
/// The GIL while C# works. Short work runs on the calling thread with the GIL released; work of unknown length runs on a thread of .NET while the caller looks
/// for signals, so that Ctrl-C ends it even inside a step that cannot be interrupted: the run is cancelled, and if it does not end at once it goes on
/// by itself to its next check, holding its buffers, while KeyboardInterrupt is raised.
/// </summary>
internal static unsafe class Blocking
{
    private static readonly TimeSpan signalInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan cancelPatience = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan exitPatience = TimeSpan.FromSeconds(30);
    private static readonly CancellationTokenSource closing = new();
    private static readonly object gate = new();
    private static int inFlight;

    /// <summary>The identity of the thread on which Python handles signals.</summary>
    public static nuint MainThread { get; set; }

    /// <summary>Cancelled when the interpreter ends.</summary>
    public static CancellationToken Closing => closing.Token;

    /// <summary>True on the thread on which Python handles signals.</summary>
    public static bool OnMainThread => PyApi.ThreadIdent() == MainThread;

    /// <summary>Fails once the interpreter has begun to end.</summary>
    public static void CheckOpen()
    {
        if (closing.IsCancellationRequested) throw new AiOptixClosedException();
    }

    /// <summary>Lets go of the GIL; <see cref="Leave"/> must follow on the same thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Enter()
    {
        CheckOpen();
        Interlocked.Increment(ref inFlight);
        return PyApi.SaveThread();
    }

    /// <summary>Takes the GIL again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Leave(nint state)
    {
        PyApi.RestoreThread(state);
        Done();
    }

    /// <summary>Does something that waits for threads that may need the GIL, on this thread with the GIL released.</summary>
    public static T Released<T>(Func<T> work)
    {
        Interlocked.Increment(ref inFlight);
        var state = PyApi.SaveThread();
        try
        {
            return work();
        }
        finally
        {
            Leave(state);
        }
    }

    /// <summary>Takes the GIL on a thread of C#; <see cref="LeavePython"/> must follow on the same thread. While it is held the interpreter does not end.</summary>
    public static int EnterPython()
    {
        Interlocked.Increment(ref inFlight);
        if (!closing.IsCancellationRequested) return PyApi.EnsureThread();
        Done();
        throw new OperationCanceledException();
    }

    /// <summary>Lets go of the GIL.</summary>
    public static void LeavePython(int state)
    {
        PyApi.ReleaseThread(state);
        Done();
    }

    /// <summary>Does work without the GIL and waits for it, looking for signals and handing on what the work reports meanwhile.</summary>
    /// <param name="work">The work. It may outlive the call after an interrupt, so what it uses must be its own.</param>
    /// <param name="reports">Looked at from time to time with the GIL; what it throws cancels the work. Null reports nothing.</param>
    /// <param name="asked">When set, the reports are looked at at once: the work waits for them.</param>
    /// <exception cref="PythonErrorException">A signal handler or a report raised an error; the work is cancelled.</exception>
    public static T Wait<T>(Func<CancellationToken, T> work, Action? reports = null, WaitHandle? asked = null)
    {
        CheckOpen();
        var cancel = CancellationTokenSource.CreateLinkedTokenSource(closing.Token);
        Interlocked.Add(ref inFlight, 2); // the work and this thread, either of which may leave first
        var task = Task.Run(() =>
        {
            try
            {
                return work(cancel.Token);
            }
            finally
            {
                Done();
            }
        });
        try
        {
            while (!Finished(task, signalInterval, asked))
            {
                Errors.Check(PyApi.ErrCheckSignals());
                reports?.Invoke();
            }
        }
        catch
        {
            cancel.Cancel();
            _ = Finished(task, cancelPatience);
            _ = task.ContinueWith(t =>
            {
                if (t.Status == TaskStatus.RanToCompletion) (t.Result as IDisposable)?.Dispose();
                cancel.Dispose();
            }, TaskScheduler.Default);
            Done();
            throw;
        }
        Done();
        T result;
        try
        {
            result = task.GetAwaiter().GetResult();
        }
        finally
        {
            cancel.Dispose();
        }
        reports?.Invoke();
        return result;
    }

    /// <summary>Cancels what is in flight, refuses what comes later and waits until no thread is inside. Called with the GIL, which it lets go of meanwhile.</summary>
    public static void Close()
    {
        closing.Cancel();
        var state = PyApi.SaveThread();
        var began = Stopwatch.GetTimestamp();
        lock (gate)
            while (Volatile.Read(ref inFlight) > 0 && Stopwatch.GetElapsedTime(began) < exitPatience)
                Monitor.Wait(gate, signalInterval);
        PyApi.RestoreThread(state);
        Deferred.Drain();
    }

    // The GIL is let go of while waiting; a fetched error survives that because it belongs to the thread state.
    private static bool Finished(Task task, TimeSpan most, WaitHandle? asked = null)
    {
        var state = PyApi.SaveThread();
        try
        {
            var done = ((IAsyncResult)task).AsyncWaitHandle;
            return asked is null ? done.WaitOne(most) : WaitHandle.WaitAny([done, asked], most) == 0;
        }
        finally
        {
            PyApi.RestoreThread(state);
        }
    }

    private static void Done()
    {
        if (Interlocked.Decrement(ref inFlight) > 0 || !closing.IsCancellationRequested) return;
        lock (gate) Monitor.PulseAll(gate);
    }
}

/// <summary>The interpreter is ending: Python's RuntimeError, and in threads other than the main one SystemExit, which ends them without a word.</summary>
internal sealed class AiOptixClosedException() : Exception("the interpreter is shutting down; ai_optix runs nothing any more");

/// <summary>Progress that C# reports on its own threads, handed to a Python function on the caller's.</summary>
/// <param name="callable">The function, borrowed for the time of the call; None or null reports nothing.</param>
/// <param name="call">Calls it with a report.</param>
internal sealed class Reports<T>(nint callable, Action<nint, T> call) : IProgress<T>
{
    private readonly ConcurrentQueue<T> waiting = new();

    public void Report(T value) => waiting.Enqueue(value);

    /// <summary>Hands on what waits. The caller holds the GIL.</summary>
    public void Flush()
    {
        while (waiting.TryDequeue(out var value))
            if (callable != 0 && !Py.IsNone(callable)) call(callable, value);
    }
}
