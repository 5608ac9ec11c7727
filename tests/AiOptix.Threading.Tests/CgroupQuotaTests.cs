namespace AiOptix.Threading.Tests;

public class CgroupQuotaTests
{
    private const string V2Mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    private const string V1Mount = "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";

    private static double? Find(string groups, string mounts, params (string Path, string Text)[] files) =>
        CgroupQuota.Find(groups, mounts, path => files.Where(f => f.Path == path).Select(f => f.Text).FirstOrDefault());

    [Fact]
    public void V2Quota() => Assert.Equal(1.5, Find("0::/\n", V2Mount, ("/sys/fs/cgroup/cpu.max", "150000 100000\n")));

    [Fact]
    public void V2Unlimited() => Assert.Null(Find("0::/\n", V2Mount, ("/sys/fs/cgroup/cpu.max", "max 100000\n")));

    [Fact]
    public void TheTightestGroupOnTheWayUpWins() => Assert.Equal(2.0, Find(
        "0::/kube/pod/box\n",
        V2Mount,
        ("/sys/fs/cgroup/kube/pod/box/cpu.max", "max 100000"),
        ("/sys/fs/cgroup/kube/pod/cpu.max", "200000 100000"),
        ("/sys/fs/cgroup/kube/cpu.max", "800000 100000")));

    [Fact]
    public void SiblingsDoNotCount() => Assert.Null(Find("0::/a/b\n", V2Mount, ("/sys/fs/cgroup/a/c/cpu.max", "100000 100000")));

    [Fact]
    public void V1Quota() => Assert.Equal(0.5, Find(
        "5:memory:/other\n4:cpu,cpuacct:/docker/abc\n",
        V1Mount,
        ("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "50000\n"),
        ("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n")));

    [Fact]
    public void V1Unlimited() => Assert.Null(Find(
        "4:cpu,cpuacct:/\n",
        V1Mount,
        ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
        ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")));

    [Fact]
    public void TheCpusetHierarchyIsNotTheCpuHierarchy() => Assert.Null(Find(
        "3:cpuset:/x\n",
        V1Mount,
        ("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "50000\n"),
        ("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n")));

    [Fact]
    public void AContainersMountRootIsStrippedFromThePath() => Assert.Equal(3.0, Find(
        "0::/docker/abc/inner\n",
        "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
        ("/sys/fs/cgroup/inner/cpu.max", "400000 100000"),
        ("/sys/fs/cgroup/cpu.max", "300000 100000")));

    [Theory]
    [InlineData("0::/../../elsewhere\n")]
    [InlineData("0::/elsewhere\n")]
    [InlineData("0::/docker/abcdef\n")]
    public void AGroupOutsideTheMountFallsBackToTheMountItself(string groups) => Assert.Equal(3.0, Find(
        groups,
        "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
        ("/sys/fs/cgroup/cpu.max", "300000 100000")));

    [Fact]
    public void HybridHierarchiesTakeTheLeast() => Assert.Equal(1.0, Find(
        "4:cpu,cpuacct:/\n0::/\n",
        V1Mount + V2Mount,
        ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "100000"),
        ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000"),
        ("/sys/fs/cgroup/cpu.max", "250000 100000")));

    [Fact]
    public void BlanksInMountPointsAreUnescaped() => Assert.Equal(1.0, Find(
        "0::/\n",
        "30 23 0:26 / /mnt/my\\040groups rw - cgroup2 cgroup2 rw\n",
        ("/mnt/my groups/cpu.max", "100000 100000")));

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("12 34")]
    [InlineData("100000")]
    [InlineData("0 100000")]
    [InlineData("100000 0")]
    public void NonsenseLimitsNothing(string text)
    {
        Assert.Null(Find(text, text, ("/sys/fs/cgroup/cpu.max", "100000 100000")));
        if (text != "12 34") Assert.Null(Find("0::/\n", V2Mount, ("/sys/fs/cgroup/cpu.max", text)));
    }

    [Theory]
    [InlineData(8, null, 8)]
    [InlineData(8, 1.5, 1)]
    [InlineData(8, 0.25, 1)]
    [InlineData(8, 3.99, 3)]
    [InlineData(8, 3.999, 4)]
    [InlineData(2, 6.0, 2)]
    [InlineData(1, null, 1)]
    [InlineData(4, 1e300, 4)]
    public void DefaultThreadsRoundDownAndStayAboveZero(int cores, double? quota, int expected) =>
        Assert.Equal(expected, new CpuBudget(cores, cores, quota).DefaultThreads);

    [Fact]
    public void DetectionAgreesWithItself()
    {
        var budget = CpuBudget.Detect();
        Assert.InRange(budget.LogicalCores, 1, 8192);
        Assert.InRange(budget.PhysicalCores, 1, budget.LogicalCores);
        Assert.InRange(budget.DefaultThreads, 1, budget.LogicalCores);
        Assert.True(budget.Quota is null or > 0);
    }
}
