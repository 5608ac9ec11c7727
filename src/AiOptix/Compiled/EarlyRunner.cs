using AiOptix.Cpu;
using AiOptix.Runtime;
using AiOptix.Threading;

namespace AiOptix.Compiled;

/// <summary>The runner of a session to come. A helper starts its threads while the program is still being made: who starts a thread waits until it runs.</summary>
/// <param name="backend">The machine.</param>
/// <param name="threads">Threads that take part in a run.</param>
internal sealed class EarlyRunner(CpuBackend backend, int threads) : IDisposable
{
    private readonly Lock gate = new();
    private IStepRunner? runner;
    private bool closed;

    /// <summary>Leaves the start to helpers, if there are any.</summary>
    public void Begin(WorkAhead ahead) => ahead.Add(Start);

    /// <summary>The runner, which is the caller's from now on.</summary>
    /// <exception cref="ObjectDisposedException">It was taken before, or ended.</exception>
    public IStepRunner Take()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            Start();
            var taken = runner!;
            (runner, closed) = (null, true);
            return taken;
        }
    }

    /// <summary>Ends the threads that nobody took.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            runner?.Dispose();
            runner = null;
        }
    }

    private void Start()
    {
        lock (gate)
            if (!closed) runner ??= backend.CreateRunner(threads);
    }
}
