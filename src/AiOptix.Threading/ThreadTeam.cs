namespace AiOptix.Threading;

/// <summary>
/// A fixed number of threads that share out the tasks of one <see cref="Run"/> at a time. The calling thread is worker 0, so a team of one
/// starts no thread. Helpers spin some hundreds of microseconds after a run (not at all when the process may use fewer cores than the
/// team has threads) and then sleep; an idle team uses no CPU. A run allocates nothing. Any number of callers may use a team at once.
/// Helpers are background threads named <c>optix-worker-N</c>; they end when the team is disposed of or collected.
/// </summary>
/// <remarks>Use one team per thread count in a process (<see cref="Shared"/>): teams that run side by side compete for the same cores.</remarks>
public sealed unsafe class ThreadTeam : IDisposable
{
    private static readonly Dictionary<int, (TeamCore Core, int Holders)> shared = [];

    private readonly TeamCore core;
    private readonly bool isShared;
    private int disposed;

    /// <summary>Starts a team of its own.</summary>
    /// <param name="threads">How many workers there are, the caller included; from 1 to 1024.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public ThreadTeam(int threads) : this(Checked(threads), portableParking: false) { }

    internal ThreadTeam(int threads, bool portableParking) : this(new TeamCore(threads, portableParking), isShared: false) { }

    private ThreadTeam(TeamCore core, bool isShared)
    {
        this.core = core;
        this.isShared = isShared;
    }

    /// <summary>How many workers there are, the caller included. Worker numbers that a body sees are below it.</summary>
    public int Threads => core.Threads;

    /// <summary>The helper threads, ended or not.</summary>
    internal IReadOnlyList<Thread> Helpers => core.Helpers;

    /// <summary>
    /// A handle on the process-wide team of so many threads. The team starts with its first handle and ends with its last one; every handle is
    /// disposed of by its owner.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is below 1 or above 1024.</exception>
    public static ThreadTeam Shared(int threads)
    {
        Checked(threads);
        lock (shared)
        {
            var (core, holders) = shared.TryGetValue(threads, out var entry) ? entry : (new TeamCore(threads, portableParking: false), 0);
            shared[threads] = (core, holders + 1);
            return new(core, isShared: true);
        }
    }

    /// <summary>
    /// Runs tasks 0 to <paramref name="tasks"/>-1, each exactly once, and returns when all are done. Each worker has a share of neighbouring tasks and helps the others when it is
    /// done with it, so neither the ranges nor the worker of a task may influence a result. When the team is busy with another caller, this
    /// caller runs all tasks itself as worker 0 instead of waiting; scratch memory indexed by worker therefore belongs to a call, not to the
    /// team. A body may call <see cref="Run"/> again under the same rule.
    /// </summary>
    /// <param name="tasks">How many tasks there are; 0 is allowed.</param>
    /// <param name="body">Receives state, first task, end of tasks (exclusive) and worker number. It must not throw: an exception on a helper ends the process.</param>
    /// <param name="state">Passed on to the body; must stay valid during the call.</param>
    /// <exception cref="ObjectDisposedException">The team was disposed of.</exception>
    public void Run(int tasks, delegate*<void*, int, int, int, void> body, void* state)
    {
        ObjectDisposedException.ThrowIf(disposed != 0, this);
        core.Run(tasks, body, state);
        GC.KeepAlive(this);
    }

    /// <summary>Ends the helpers and waits for them; a run in flight on another thread completes first. A second call does nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        GC.SuppressFinalize(this);
        if (LetGo()) core.Join();
    }

    /// <summary>Ends the helpers of a team that nobody disposed of.</summary>
    ~ThreadTeam()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0 && core is not null) LetGo();
    }

    private static int Checked(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, 1024);
        return threads;
    }

    /// <summary>Gives up this handle; true when it was the last one and the helpers were told to end.</summary>
    private bool LetGo()
    {
        if (isShared)
        {
            lock (shared)
            {
                var holders = shared[core.Threads].Holders - 1;
                if (holders > 0)
                {
                    shared[core.Threads] = (core, holders);
                    return false;
                }
                shared.Remove(core.Threads);
            }
        }
        core.Stop();
        return true;
    }
}
