namespace AiOptix.Optimization;

/// <summary>What a search makes least of.</summary>
public enum Objective
{
    /// <summary>The time of one run on all threads.</summary>
    Latency,
    /// <summary>The time of as many runs at once as there are threads, each on one.</summary>
    Throughput,
    /// <summary>The bytes of the weights.</summary>
    Size,
}

/// <summary>
/// How much an answer may lose for speed. With a budget the optimiser also searches quantised forms; it hands one out only if it is measured better than the best fp32 form and is shown, on samples
/// that neither calibration nor search saw, to stay within the budget at the worse end of the confidence interval.
/// </summary>
public sealed record ErrorBudget
{
    /// <summary>How much the mean score may drop: 0.005 is half a percent.</summary>
    public double? MaxAccuracyDrop { get; init; }

    /// <summary>How large the error of a sample against the baseline's answers may be.</summary>
    public double? MaxError { get; init; }

    /// <summary>What is scored; null takes <see cref="Metric.Top1"/> for a drop, <see cref="Metric.LargestError"/> for an error.</summary>
    public Metric? Metric { get; init; }

    /// <summary>What is made least of.</summary>
    public Objective Objective { get; init; }

    /// <summary>When the search ends and takes the best that it has; the proof and the last timing come on top.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The confidence of the proof's limit.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>The share of inputs that an error bound is claimed for: so many samples are needed that one larger error among them would be expected otherwise.</summary>
    public double Coverage { get; init; } = 0.95;

    /// <summary>Whether a claim may rest on fewer samples than it needs. The report says so.</summary>
    public bool AllowLittleData { get; init; }

    /// <summary>The seed of the split and of resampling.</summary>
    public int Seed { get; init; }

    /// <summary>The limit, whichever it is.</summary>
    public double Limit => MaxAccuracyDrop ?? MaxError ?? 0;

    /// <summary>What is scored.</summary>
    public Metric Scored => Metric ?? (MaxError is null ? Optimization.Metric.Top1 : Optimization.Metric.LargestError);

    /// <summary>Checks that the parts fit each other.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    public void Check()
    {
        if (MaxAccuracyDrop is null == MaxError is null) throw new ArgumentException("a budget is either a largest accuracy drop or a largest error");
        if (!(MaxAccuracyDrop is null or > 0 and < 1)) throw new ArgumentException($"the largest accuracy drop must lie between 0 and 1, found {MaxAccuracyDrop}; that nothing at all is lost no number of samples can show");
        if (!(MaxError is null or >= 0)) throw new ArgumentException($"the largest error must not be negative, found {MaxError}");
        if (Scored.IsError != MaxError is not null)
            throw new ArgumentException(Scored.IsError ? $"metric '{Scored.Name}' is an error against the baseline: bound it by a largest error, not by an accuracy drop" : $"metric '{Scored.Name}' is a score: bound it by a largest accuracy drop, not by an error");
        if (Confidence is not (> 0.5 and < 1) || Coverage is not (> 0 and < 1)) throw new ArgumentException("confidence must lie between 0.5 and 1, coverage between 0 and 1");
    }

    /// <summary>How many held-back units the claim needs even if nothing goes wrong.</summary>
    public long UnitsNeeded => MaxError is not null ? Binomial.Needed(1 - Coverage, Confidence) : Scored.IsBinary ? Binomial.Needed(MaxAccuracyDrop!.Value, Confidence) : PairedDrop.LeastScores;
}
