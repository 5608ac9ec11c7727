namespace AiOptix.Threading.Tests;

public class WorkerThreadsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void EachDoesItsWorkAndTheLastOneClosesUp(int count)
    {
        int done = 0, closed = 0, atClose = 0;
        var threads = new WorkerThreads(count, "test", isLast =>
        {
            if (!isLast)
            {
                Interlocked.Increment(ref done);
                return;
            }
            closed++;
            atClose = Volatile.Read(ref done);
        });
        Assert.True(threads.Join(Timeout.InfiniteTimeSpan));
        Assert.True(threads.AreGone);
        Assert.Equal((count, 1, count), (done, closed, atClose));
    }

    [Fact]
    public void AJoinEndsWithItsTimeAndIsRefusedFromInside()
    {
        using var go = new ManualResetEventSlim();
        WorkerThreads? threads = null;
        bool? inside = null;
        threads = new WorkerThreads(2, "test", isLast =>
        {
            go.Wait();
            if (isLast) inside = threads!.Join(Timeout.InfiniteTimeSpan);
        });
        Assert.False(threads.Join(TimeSpan.FromMilliseconds(20)));
        Assert.False(threads.AreGone);
        go.Set();
        Assert.True(threads.Join(Timeout.InfiniteTimeSpan));
        Assert.False(inside);
    }
}
