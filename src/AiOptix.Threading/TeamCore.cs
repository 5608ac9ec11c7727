using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace AiOptix.Threading;

/// <summary>
/// What the helpers of a team hold on to. They never refer to <see cref="ThreadTeam"/>, so that an abandoned team can be collected.
/// <para>
/// Protocol. The owner of <c>busy</c> writes the job, sets <c>pending</c> to the number of chunks and then each worker's share of them, neighbours, and raises
/// <c>epoch</c>. Whoever takes a chunk out of a share owns it, and the job cannot change until its owner has lowered <c>pending</c>; a helper that comes late
/// finds nothing, or a chunk of whichever job is current. No helper is waited for that owns no chunk.
/// </para>
/// <para>
/// A worker goes through its own share from the front and then helps the others from the back of theirs. So the same part of every step stays with the same core, which finds in its caches
/// what it wrote in the step before; a line that another core wrote takes some hundreds of cycles to come, as does a counter that all would share.
/// </para>
/// </summary>
internal sealed unsafe class TeamCore
{
    /// <summary>How long a helper looks out for the next job, and a caller for the last chunk, before sleeping.</summary>
    private const int SpinMicroseconds = 300;

    /// <summary>Chunks per worker: enough to even out cores of different speed, few enough that claiming them costs nothing.</summary>
    private const int ChunksPerWorker = 8;

    private const int LineLongs = 16;

    private readonly long[] words;
    private readonly long* shares;
    private readonly int* epoch;
    private readonly int* pending;
    private readonly int* sleepers;
    private readonly int* callerSleeps;
    private readonly Parking parking;
    private readonly Thread[] helpers;
    private readonly long spinTicks;
    private int busy;
    private volatile bool stopping;

    private delegate*<void*, int, int, int, void> body;
    private void* state;
    private int tasks;
    private int chunk;

    internal TeamCore(int threads, bool portableParking)
    {
        Threads = threads;
        parking = new(portableParking);
        spinTicks = threads <= CpuBudget.Current.DefaultThreads ? Stopwatch.Frequency * SpinMicroseconds / 1_000_000 : 0;
        words = GC.AllocateArray<long>((5 + threads) * LineLongs, pinned: true);
        epoch = (int*)Line(1);
        pending = (int*)Line(2);
        sleepers = (int*)Line(3);
        callerSleeps = sleepers + 1;
        shares = Line(4);
        helpers = new Thread[threads - 1];
        for (var i = 0; i < helpers.Length; i++)
        {
            var worker = i + 1;
            helpers[i] = new Thread(() => Help(worker))
            {
                IsBackground = true,
                Name = string.Create(CultureInfo.InvariantCulture, $"optix-worker-{worker}"),
                CurrentCulture = CultureInfo.InvariantCulture,
                CurrentUICulture = CultureInfo.InvariantCulture,
            };
            helpers[i].UnsafeStart();
        }
    }

    internal int Threads { get; }

    internal IReadOnlyList<Thread> Helpers => helpers;

    [MethodImpl(HotCode.Optimized)]
    internal void Run(int tasks, delegate*<void*, int, int, int, void> body, void* state)
    {
        if (tasks <= 0) return;
        if (tasks == 1 || helpers.Length == 0 || Interlocked.CompareExchange(ref busy, 1, 0) != 0)
        {
            body(state, 0, tasks, 0);
            return;
        }
        this.body = body;
        this.state = state;
        this.tasks = tasks;
        chunk = Math.Max(1, tasks / (Threads * ChunksPerWorker));
        var chunks = (int)(((long)tasks + chunk - 1) / chunk);
        *pending = chunks;
        long first = 0;
        for (var worker = 0; worker < Threads; worker++)
        {
            var end = ((worker + 1L) * chunks + Threads - 1) / Threads;
            Volatile.Write(ref *Share(worker), end << 32 | first);
            first = end;
        }
        Interlocked.Increment(ref *epoch);
        var asleep = Volatile.Read(ref *sleepers);
        if (asleep > 0) parking.Wake(epoch, Math.Min(asleep, chunks - 1));
        Work(0);
        AwaitPending();
        this.state = null;
        Volatile.Write(ref busy, 0);
    }

