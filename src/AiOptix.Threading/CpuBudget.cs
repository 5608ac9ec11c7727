using System.Globalization;
using System.Numerics;

namespace AiOptix.Threading;

/// <summary>How much processor this process may use.</summary>
/// <param name="LogicalCores">Hardware threads in the affinity mask.</param>
/// <param name="PhysicalCores">Distinct cores behind them; equal to <paramref name="LogicalCores"/> where the system does not say.</param>
/// <param name="Quota">CPU time that control groups grant, in cores (1.5 is one and a half); null when unlimited.</param>
public sealed record CpuBudget(int LogicalCores, int PhysicalCores, double? Quota)
{
    private static readonly Lazy<CpuBudget> current = new(Detect);

    /// <summary>The budget at the time of its first use; later changes of mask or quota are not seen.</summary>
    public static CpuBudget Current => current.Value;

    /// <summary>
    /// Threads to use when the user names no number: the affinity mask, or the quota rounded down, whichever is less, and at least 1.
    /// Down, because a quota is time per period and not cores: two threads under a quota of 1.5 spend it in three quarters of each period
    /// and then all stand still until the next one, so that every parallel step that straddles the boundary waits tens of milliseconds. One
    /// thread too few costs throughput that can be foretold; one too many costs the tail latency of every run. Half a hundredth of a core
    /// is forgiven, for quotas that a rounded period keeps just below a whole number.
    /// </summary>
    public int DefaultThreads => Math.Max(1, Quota is { } q ? Math.Min(LogicalCores, (int)Math.Min(q + 0.005, int.MaxValue)) : LogicalCores);

    /// <summary>Asks the system: affinity mask, topology, and control groups of either version.</summary>
    public static CpuBudget Detect()
    {
        if (!OperatingSystem.IsLinux()) return new(Environment.ProcessorCount, Environment.ProcessorCount, null);
        var cpus = AffinityMask();
        var logical = cpus.Count > 0 ? cpus.Count : Environment.ProcessorCount;
        var quota = Read("/proc/self/cgroup") is { } groups && Read("/proc/self/mountinfo") is { } mounts ? CgroupQuota.Find(groups, mounts, Read) : null;
        return new(logical, PhysicalCoresOf(cpus) ?? logical, quota);
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private static unsafe List<int> AffinityMask()
    {
        const int Bytes = 1024;
        var mask = stackalloc byte[Bytes];
        new Span<byte>(mask, Bytes).Clear();
        var cpus = new List<int>();
        if (LinuxNative.SchedGetAffinity(0, Bytes, mask) != 0) return cpus;
        for (var i = 0; i < Bytes; i++)
            for (uint bits = mask[i]; bits != 0; bits &= bits - 1) cpus.Add((i * 8) + BitOperations.TrailingZeroCount(bits));
        return cpus;
    }

    private static int? PhysicalCoresOf(List<int> cpus)
    {
        var cores = new HashSet<(string, string)>();
        foreach (var cpu in cpus)
        {
            var topology = string.Create(CultureInfo.InvariantCulture, $"/sys/devices/system/cpu/cpu{cpu}/topology/");
            if (Read(topology + "physical_package_id") is not { } package || Read(topology + "core_id") is not { } core) return null;
            cores.Add((package, core));
        }
        return cores.Count > 0 ? cores.Count : null;
    }

    private static string? Read(string path)
    {
        // Most of the files that are asked for are not there, and an exception is slow.
        if (!File.Exists(path)) return null;
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
