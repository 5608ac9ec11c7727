using System.Globalization;

namespace AiOptix.Threading;

/// <summary>
/// Threads that do work while their owner still finds out what there is to do. They live as long as that takes; a budget of one thread has none, and what is added is left to the owner.
/// Work that fails is left undone: the owner meets the error when it does it itself.
/// </summary>
public sealed class WorkAhead : IDisposable
{
    // One thread finds the work; more helpers than this would wait for it.
    private const int MostHelpers = 3;

    private readonly Queue<Action> waiting = new();
    private readonly List<Thread> helpers = [];
    private readonly int most;
    private int idle;
    private bool closed;

    /// <summary>Starts nothing yet.</summary>
    /// <param name="threads">Threads at work at the same time, the owner included; 0 takes what the process may use.</param>
    public WorkAhead(int threads) => most = Math.Min((threads == 0 ? CpuBudget.Current.DefaultThreads : threads) - 1, MostHelpers);

    /// <summary>Gives work to the helpers, if there are any.</summary>
    public void Add(Action work)
    {
        if (most <= 0) return;
        lock (waiting)
        {
            if (closed) return;
            waiting.Enqueue(work);
            if (waiting.Count <= idle) Monitor.Pulse(waiting);
            else if (helpers.Count < most) Start();
        }
    }

    /// <summary>Takes part in what is left and returns when it is done.</summary>
    public void Finish()
    {
        lock (waiting)
        {
            closed = true;
            Monitor.PulseAll(waiting);
        }
        Work();
        foreach (var helper in helpers) helper.Join();
    }

    /// <summary>Leaves what nobody has begun undone, and waits for the rest.</summary>
    public void Dispose()
    {
        lock (waiting) waiting.Clear();
        Finish();
    }

    private void Start()
    {
        var helper = new Thread(Work)
        {
            IsBackground = true,
            Name = string.Create(CultureInfo.InvariantCulture, $"optix-ahead-{helpers.Count + 1}"),
            CurrentCulture = CultureInfo.InvariantCulture,
            CurrentUICulture = CultureInfo.InvariantCulture,
        };
        helpers.Add(helper);
        helper.UnsafeStart();
    }

    private void Work()
    {
        while (Next() is { } work) Try(work);
    }

    // Whatever is thrown, the owner does it again and meets it; here memory that ran out would end the process.
    private static bool Try(Action work)
    {
        try
        {
            work();
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    private Action? Next()
    {
        lock (waiting)
        {
            while (waiting.Count == 0)
            {
                if (closed) return null;
                idle++;
                Monitor.Wait(waiting);
                idle--;
            }
            return waiting.Dequeue();
        }
    }
}