    internal void Stop()
    {
        stopping = true;
        Interlocked.Increment(ref *epoch);
        parking.Wake(epoch, int.MaxValue);
    }

    internal void Join()
    {
        foreach (var helper in helpers)
            if (helper != Thread.CurrentThread) helper.Join();
    }

    private long* Line(int index) => (long*)Unsafe.AsPointer(ref words[index * LineLongs]);

    /// <summary>The chunks of a worker that nobody owns yet: the first one in the lower half, the one after the last in the upper.</summary>
    private long* Share(int worker) => shares + worker * LineLongs;

    [MethodImpl(HotCode.Optimized)]
    private void Help(int worker)
    {
        while (true)
        {
            var seen = Volatile.Read(ref *epoch);
            Work(worker);
            if (stopping) return;
            if (!SpinForEpoch(seen)) SleepForEpoch(seen);
        }
    }

    /// <summary>Takes and runs chunks until none is left.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void Work(int worker)
    {
        int done = 0, taken;
        while ((taken = Take(Share(worker), fromFront: true)) >= 0)
        {
            RunChunk(taken, worker);
            done++;
        }
        for (var other = worker + 1; other < worker + Threads; other++)
            while ((taken = Take(Share(other < Threads ? other : other - Threads), fromFront: false)) >= 0)
            {
                RunChunk(taken, worker);
                done++;
            }
        if (done > 0 && Interlocked.Add(ref *pending, -done) == 0 && worker != 0 && Volatile.Read(ref *callerSleeps) != 0)
            parking.Wake(pending, 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void RunChunk(int taken, int worker)
    {
        var first = taken * chunk;
        body(state, first, (int)Math.Min((long)first + chunk, tasks), worker);
    }

    /// <summary>Takes a chunk out of a share; negative when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Take(long* share, bool fromFront)
    {
        var seen = Volatile.Read(ref *share);
        while ((int)seen < (int)(seen >> 32))
        {
            var found = Interlocked.CompareExchange(ref *share, fromFront ? seen + 1 : seen - (1L << 32), seen);
            if (found == seen) return fromFront ? (int)seen : (int)(seen >> 32) - 1;
            seen = found;
        }
        return -1;
    }

    private bool SpinForEpoch(int seen)
    {
        if (spinTicks == 0) return Volatile.Read(ref *epoch) != seen;
        var end = Stopwatch.GetTimestamp() + spinTicks;
        do
        {
            for (var i = 0; i < 8; i++)
            {
                if (Volatile.Read(ref *epoch) != seen) return true;
                Thread.SpinWait(2);
            }
        }
        while (Stopwatch.GetTimestamp() < end);
        return false;
    }

    private void SleepForEpoch(int seen)
    {
        Interlocked.Increment(ref *sleepers);
        while (Volatile.Read(ref *epoch) == seen) parking.Wait(epoch, seen);
        Interlocked.Decrement(ref *sleepers);
    }

    /// <summary>Returns when the chunks that helpers own are done.</summary>
    private void AwaitPending()
    {
        if (Volatile.Read(ref *pending) == 0) return;
        if (spinTicks != 0)
        {
            var end = Stopwatch.GetTimestamp() + spinTicks;
            do
            {
                for (var i = 0; i < 8; i++)
                {
                    if (Volatile.Read(ref *pending) == 0) return;
                    Thread.SpinWait(2);
                }
            }
            while (Stopwatch.GetTimestamp() < end);
        }
        Interlocked.Exchange(ref *callerSleeps, 1);
        int left;
        while ((left = Volatile.Read(ref *pending)) != 0) parking.Wait(pending, left);
        Volatile.Write(ref *callerSleeps, 0);
    }
}
