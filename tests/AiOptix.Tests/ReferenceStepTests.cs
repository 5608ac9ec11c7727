using AiOptix.Profiling;
using AiOptix.Runtime;
using AiOptix.Zoo;

namespace AiOptix.Tests;

/// <summary>Nothing that the zoo and the shared models do runs without a kernel.</summary>
public class ReferenceStepTests
{
    public static TheoryData<string> Zoo => [.. ModelZoo.Entries.Select(e => e.Name)];

    public static TheoryData<string> Shared => Directory.Exists(Repository.SharedModels) ? [.. Directory.GetDirectories(Repository.SharedModels).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)] : ["none"];

    [Theory]
    [MemberData(nameof(Zoo))]
    public void ZooModelsRunOnKernels(string name) => Assert.Empty(Without(Model.Of(ModelZoo.Find(name).Build(ZooModelTests.Small(name)))));

    [SkippableTheory]
    [MemberData(nameof(Shared))]
    public void SharedModelsRunOnKernels(string name)
    {
        Skip.If(name == "none", "../shared/models is not there");
        var model = Model.Load(Repository.SharedModel(name));
        if (name != "silero-vad")
        {
            Assert.Empty(Without(model));
            return;
        }
        // Its ranks depend on extents: what runs is compiled for those of the run.
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        var profile = ModelProfile.Measure(session, SampleFolder.Read(model, Path.Combine(Repository.SharedModels, name))[0], runs: 1);
        Assert.Empty(profile.Steps.Where(s => s.Kernel is null && s.Operation is not ("If" or "Loop" or "Scan" or "Identity")).Select(s => $"{s.Operation} in {s.Name}"));
    }

    private static IEnumerable<string> Without(Model model)
    {
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        return [.. session.Program.AllSteps.OfType<ReferenceStep>().Select(s => $"{s.Node.Operator.Name} in {s.Name}")];
    }
}
