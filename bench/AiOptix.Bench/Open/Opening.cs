using AiOptix.Bench.Compare;

namespace AiOptix.Bench.Open;

/// <summary>Milliseconds of one round.</summary>
/// <param name="Ort">ONNX Runtime creates its session.</param>
/// <param name="Plain">AI Optix opens the file.</param>
/// <param name="Saved">AI Optix opens the saved program.</param>
internal readonly record struct OpenRound(double Ort, double Plain, double Saved);

/// <summary>What opening a model took in one kind of process.</summary>
/// <param name="Rounds">All rounds.</param>
internal sealed record OpenTimes(IReadOnlyList<OpenRound> Rounds)
{
    internal double Ort => Statistics.Median(Rounds.Select(r => r.Ort));

    internal double Plain => Statistics.Median(Rounds.Select(r => r.Plain));

    internal double Saved => Statistics.Median(Rounds.Select(r => r.Saved));

    /// <summary>How many times faster AI Optix opens the file: the median of the rounds' ratios.</summary>
    internal Estimate PlainRatio => Statistics.OfMedian([.. Rounds.Select(r => r.Ort / r.Plain)]);

    /// <summary>How many times faster AI Optix opens the saved program.</summary>
    internal Estimate SavedRatio => Statistics.OfMedian([.. Rounds.Select(r => r.Ort / r.Saved)]);
}

/// <summary>What opening a model took.</summary>
/// <param name="Model">The model.</param>
/// <param name="Bytes">The length of its file.</param>
/// <param name="Fresh">As the first thing that a process does.</param>
/// <param name="Warm">In a process that opened another model before.</param>
internal sealed record Opening(BenchCase Model, long Bytes, OpenTimes Fresh, OpenTimes Warm)
{
    /// <summary>Measures a ring of models: a process opens one, fresh, and the one behind it, warm. Engines take turns.</summary>
    /// <param name="models">At least two.</param>
    /// <param name="programs">The folder of each one's saved program.</param>
    /// <param name="threads">Threads of each engine.</param>
    /// <param name="rounds">How many rounds.</param>
    internal static IReadOnlyList<Opening> Measure(IReadOnlyList<BenchCase> models, IReadOnlyList<string> programs, int threads, int rounds)
    {
        var fresh = models.Select(_ => new List<OpenRound>()).ToArray();
        var warm = models.Select(_ => new List<OpenRound>()).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < models.Count; i++)
            {
                var next = (i + 1) % models.Count;
                var ort = OpenChild.Measure(Engines.Ort, threads, models[i].Path, models[next].Path);
                var plain = OpenChild.Measure(Engines.Optix, threads, models[i].Path, models[next].Path);
                var saved = OpenChild.Measure(Engines.Optix, threads, programs[i], programs[next]);
                fresh[i].Add(new(ort[0], plain[0], saved[0]));
                warm[next].Add(new(ort[1], plain[1], saved[1]));
            }
            Console.Error.WriteLine($"round {round + 1} of {rounds}");
        }
        return [.. models.Select((m, i) => new Opening(m, new FileInfo(m.Path).Length, new(fresh[i]), new(warm[i])))];
    }
}
