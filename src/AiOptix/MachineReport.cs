using System.Runtime.InteropServices;
using AiOptix.Kernels;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Peak;
using AiOptix.Tensors;
using AiOptix.Threading;

namespace AiOptix;

/// <summary>What the machine is and how much of it the process may use.</summary>
/// <param name="Processor">The processor's name; its architecture where the system does not say.</param>
/// <param name="System">The operating system.</param>
/// <param name="Runtime">The .NET runtime.</param>
/// <param name="Target">Instruction sets that kernels may use, and cache sizes.</param>
/// <param name="LogicalCores">Hardware threads in the affinity mask.</param>
/// <param name="PhysicalCores">Distinct cores behind them.</param>
/// <param name="Quota">CPU time that control groups grant, in cores; null when unlimited.</param>
/// <param name="DefaultThreads">Threads of a session that names no number.</param>
/// <param name="MemoryBytes">Memory that the machine or its control group grants.</param>
public sealed record MachineReport(
    string Processor, string System, string Runtime, Target Target, int LogicalCores, int PhysicalCores, double? Quota, int DefaultThreads, long MemoryBytes)
{
    /// <summary>Describes this machine. Measures nothing.</summary>
    public static MachineReport Create()
    {
        var budget = CpuBudget.Current;
        return new(ProcessorName(), RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, HostTarget.Current,
            budget.LogicalCores, budget.PhysicalCores, budget.Quota, budget.DefaultThreads, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    /// <summary>The names of the instruction sets, weakest first; empty when only portable code can run.</summary>
    public IReadOnlyList<string> InstructionSets =>
        [.. Enum.GetValues<Isa>().Where(i => i != Isa.None && Target.Has(i)).Select(i => i switch
        {
            Isa.AvxVnni => "avx-vnni",
            Isa.Avx512Vnni => "avx512-vnni",
            Isa.Avx512Vbmi => "avx512-vbmi",
            Isa.Avx512Bf16 => "avx512-bf16",
            _ => i.ToString().ToLowerInvariant(),
        })];

    /// <summary>Why this process makes no machine code of its own; null when it does. Kernels that need none then do the work.</summary>
    public string? GeneratedCodeObstacle => Target.Has(Isa.Avx2) ? GeneratedCode.Obstacle : "it needs AVX2";

    /// <summary>The strongest cap of <c>--isa</c> that changes nothing on this machine.</summary>
    public IsaCap StrongestCap => Target.Has(Isa.Avx512) ? IsaCap.Avx512 : Target.Has(Isa.Avx2) ? IsaCap.Avx2 : IsaCap.None;

    /// <summary>Measures what one core reaches, or several at once; takes about a second.</summary>
    /// <param name="threads">How many threads are busy at the same time; the figures are their sums.</param>
    public MachinePeaks Measure(int threads = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        return new(Sum(threads, PeakProbe.FmaGflops), Sum(threads, Int8Probe.Gops), Sum(threads, PeakProbe.CopyGigabytes));
    }

    private double Sum(int threads, Func<Target, double> probe)
    {
        if (threads == 1) return probe(Target);
        var figures = new double[threads];
        using var start = new Barrier(threads);
        var workers = Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            figures[i] = probe(Target);
        })).ToArray();
        foreach (var worker in workers) worker.Start();
        foreach (var worker in workers) worker.Join();
        return figures.Sum();
    }

    private static string ProcessorName()
    {
        const string CpuInfo = "/proc/cpuinfo";
        var line = File.Exists(CpuInfo) ? File.ReadLines(CpuInfo).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}

/// <summary>What a core, or several at once, were measured to reach.</summary>
/// <param name="Float32Gflops">Billions of float32 operations a second, a fused multiply-add counting as two.</param>
/// <param name="Int8Gops">Billions of int8 operations a second, a multiply-add counting as two.</param>
/// <param name="CopyGigabytes">Billions of bytes a second read and written between buffers larger than the caches.</param>
public sealed record MachinePeaks(double Float32Gflops, double Int8Gops, double CopyGigabytes);
