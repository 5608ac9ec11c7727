using AiOptix.Optimization;
using AiOptix.Verification;

namespace AiOptix.Conformance.Tests;

/// <summary>Real models, small enough for the reference evaluation, against recorded answers of another engine.</summary>
public class RealModelTests
{
    [SkippableTheory]
    [InlineData("bert-toy")]
    [InlineData("gpt2-toy-past")]
    [InlineData("mnist-8")]
    public void The_reference_evaluation_gives_the_recorded_answers(string name)
    {
        Skip.If(Manifest.Shared is null, "../shared is not there");
        var found = Assert.Single(ModelCases.Find(Path.Combine(Manifest.Shared!, "models", name)));
        Assert.Equal("model.onnx", Path.GetFileName(found.ModelPath));
        var result = CaseVerifier.Verify(found, VerificationLevel.Reference, new VerificationOptions { Tolerance = new(Relative: 1e-3, Scaled: 1e-4) });
        Assert.True(result.Passed, result.Failure);
        Assert.NotEmpty(result.Outputs);
    }

    [SkippableFact]
    public void Light_models_are_found_with_their_first_output()
    {
        Skip.If(Manifest.Shared is null, "../shared is not there");
        var found = ModelCases.Find(Path.Combine(Manifest.Shared!, "onnx-backend", "light"));
        Assert.Equal(9, found.Count);
        Assert.All(found, c => Assert.Null(Assert.Single(c.Data).Inputs));
    }
}
