using System.Globalization;

namespace AiOptix.Threading;

/// <summary>Some background threads that run one piece of work each and end by themselves.</summary>
public sealed class WorkerThreads
{
    private readonly Thread[] threads;
    private readonly Action<bool> work;
    private int left;

    /// <summary>Starts the threads.</summary>
    /// <param name="count">How many.</param>
    /// <param name="name">Their name, which a number follows.</param>
    /// <param name="work">Called with false on each thread, and then with true on the one that ended last. It must not throw: an exception ends the process.</param>
    public WorkerThreads(int count, string name, Action<bool> work)
    {
        (this.work, left, threads) = (work, count, new Thread[count]);
        for (var i = 0; i < count; i++)
        {
            threads[i] = new Thread(Run)
            {
                IsBackground = true,
                Name = string.Create(CultureInfo.InvariantCulture, $"{name}-{i + 1}"),
                CurrentCulture = CultureInfo.InvariantCulture,
                CurrentUICulture = CultureInfo.InvariantCulture,
            };
            threads[i].UnsafeStart();
        }
    }

    /// <summary>True when all have done their work.</summary>
    public bool AreGone => Volatile.Read(ref left) == 0;

    /// <summary>Waits until the threads have ended.</summary>
    /// <returns>False when the time ran out, or the caller is one of them.</returns>
    public bool Join(TimeSpan timeout)
    {
        if (threads.Contains(Thread.CurrentThread)) return false;
        var end = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        foreach (var thread in threads)
        {
            if (timeout == Timeout.InfiniteTimeSpan) thread.Join();
            else if (!thread.Join((int)Math.Clamp(end - Environment.TickCount64, 0, int.MaxValue))) return false;
        }
        return true;
    }

    private void Run()
    {
        work(false);
        if (Interlocked.Decrement(ref left) == 0) work(true);
    }
}
