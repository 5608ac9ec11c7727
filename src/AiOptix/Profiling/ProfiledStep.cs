namespace AiOptix.Profiling;

/// <summary>One step of a program over the runs of a profile.</summary>
/// <param name="Name">The graph node that it came from (the last one, when several are fused).</param>
/// <param name="Operation">What it computes: <c>Conv+Add+Relu</c>.</param>
/// <param name="Kernel">The kernel that ran; null for a step without one (a Reference step, control flow).</param>
/// <param name="Origins">The file's nodes that it covers.</param>
/// <param name="Depth">0 for a step of the program itself, one more for each subgraph around it.</param>
/// <param name="Calls">How often it ran in a run: more than once in a loop.</param>
/// <param name="Seconds">Median over the runs of its time in a run, all calls together, without the steps of its subgraphs.</param>
/// <param name="Share">Its part of the time of all steps, 0 to 1.</param>
/// <param name="Flops">Floating-point operations of a run, multiply and add counted apart; 0 when nobody knows.</param>
/// <param name="Bytes">Bytes of inputs, outputs and packed weights of a run; 0 when nobody knows.</param>
public sealed record ProfiledStep(
    string Name, string Operation, string? Kernel, IReadOnlyList<string> Origins, int Depth, double Calls, double Seconds, double Share, double Flops, double Bytes)
{
    /// <summary>Billions of floating-point operations a second; 0 when nobody knows.</summary>
    public double Gflops => Seconds > 0 ? Flops / Seconds * 1e-9 : 0;

    /// <summary>Billions of bytes a second; above the copy rate of memory when they came from a cache.</summary>
    public double Gigabytes => Seconds > 0 ? Bytes / Seconds * 1e-9 : 0;

    /// <summary>
    /// The part of what the machine reaches at this step's intensity (its roofline, Williams et al. 2009): the least time that operations and memory allow, over the
    /// time that was needed. Above 1 when the data came from a cache.
    /// </summary>
    /// <param name="peaks">What the threads of the session reach together.</param>
    public double OfRoof(MachinePeaks peaks)
    {
        ArgumentNullException.ThrowIfNull(peaks);
        // The name of a kernel says what it multiplies.
        var most = Kernel?.Contains("u8s8s32", StringComparison.Ordinal) == true ? peaks.Int8Gops : peaks.Float32Gflops;
        return Seconds > 0 ? Math.Max(Flops / (most * 1e9), Bytes / (peaks.CopyGigabytes * 1e9)) / Seconds : 0;
    }
}

/// <summary>A step of the last profiled run, for a trace.</summary>
/// <param name="Step">Its index in <see cref="ModelProfile.Steps"/>.</param>
/// <param name="Begin">Seconds since the run began.</param>
/// <param name="Seconds">Wall time, that of the steps of subgraphs included.</param>
public readonly record struct ProfiledCall(int Step, double Begin, double Seconds);
