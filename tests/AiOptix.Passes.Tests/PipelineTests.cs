using System.Reflection;
using AiOptix.Tensors;

namespace AiOptix.Passes.Tests;

/// <summary>Says that a class tests a pass; <see cref="PipelineTests"/> wants one for every pass.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
internal sealed class TestsOfAttribute<TPass> : Attribute where TPass : IPass;

public class PipelineTests
{
    [Fact]
    public void The_pipeline_lists_every_pass_once()
    {
        var passes = typeof(IPass).Assembly.GetTypes().Where(t => t.IsClass && !t.IsAbstract && t.IsAssignableTo(typeof(IPass)));
        var listed = Pipeline.Create(Limits.Default).SelectMany(g => g.Passes).Select(p => p.GetType());
        Assert.Equal(passes.Select(t => t.Name).Order(), listed.Select(t => t.Name).Order());
    }

    [Fact]
    public void Every_pass_has_tests()
    {
        var tested = typeof(PipelineTests).Assembly.GetTypes().Where(t => t.GetMethods().Any(m => m.GetCustomAttribute<FactAttribute>() is not null))
            .SelectMany(t => t.GetCustomAttributesData()).Select(a => a.AttributeType)
            .Where(t => t.IsGenericType && t.GetGenericTypeDefinition() == typeof(TestsOfAttribute<>)).Select(t => t.GetGenericArguments()[0].Name);
        var listed = Pipeline.Create(Limits.Default).SelectMany(g => g.Passes).Select(p => p.GetType().Name);
        Assert.Empty(listed.Except(tested));
    }

    [Fact]
    public void Passes_have_no_state()
    {
        foreach (var pass in Pipeline.Create(Limits.Default).SelectMany(g => g.Passes))
            Assert.All(pass.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public), f => Assert.True(f.IsInitOnly, $"{pass.Name}.{f.Name}"));
    }
}
