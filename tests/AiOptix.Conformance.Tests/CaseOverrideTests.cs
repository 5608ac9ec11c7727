using AiOptix.Onnx;
using AiOptix.Tensors;
using AiOptix.Verification;

namespace AiOptix.Conformance.Tests;

/// <summary>Cases that are held to less than the tolerance: exactly the listed ones, and still held to something.</summary>
public sealed class CaseOverrideTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("overrides-");

    public void Dispose() => folder.Delete(recursive: true);

    [SkippableFact]
    public void EveryEntryNamesACaseAndNoOtherCaseIsTouched()
    {
        Skip.If(Manifest.Shared is null, "../shared is not there");
        var cases = ModelCases.Find(Manifest.Shared!);
        Assert.All(CaseOverrides.All, o => Assert.True(cases.Any(o.Names), $"the override '{o.Case}' names no case"));
        Assert.All(CaseOverrides.All, o => Assert.NotEqual("", o.Reason));
        var touched = cases.Where(c => CaseOverrides.Of(c) != CaseComparison.Values).Select(c => $"{CaseOverrides.Of(c)} {c.Name}");
        Assert.Equal(
        [
            "FlatStrings models/squeezenet-food-winml",
            "Form models/xgboost-trees",
            "Form onnx-backend/node/test_bernoulli",
            "Form onnx-backend/node/test_bernoulli_double_expanded",
            "Form onnx-backend/node/test_bernoulli_expanded",
            "Form onnx-backend/node/test_bernoulli_seed",
            "Form onnx-backend/node/test_bernoulli_seed_expanded",
            "Form onnx-backend/node/test_training_dropout",
            "Form onnx-backend/node/test_training_dropout_default",
            "Form onnx-backend/node/test_training_dropout_default_mask",
            "Form onnx-backend/node/test_training_dropout_mask",
            "QuantizedSteps models/mobilenetv2-int8-qdq",
            "Rounded onnx-backend/node/test_dft_inverse",
            "Rounded onnx-backend/node/test_dft_inverse_opset19",
        ], touched.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AnEntryThatNamesNothingIsTold()
    {
        var some = new ModelCase("node/test_abs", "", []);
        Assert.False(new CaseOverride("test_ab", CaseComparison.Form, "").Names(some));
        Assert.False(new CaseOverride("node", CaseComparison.Form, "").Names(some));
        Assert.True(new CaseOverride("test_ab*", CaseComparison.Form, "").Names(some));
        Assert.Equal(CaseOverrides.All.Count, CaseOverrides.All.Select(o => o.Case).Distinct(StringComparer.Ordinal).Count());
    }

    [Theory]
    [InlineData("mobilenetv2-int8-qdq", false)]
    [InlineData("test_bernoulli_seed", true)]
    [InlineData("mobilenetv2", false)]
    [InlineData("test_training_dropout_zero_ratio", false)]
    public void SmallStepsPassOnlyWhereListed(string name, bool passes)
    {
        var result = Verify(name, y => y[1] += 0.003f * Largest(y));
        Assert.Equal(passes, result.Passed);
    }

    [Fact]
    public void AQuantisedModelIsHeldToItsFirstChoice()
    {
        var result = Verify("mobilenetv2-int8-qdq", y =>
        {
            var first = y.IndexOf(y.ToArray().Max());
            var other = first == 0 ? 1 : 0;
            (y[first], y[other]) = (y[first], y[first] * 1.001f);
        }, level: VerificationLevel.Reference);
        Assert.Contains("largest element", result.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void TheReferenceOfAQuantisedModelMayMoveByASmallStep() =>
        Assert.True(Verify("mobilenetv2-int8-qdq", y => y[1] += 0.003f * Largest(y), level: VerificationLevel.Reference).Passed);

    [Fact]
    public void ARandomResultIsHeldToItsShape()
    {
        Assert.True(Verify("test_bernoulli", y => y.Fill(-7)).Passed);
        Assert.Contains("shape", Verify("test_bernoulli", y => { }, new Shape(10)).Failure, StringComparison.Ordinal);
    }

    /// <summary>Verifies the digits model under some name, against its own answers after a change.</summary>
    private CaseResult Verify(string name, SpanChange change, Shape? shape = null, VerificationLevel level = VerificationLevel.Plan)
    {
        var model = Model.Load(Path.Combine(Manifest.Root, "demo", "digits", "model.onnx"));
        var input = SampleInputs.Draw(model, 1).Values[0];
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        var answer = (Tensor)session.Run([input])[0];
        change(answer.Span<float>());
        var at = Path.Combine(folder.FullName, name);
        var data = Directory.CreateDirectory(Path.Combine(at, "test_data_set_0")).FullName;
        File.Copy(Path.Combine(Manifest.Root, "demo", "digits", "model.onnx"), Path.Combine(at, "model.onnx"), overwrite: true);
        TensorFile.Write(Path.Combine(data, "input_0.pb"), input);
        TensorFile.Write(Path.Combine(data, "output_0.pb"), shape is { } other ? answer.Reshape(other) : answer);
        return CaseVerifier.Verify(Assert.Single(ModelCases.Find(at)), level, new VerificationOptions { Threads = 1 });
    }

    private static float Largest(Span<float> values) => values.ToArray().Max(Math.Abs);

    private delegate void SpanChange(Span<float> values);
}
