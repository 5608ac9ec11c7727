using AiOptix.Bench.Compare;
using AiOptix.Tensors;

namespace AiOptix.Bench.Tests;

public class AgreementTests
{
    private static Agreement Of(Tensor found, Tensor expected) =>
        Agreement.Of(new Dictionary<string, Tensor> { ["y"] = found }, new Dictionary<string, Tensor> { ["y"] = expected });

    [Fact]
    public void SmallDifferencesAreWithinTheTolerance()
    {
        var a = Of(Tensor.Vector(100.05f, 0.005f), Tensor.Vector(100f, 0f));
        Assert.Null(a.Problem);
        Assert.Equal(0.0005, a.Largest, 6);
    }

    [Theory]
    [InlineData(100.2f, 0f)]
    [InlineData(100f, 0.02f)]
    [InlineData(float.NaN, 0f)]
    [InlineData(100f, float.PositiveInfinity)]
    public void LargerOnesAreNot(float first, float second) => Assert.StartsWith("output 'y'[", Of(Tensor.Vector(first, second), Tensor.Vector(100f, 0f)).Problem, StringComparison.Ordinal);

    [Fact]
    public void EqualInfinitiesAndNaNsAgree() => Assert.Equal(new Agreement(0, null), Of(Tensor.Vector(float.NaN, float.NegativeInfinity), Tensor.Vector(float.NaN, float.NegativeInfinity)));

    [Fact]
    public void IntegersMustBeTheSame() => Assert.NotNull(Of(Tensor.Vector(1L, 2L), Tensor.Vector(1L, 3L)).Problem);

    [Fact]
    public void TypeAndShapeMustBeTheSame()
    {
        Assert.NotNull(Of(Tensor.Vector(1f, 2f), Tensor.Vector(1.0, 2.0)).Problem);
        Assert.NotNull(Of(Tensor.Vector(1f, 2f).Reshape(new Shape(1, 2)), Tensor.Vector(1f, 2f)).Problem);
    }

    [Fact]
    public void AMissingOutputIsAProblem() => Assert.NotNull(Agreement.Of(new Dictionary<string, Tensor>(), new Dictionary<string, Tensor> { ["y"] = Tensor.Vector(1f) }).Problem);
}
