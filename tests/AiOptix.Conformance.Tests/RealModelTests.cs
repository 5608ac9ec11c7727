using AiOptix.Onnx;
using AiOptix.Optimization;
using AiOptix.Tensors;
using AiOptix.Verification;

namespace AiOptix.Conformance.Tests;

/// <summary>Real models, small enough for the reference evaluation, against recorded answers of another engine.</summary>
public class RealModelTests
{
    [SkippableTheory]
    [InlineData("bert-toy", VerificationLevel.Reference)]
    [InlineData("bert-toy", VerificationLevel.Passes)]
    [InlineData("gpt2-toy-past", VerificationLevel.Reference)]
    [InlineData("gpt2-toy-past", VerificationLevel.Passes)]
    [InlineData("mnist-8", VerificationLevel.Reference)]
    [InlineData("mnist-8", VerificationLevel.Passes)]
    public void The_reference_evaluation_gives_the_recorded_answers(string name, VerificationLevel level)
    {
        Skip.If(Manifest.Shared is null, "../shared is not there");
        var found = Assert.Single(ModelCases.Find(Path.Combine(Manifest.Shared!, "models", name)));
        Assert.Equal("model.onnx", Path.GetFileName(found.ModelPath));
        var result = CaseVerifier.Verify(found, level, new VerificationOptions { Tolerance = Tolerance.Model });
        Assert.True(result.Passed, result.Failure);
        Assert.NotEmpty(result.Outputs);
    }

    /// <summary>Float32 between its layers moves numbers by a step; exact integers give what was recorded, and what the optimiser writes does.</summary>
    [SkippableFact]
    public void A_quantised_model_is_optimised_and_gives_the_recorded_answers()
    {
        Skip.If(Manifest.Shared is null, "../shared is not there");
        var folder = Path.Combine(Manifest.Shared!, "models", "mobilenetv2-int8-qdq");
        var model = Model.Load(Path.Combine(folder, "model.onnx"));
        var input = (Tensor)TensorFile.Read(Path.Combine(folder, "test_data_set_0", "input_0.pb"), model.Inputs[0].Type!, Limits.Default);
        var expected = (Tensor)TensorFile.Read(Path.Combine(folder, "test_data_set_0", "output_0.pb"), model.Outputs[0].Type!, Limits.Default);
        var (optimized, result) = model.Optimize([[input]], new OptimizerOptions { Threads = 1, TimingTime = TimeSpan.Zero, PassTimingTime = TimeSpan.Zero });
        Assert.True(result.Proof.Holds);
        using var session = optimized.Compile(new CompileOptions { Threads = 1 });
        Assert.True(expected.BitEquals((Tensor)session.Run([input])[0]));
        Assert.DoesNotContain(session.Program.Steps, s => s is Runtime.ReferenceStep);
    }

    [SkippableFact]
    public void Light_models_are_found_with_their_first_output()
    {
        Skip.If(Manifest.Shared is null, "../shared is not there");
        var found = ModelCases.Find(Path.Combine(Manifest.Shared!, "onnx-backend", "light"));
        Assert.Equal(9, found.Count);
        Assert.All(found, c => Assert.Null(Assert.Single(c.Data).Inputs));
    }

    /// <summary>Their weights are made by operators; they are made when the model is opened, never in a run.</summary>
    [SkippableTheory]
    [InlineData("light_resnet50")]
    [InlineData("light_shufflenet")]
    public void Light_models_run_without_making_their_weights_again(string name)
    {
        Skip.If(Manifest.Shared is null, "../shared is not there");
        var model = Model.Load(Path.Combine(Manifest.Shared!, "onnx-backend", "light", name + ".onnx"));
        Assert.Contains(model.Graph.Nodes, n => n.Operator.Name == "ConstantOfShape");
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        Assert.DoesNotContain(session.Program.Steps, s => s.Operation.Contains("ConstantOfShape", StringComparison.Ordinal));
        Assert.True(session.Program.Steps.Count < model.Graph.Nodes.Count / 2, $"{session.Program.Steps.Count} steps");
    }
}
