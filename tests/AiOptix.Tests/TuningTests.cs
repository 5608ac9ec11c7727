using System.Text.Json.Nodes;
using AiOptix.Tensors;
using AiOptix.Tuning;

namespace AiOptix.Tests;

/// <summary>Tuned kernels: kept, read again, checked, and chosen; and a program of them gives the same bits however it is run.</summary>
public sealed class TuningTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("aioptix-");
    private readonly Model model = Model.Load(Repository.Digits);

    private string Kept => Path.Combine(folder.FullName, "deeper", "kernels.json");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void WhatWasTimedIsKeptAndReadAgain()
    {
        var tuner = new KernelTuner(KernelTuning.Empty, TimeSpan.Zero);
        model.Tune(tuner);
        Assert.Equal(KernelBench.ProblemsOf(model), tuner.Timed.Select(t => t.Problem));
        Assert.Equal(tuner.Timed.Select(t => t.Problem).Order(StringComparer.Ordinal), tuner.Tuning.Winners.Keys);
        Assert.All(tuner.Timed, t => Assert.True(t.Best.Name == t.Pick || t.Best.Speed.Low > 1));
        tuner.Tuning.Save(Kept);
        var again = KernelTuning.Load(Kept);
        Assert.Equal(tuner.Tuning.Winners, again.Winners);
        Assert.Empty(again.Notices);
        Assert.Equal(["kernels.json"], Directory.GetFiles(Path.GetDirectoryName(Kept)!).Select(Path.GetFileName));
        var second = new KernelTuner(again, TimeSpan.Zero);
        model.Tune(second);
        Assert.Empty(second.Timed);
    }

    [Fact]
    public void EntriesOfOthersAreLeftOutWithAWordAndThoseOfOtherProcessorsStay()
    {
        var tuning = KernelTuning.Of(Last(model));
        tuning.Save(Kept);
        Change(e => e["cpu"] = "another");
        Assert.Contains("another CPU", Assert.Single(KernelTuning.Load(Kept).Notices), StringComparison.Ordinal);
        Assert.Empty(KernelTuning.Load(Kept).Winners);
        tuning.Save(Kept);
        Assert.Equal(2 * tuning.Winners.Count, Entries().Count);
        Assert.Equal(tuning.Winners, KernelTuning.Load(Kept).Winners);
        Change(e => e["version"] = "0.0.1");
        Assert.Contains(KernelTuning.Load(Kept).Notices, n => n.Contains("another version", StringComparison.Ordinal));
        tuning.Save(Kept);
        Assert.Equal(tuning.Winners.Count, Entries().Count);
    }

    [Theory]
    [InlineData("problem", "gemm:M=1,N=1,K=0")]
    [InlineData("problem", "conv:1x1x1x1,1x1x1x1")]
    [InlineData("kernel", "gemm_f32_99x99")]
    [InlineData("kernel", "")]
    public void WhatIsNoProblemOrNoKernelOfItIsLeftOut(string field, string value)
    {
        KernelTuning.Of(Last(model)).Save(Kept);
        Change(e => e[field] = value);
        var read = KernelTuning.Load(Kept);
        Assert.Empty(read.Winners);
        Assert.Contains("no problem and kernel", Assert.Single(read.Notices), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"format\":2,\"entries\":[]}")]
    [InlineData("{\"format\":1}")]
    [InlineData("{\"format\":1,\"entries\":[7]}")]
    [InlineData("{\"format\":1,\"entries\":[{\"cpu\":1}]}")]
    [InlineData("{\"format\":1e99,\"entries\":[]}")]
    [InlineData("{\"format\":1,\"entries\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}")]
    public void ADamagedFileIsNotUsedAndSaidAndWrittenAnew(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Kept)!);
        File.WriteAllText(Kept, text);
        var read = KernelTuning.Load(Kept);
        Assert.Empty(read.Winners);
        Assert.Contains("is not used", Assert.Single(read.Notices), StringComparison.Ordinal);
        KernelTuning.Of(Last(model)).Save(Kept);
        Assert.NotEmpty(KernelTuning.Load(Kept).Winners);
    }

    [Fact]
    public void AFileThatIsNotThereIsSaid() => Assert.Contains("optix tune", Assert.Single(KernelTuning.Load(Kept).Notices), StringComparison.Ordinal);

    [Fact]
    public void TheCacheFolderIsTheUsers()
    {
        Assert.Equal(Path.Combine(folder.FullName, "ai-optix", "kernels.json"), KernelTuning.PathIn(folder.FullName));
        Assert.Equal(KernelTuning.PathIn(null), KernelTuning.PathIn("relative"));
        Assert.True(Path.IsPathFullyQualified(KernelTuning.PathIn("")));
    }

    [Fact]
    public void OpeningTimesNothing()
    {
        using var session = model.Compile(new CompileOptions { Tuning = KernelTuning.Load(Kept) });
        Assert.False(File.Exists(Kept));
    }

    [Theory]
    [MemberData(nameof(FirstModelsTests.Names), MemberType = typeof(FirstModelsTests))]
    public void AProgramOfTunedKernelsGivesTheSameBitsHoweverItIsRun(string name)
    {
        var fresh = FirstModelsTests.Open(name);
        var values = FirstModelsTests.Inputs(fresh, name);
        foreach (var tuning in Tunings(fresh))
        {
            var options = new CompileOptions { Threads = 1, Tuning = tuning };
            using var one = fresh.Compile(options);
            var expected = (Tensor)one.Run(values)[0];
            foreach (var threads in new[] { 1, 2, 3 })
            {
                using var session = fresh.Compile(options with { Threads = threads });
                var found = new Tensor[6];
                Parallel.For(0, found.Length, new ParallelOptions { MaxDegreeOfParallelism = 3 }, i => found[i] = (Tensor)session.Run(values)[0]);
                Assert.All(found, f => Assert.True(expected.BitEquals(f), $"{threads} threads"));
            }
        }
    }

    [Fact]
    public void ASavedProgramKeepsItsKernels()
    {
        var saved = Path.Combine(folder.FullName, "compiled");
        var values = FirstModelsTests.Inputs(model, "digits");
        var tuning = KernelTuning.Of(Last(model));
        var options = new CompileOptions { Threads = 1, Tuning = tuning };
        model.SaveCompiled(saved, options);
        using var fresh = model.Compile(options);
        foreach (var asked in new[] { tuning, null, KernelTuning.Of(tuning.Winners) })
        {
            var opened = Model.Load(saved);
            using var session = opened.Compile(options with { Tuning = asked });
            Assert.Null(opened.Notice);
            Assert.Equal(Kernels(fresh, values), Kernels(session, values));
        }
        using var plain = model.Compile(new CompileOptions { Threads = 1 });
        Assert.NotEqual(Kernels(plain, values), Kernels(fresh, values));
    }

    [Fact]
    public void OptimisingWithATunerTimesWhatItMeets()
    {
        var tuner = new KernelTuner(KernelTuning.Empty, TimeSpan.Zero);
        var values = FirstModelsTests.Inputs(model, "digits");
        var (_, result) = model.Optimize([values], new() { Threads = 1, TimingTime = TimeSpan.Zero, PassTimingTime = TimeSpan.Zero }, tuner);
        Assert.True(result.Proof.Holds);
        Assert.Subset(tuner.Timed.Select(t => t.Problem).ToHashSet(), KernelBench.ProblemsOf(model).ToHashSet());
    }

    // Kernels in use, from a profile.
    private static string[] Kernels(Runtime.Session session, Tensor[] values) => [.. Profiling.ModelProfile.Measure(session, values, 1).Steps.Select(s => s.Kernel ?? "")];

    private static IEnumerable<KernelTuning> Tunings(Model model)
    {
        var problems = KernelBench.ProblemsOf(model).Select(p => KernelBench.Compare(p, TimeSpan.Zero)).ToArray();
        foreach (var at in new[] { 1, 2, 100 })
            yield return KernelTuning.Of(problems.Select(p => KeyValuePair.Create(p.Problem, p.Candidates[Math.Min(at, p.Candidates.Count - 1)].Name)));
    }

    /// <summary>The last kernel of the table for every problem: one that nobody would pick.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Last(Model model) =>
        KernelBench.ProblemsOf(model).Select(p => KeyValuePair.Create(p, KernelBench.Compare(p, TimeSpan.Zero).Candidates[^1].Name));

    private JsonArray Entries() => JsonNode.Parse(File.ReadAllText(Kept))!["entries"]!.AsArray();

    private void Change(Action<JsonNode> change)
    {
        var root = JsonNode.Parse(File.ReadAllText(Kept))!;
        foreach (var entry in root["entries"]!.AsArray()) change(entry!);
        File.WriteAllText(Kept, root.ToJsonString());
    }
}
