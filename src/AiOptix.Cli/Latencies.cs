using System.Diagnostics;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cli;

/// <summary>Times of repeated runs.</summary>
/// <param name="Seconds">Each run's time, sorted.</param>
/// <param name="Total">Wall time of all of them.</param>
internal sealed record Latencies(double[] Seconds, TimeSpan Total)
{
    private const int Least = 5;

    /// <summary>Runs a session over and over with the same inputs into the same outputs.</summary>
    /// <param name="session">The session; run once before.</param>
    /// <param name="samples">Sets of inputs, taken in turn.</param>
    /// <param name="time">How long; at least five runs are made.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static Latencies Measure(Session session, IReadOnlyList<Tensor[]> samples, TimeSpan time, CancellationToken cancellation)
    {
        var outputs = samples.Select(s => session.Run(s, cancellation)).Select(o => Array.TrueForAll(o, v => v is Tensor) ? Array.ConvertAll(o, v => (Tensor)v) : null).ToArray();
        var seconds = new List<double>();
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; i < Math.Max(Least, samples.Count) || Stopwatch.GetElapsedTime(begin) < time; i++)
        {
            var k = i % samples.Count;
            var started = Stopwatch.GetTimestamp();
            if (outputs[k] is { } buffers) session.Run(samples[k], buffers, cancellation);
            else foreach (var output in session.Run(samples[k], cancellation)) output.Dispose();
            seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        var total = Stopwatch.GetElapsedTime(begin);
        seconds.Sort();
        return new([.. seconds], total);
    }

    /// <summary>A percentile, 0 to 100, by the nearest rank.</summary>
    public TimeSpan Percentile(double percent) => TimeSpan.FromSeconds(Seconds[Math.Clamp((int)Math.Ceiling(percent / 100 * Seconds.Length) - 1, 0, Seconds.Length - 1)]);

    /// <summary>Runs a second.</summary>
    public double Throughput => Seconds.Length / Total.TotalSeconds;
}
