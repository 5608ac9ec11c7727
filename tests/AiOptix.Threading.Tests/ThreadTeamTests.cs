using System.Runtime.CompilerServices;

namespace AiOptix.Threading.Tests;

public unsafe class ThreadTeamTests
{
    private struct Tally
    {
        public int* Counts;
        public int Tasks;
        public int Workers;
        public int Wrong;
        public int Spins;
    }

    private static void Count(void* state, int first, int end, int worker)
    {
        var t = (Tally*)state;
        if (first < 0 || first >= end || end > t->Tasks || worker < 0 || worker >= t->Workers) Interlocked.Increment(ref t->Wrong);
        else
            for (var i = first; i < end; i++) Interlocked.Increment(ref t->Counts[i]);
        if (t->Spins > 0) Thread.SpinWait(t->Spins);
    }

    private static void AssertRunsOnce(ThreadTeam team, int tasks, int spins = 0)
    {
        var counts = new int[Math.Max(tasks, 1)];
        fixed (int* p = counts)
        {
            var tally = new Tally { Counts = p, Tasks = tasks, Workers = team.Threads, Spins = spins };
            team.Run(tasks, &Count, &tally);
            Assert.Equal(0, tally.Wrong);
        }
        for (var i = 0; i < tasks; i++) Assert.Equal(1, counts[i]);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(8, false)]
    [InlineData(2, true)]
    [InlineData(5, true)]
    public void EveryTaskRunsExactlyOnce(int threads, bool portable)
    {
        using var team = new ThreadTeam(threads, portable);
        foreach (var tasks in new[] { 0, 1, 2, 3, 7, 16, 63, 64, 65, 257, 1000, 4096 })
            for (var round = 0; round < 20; round++) AssertRunsOnce(team, tasks, spins: round % 3 * 10);
    }

    private struct Begun
    {
        public int* First;
        public int Workers;
        public int Count;
    }

