using AiOptix.Threading;

namespace AiOptix.Threading.Tests;

public class WorkAheadTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(64)]
    public void AllThatIsAddedIsDoneOnce(int threads)
    {
        var done = new int[1000];
        using var ahead = new WorkAhead(threads);
        for (var i = 0; i < done.Length; i++)
        {
            var mine = i;
            ahead.Add(() => Interlocked.Increment(ref done[mine]));
        }
        ahead.Finish();
        Assert.All(done, d => Assert.Equal(1, d));
    }

    [Fact]
    public void HelpersWorkWhileTheOwnerGoesOn()
    {
        using var begun = new ManualResetEventSlim();
        using var ahead = new WorkAhead(2);
        var owner = Environment.CurrentManagedThreadId;
        var at = owner;
        ahead.Add(() =>
        {
            at = Environment.CurrentManagedThreadId;
            begun.Set();
        });
        Assert.True(begun.Wait(TimeSpan.FromSeconds(20)));
        ahead.Finish();
        Assert.NotEqual(owner, at);
    }

    [Fact]
    public void ABudgetOfOneThreadLeavesAllToTheOwner()
    {
        var done = false;
        using var ahead = new WorkAhead(1);
        ahead.Add(() => done = true);
        ahead.Finish();
        Assert.False(done);
    }

    [Fact]
    public void WorkThatFailsStopsNobody()
    {
        var done = 0;
        using var ahead = new WorkAhead(2);
        ahead.Add(() => throw new InvalidOperationException("no"));
        ahead.Add(() => throw new InsufficientMemoryException("no"));
        ahead.Add(() => done++);
        ahead.Finish();
        Assert.Equal(1, done);
    }

    [Fact]
    public void WhoGivesUpWaitsForWhatHasBegunAndForNothingElse()
    {
        using var begun = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        var (first, second) = (false, false);
        var ahead = new WorkAhead(2);
        ahead.Add(() =>
        {
            begun.Set();
            go.Wait(TimeSpan.FromSeconds(20));
            first = true;
        });
        ahead.Add(() => second = true);
        Assert.True(begun.Wait(TimeSpan.FromSeconds(20)));
        var giving = new Thread(ahead.Dispose);
        giving.Start();
        Assert.True(SpinWait.SpinUntil(() => giving.ThreadState.HasFlag(System.Threading.ThreadState.WaitSleepJoin), TimeSpan.FromSeconds(20)));
        go.Set();
        giving.Join();
        Assert.Equal((true, false), (first, second));
    }
}
