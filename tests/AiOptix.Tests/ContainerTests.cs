using System.Globalization;

namespace AiOptix.Tests;

/// <summary>Where the process may use less than the machine has: a control group with a quota, an affinity mask; and a session that has nothing to do.</summary>
public class ContainerTests
{
    private const double MostIdleMilliseconds = 60;

    [SkippableTheory]
    [InlineData(0.5, 1)]
    [InlineData(1.5, 1)]
    [InlineData(2, 2)]
    public void AQuotaSetsTheDefault(double cores, int threads)
    {
        Skip.If(Environment.ProcessorCount < 2, "the machine has one core");
        using var group = CpuGroup.Create(cores);
        Assert.Equal([$"{threads}"], OwnProcess.Start(["sh", "-c", $"echo $$ > '{group.Members}' && exec \"$0\" \"$@\""], "threads", "digits", 0));
    }

    [SkippableFact]
    public void AnAffinityMaskSetsTheDefault()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && File.Exists("/usr/bin/taskset"), "there is no taskset");
        var cpu = File.ReadLines("/proc/self/status").First(l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split(':')[1].Trim().Split('-', ',')[0];
        Assert.Equal(["1"], OwnProcess.Start(["taskset", "--cpu-list", cpu], "threads", "digits", 0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AnIdleSessionUsesNoProcessor(int threads) =>
        Assert.InRange(double.Parse(OwnProcess.Start("idle", "digits", threads)[0], CultureInfo.InvariantCulture), 0, MostIdleMilliseconds);

    /// <summary>A control group of this machine with a quota, where the system lets the test make one.</summary>
    private sealed class CpuGroup : IDisposable
    {
        private readonly string folder;

        private CpuGroup(string folder) => this.folder = folder;

        public string Members => Path.Combine(folder, "cgroup.procs");

        public static CpuGroup Create(double cores)
        {
            const int Period = 100_000;
            var quota = ((int)(cores * Period)).ToString(CultureInfo.InvariantCulture);
            foreach (var (root, file, text) in new[] { ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", quota), ("/sys/fs/cgroup", "cpu.max", $"{quota} {Period}") })
            {
                if (!File.Exists(Path.Combine(root, "cgroup.procs"))) continue;
                var folder = Path.Combine(root, $"aioptix-test-{Environment.ProcessId}");
                try
                {
                    Directory.CreateDirectory(folder);
                    File.WriteAllText(Path.Combine(folder, file), text);
                    return new(folder);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    if (Directory.Exists(folder)) Directory.Delete(folder);
                }
            }
            throw new SkipException("no control group can be made here");
        }

        public void Dispose() => Directory.Delete(folder);
    }
}