    private static void Begin(void* state, int first, int end, int worker)
    {
        var b = (Begun*)state;
        if (Interlocked.CompareExchange(ref b->First[worker], first, -1) != -1) return;
        Interlocked.Increment(ref b->Count);
        // Nobody is done with his share, and helps others, before all have begun with theirs.
        SpinWait.SpinUntil(() => Volatile.Read(ref b->Count) == b->Workers, TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData(2, 100)]
    [InlineData(2, 7)]
    [InlineData(3, 1000)]
    [InlineData(4, 4)]
    public void EveryWorkerBeginsWithItsOwnShare(int threads, int tasks)
    {
        using var team = new ThreadTeam(threads, portableParking: false);
        for (var round = 0; round < 5; round++)
        {
            var first = Enumerable.Repeat(-1, threads).ToArray();
            fixed (int* p = first)
            {
                var begun = new Begun { First = p, Workers = threads };
                team.Run(tasks, &Begin, &begun);
            }
            int chunk = Math.Max(1, tasks / (threads * 8)), chunks = (tasks + chunk - 1) / chunk;
            Assert.Equal(Enumerable.Range(0, threads).Select(w => (w * chunks + threads - 1) / threads * chunk), first);
        }
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(4, false)]
    [InlineData(3, true)]
    public void RunsAfterAPauseWakeTheHelpers(int threads, bool portable)
    {
        using var team = new ThreadTeam(threads, portable);
        for (var round = 0; round < 10; round++)
        {
            Thread.Sleep(2);
            AssertRunsOnce(team, 100, spins: 200);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ConcurrentCallersEachGetTheirOwnTasks(bool portable)
    {
        using var team = new ThreadTeam(3, portable);
        var errors = new List<Exception>();
        var callers = Enumerable.Range(0, 4).Select(c => new Thread(() =>
        {
            try
            {
                for (var round = 0; round < 400; round++) AssertRunsOnce(team, 1 + ((round * 7 + c) % 50), spins: c * 5);
            }
            catch (Exception e)
            {
                lock (errors) errors.Add(e);
            }
        })).ToList();
        callers.ForEach(t => t.Start());
        callers.ForEach(t => t.Join());
        Assert.Empty(errors);
    }

    private struct Rendezvous
    {
        public int Arrived;
        public int Expected;
    }

    private static void Meet(void* state, int first, int end, int worker)
    {
        var r = (Rendezvous*)state;
        Interlocked.Increment(ref r->Arrived);
        while (Volatile.Read(ref r->Arrived) < r->Expected) Thread.Yield();
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(4, false)]
    [InlineData(4, true)]
    public void TasksTrulyRunSideBySide(int threads, bool portable)
    {
        using var team = new ThreadTeam(threads, portable);
        for (var round = 0; round < 10; round++)
        {
            var r = new Rendezvous { Expected = threads };
            team.Run(threads, &Meet, &r);
            Assert.Equal(threads, r.Arrived);
        }
    }

    private struct Nested
    {
        public nint Team;
        public int Inner;
    }

    private static void Inner(void* state, int first, int end, int worker) => Interlocked.Add(ref *(int*)state, end - first);

    private static void Outer(void* state, int first, int end, int worker)
    {
        var n = (Nested*)state;
        var team = (ThreadTeam)System.Runtime.InteropServices.GCHandle.FromIntPtr(n->Team).Target!;
        for (var i = first; i < end; i++) team.Run(10, &Inner, &n->Inner);
    }

    [Fact]
    public void ABodyMayRunAgain()
    {
        using var team = new ThreadTeam(2);
        var handle = System.Runtime.InteropServices.GCHandle.Alloc(team);
        var n = new Nested { Team = System.Runtime.InteropServices.GCHandle.ToIntPtr(handle) };
        team.Run(8, &Outer, &n);
        handle.Free();
        Assert.Equal(80, n.Inner);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void ARunAllocatesNothing(int threads)
    {
        using var team = new ThreadTeam(threads);
        var counts = stackalloc int[64];
        var tally = new Tally { Counts = counts, Tasks = 64, Workers = threads };
        for (var i = 0; i < 2000; i++) team.Run(64, &Count, &tally);
        var own = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) team.Run(64, &Count, &tally);
        Assert.Equal(own, GC.GetAllocatedBytesForCurrentThread());
        var least = long.MaxValue;
        for (var attempt = 0; attempt < 20 && least > 0; attempt++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < 200; i++) team.Run(64, &Count, &tally);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }
        Assert.Equal(0, least);
    }

    [Fact]
    public void OneThreadStartsNone()
    {
        using var team = new ThreadTeam(1);
        Assert.Empty(team.Helpers);
        AssertRunsOnce(team, 10);
    }

    [Fact]
    public void HelpersAreNamedBackgroundThreads()
    {
        using var team = new ThreadTeam(3);
        Assert.Equal(["optix-worker-1", "optix-worker-2"], team.Helpers.Select(h => h.Name));
        Assert.All(team.Helpers, h => Assert.True(h.IsBackground));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DisposeEndsTheHelpers(bool portable)
    {
        var team = new ThreadTeam(4, portable);
        AssertRunsOnce(team, 100);
        team.Dispose();
        team.Dispose();
        Assert.All(team.Helpers, h => Assert.False(h.IsAlive));
        Assert.Throws<ObjectDisposedException>(() => AssertRunsOnce(team, 1));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static IReadOnlyList<Thread> Abandon(Func<ThreadTeam> make)
    {
        var team = make();
        AssertRunsOnce(team, 100);
        return team.Helpers;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnAbandonedTeamEndsItsHelpers(bool sharedTeam)
    {
        var helpers = Abandon(() => sharedTeam ? ThreadTeam.Shared(7) : new ThreadTeam(3));
        for (var i = 0; i < 50 && helpers.Any(h => h.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(10);
        }
        Assert.All(helpers, h => Assert.False(h.IsAlive));
    }

    [Fact]
    public void SharedHandlesUseOneTeamUntilTheLastIsDisposed()
    {
        var a = ThreadTeam.Shared(3);
        var b = ThreadTeam.Shared(3);
        Assert.Same(a.Helpers, b.Helpers);
        a.Dispose();
        a.Dispose();
        AssertRunsOnce(b, 100);
        Assert.All(b.Helpers, h => Assert.True(h.IsAlive));
        b.Dispose();
        Assert.All(b.Helpers, h => Assert.False(h.IsAlive));
        using var c = ThreadTeam.Shared(3);
        Assert.NotSame(b.Helpers, c.Helpers);
        AssertRunsOnce(c, 100);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1025)]
    public void ThreadCountsOutOfRangeAreRefused(int threads)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ThreadTeam(threads));
        Assert.Throws<ArgumentOutOfRangeException>(() => ThreadTeam.Shared(threads));
    }

    [SkippableFact]
    public void AnIdleTeamUsesNoProcessorTime()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "processor time of a thread is read from /proc");
        using var team = new ThreadTeam(2);
        AssertRunsOnce(team, 1000);
        Thread.Sleep(50);
        var before = WorkerTicks();
        Thread.Sleep(400);
        Assert.InRange(WorkerTicks() - before, 0, 3);
    }

    private static long WorkerTicks()
    {
        long ticks = 0;
        foreach (var task in Directory.GetDirectories("/proc/self/task"))
        {
            var stat = File.ReadAllText(task + "/stat");
            if (!stat.Contains("(optix-worker", StringComparison.Ordinal)) continue;
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            ticks += long.Parse(fields[11], System.Globalization.CultureInfo.InvariantCulture) + long.Parse(fields[12], System.Globalization.CultureInfo.InvariantCulture);
        }
        return ticks;
    }
}
