using System.Diagnostics;

namespace AiOptix.Bench.Compare;

/// <summary>One round: the median time of a run of each engine, microseconds.</summary>
internal readonly record struct Round(double Optix, double Ort)
{
    /// <summary>Over 1: AI Optix is faster.</summary>
    internal double Ratio => Ort / Optix;
}

/// <summary>Times two engines in turns, so that what the machine does meanwhile meets both.</summary>
internal static class Timing
{
    private const double RoundMicroseconds = 50_000;
    private const double LongestWarmUp = 2_000_000;
    private const int SettledStretches = 8;
    private const double SampleMicroseconds = 50;
    private const int FewestRuns = 3;

    /// <summary>Runs A B A B. Before an engine's turn its peer's threads get time to stop spinning, and the first run of a turn is not counted.</summary>
    internal static Round[] Rounds(IEngine optix, IEngine ort, int rounds, int threads)
    {
        var optixTime = WarmUp(optix);
        var ortTime = WarmUp(ort);
        var result = new Round[rounds];
        for (var i = 0; i < rounds; i++) result[i] = new(Turn(optix, optixTime, threads), Turn(ort, ortTime, threads));
        return result;
    }

    /// <summary>Runs until the time of a run has stopped falling: the runtime compiles what runs often again, in the background, when it gets to it.</summary>
    private static double WarmUp(IEngine engine)
    {
        for (var i = 0; i < FewestRuns; i++) engine.Run();
        var total = Stopwatch.StartNew();
        var best = double.MaxValue;
        for (var settled = 0; settled < SettledStretches && total.Elapsed.TotalMicroseconds < LongestWarmUp; settled++)
        {
            var time = Stretch(engine);
            if (time < 0.98 * best) settled = -1;
            best = Math.Min(best, time);
        }
        return best;
    }

    private static double Stretch(IEngine engine)
    {
        var watch = Stopwatch.StartNew();
        var runs = 0;
        do
        {
            engine.Run();
            runs++;
        }
        while (watch.Elapsed.TotalMicroseconds < RoundMicroseconds);
        return watch.Elapsed.TotalMicroseconds / runs;
    }

    private static double Turn(IEngine engine, double expected, int threads)
    {
        if (threads > 1) Thread.Sleep(10);
        var batch = (int)Math.Clamp(SampleMicroseconds / expected, 1, 10_000);
        var samples = new double[(int)Math.Clamp(RoundMicroseconds / (expected * batch), FewestRuns, 1000)];
        engine.Run();
        for (var i = 0; i < samples.Length; i++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var k = 0; k < batch; k++) engine.Run();
            samples[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds / batch;
        }
        return Statistics.Median(samples);
    }
}
