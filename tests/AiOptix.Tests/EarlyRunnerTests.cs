using AiOptix.Compiled;
using AiOptix.Cpu;
using AiOptix.Runtime;
using AiOptix.Threading;

namespace AiOptix.Tests;

public class EarlyRunnerTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatIsTakenIsTheTakers(bool begins)
    {
        using var ahead = new WorkAhead(2);
        var early = new EarlyRunner(new CpuBackend(), 2);
        if (begins) early.Begin(ahead);
        using var runner = early.Take();
        early.Dispose();
        Assert.Equal(2, runner.Workers);
        var done = 0;
        runner.Prepare([new Preparation("one", () => done++)]);
        Assert.Equal(1, done);
    }

    [Fact]
    public void WhatHasEndedStartsNothing()
    {
        using var go = new ManualResetEventSlim();
        using var ahead = new WorkAhead(2);
        ahead.Add(() => go.Wait(TimeSpan.FromSeconds(20)));
        var early = new EarlyRunner(new CpuBackend(), 2);
        early.Begin(ahead);
        early.Dispose();
        go.Set();
        ahead.Finish();
        Assert.Throws<ObjectDisposedException>(early.Take);
    }
}
