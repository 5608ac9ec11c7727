using AiOptix.Optimization;
using AiOptix.Tensors;
using AiOptix.Verification;

namespace AiOptix.Conformance.Tests;

public class TensorComparisonTests
{
    [Fact]
    public void Floats_match_within_the_tolerance()
    {
        var expected = Tensor.From<float>([1, 100, 0, float.NaN, float.PositiveInfinity], new Shape(1, 5));
        Assert.True(TensorComparison.Compare(expected, Tensor.From<float>([1.0009f, 100.09f, 9e-8f, float.NaN, float.PositiveInfinity], new Shape(1, 5))).Matches);
        var result = TensorComparison.Compare(expected, Tensor.From<float>([1.002f, 101, 2e-7f, 1, float.NegativeInfinity], new Shape(1, 5)));
        Assert.False(result.Matches);
        Assert.Equal(5, result.Mismatches);
        Assert.Equal("[0,0]", result.First!.Index);
        Assert.Equal("[0,1]", result.Worst!.Index);
        Assert.Equal(1, result.MaxError, 1e-5);
    }

    [Fact]
    public void The_scaled_tolerance_follows_the_largest_value() =>
        Assert.True(TensorComparison.Compare(Tensor.Vector(1000f, 0), Tensor.Vector(1000f, 0.05f), new Tolerance(Scaled: 1e-4)).Matches);

    [Fact]
    public void Anything_else_matches_exactly()
    {
        Assert.False(TensorComparison.Compare(Tensor.Vector(1000000L), Tensor.Vector(1000001L)).Matches);
        Assert.False(TensorComparison.Compare(Tensor.FromStrings(["a"], new Shape(1)), Tensor.FromStrings(["b"], new Shape(1))).Matches);
        Assert.Contains("type", TensorComparison.Compare(Tensor.Vector(1), Tensor.Vector(1L)).Failure, StringComparison.Ordinal);
        Assert.Contains("shape", TensorComparison.Compare(Tensor.Vector(1), Tensor.Scalar(1)).Failure, StringComparison.Ordinal);
        Assert.True(TensorComparison.CompareForm(Tensor.Vector(1), Tensor.Vector(2)).Matches);
    }

    [Fact]
    public void Containers_are_compared_item_by_item()
    {
        var expected = new SequenceValue([Tensor.Vector(1f), Tensor.Vector(2f)]);
        Assert.True(TensorComparison.Compare(expected, new SequenceValue([Tensor.Vector(1f), Tensor.Vector(2f)])).Matches);
        Assert.Contains("item 1", TensorComparison.Compare(expected, new SequenceValue([Tensor.Vector(1f), Tensor.Vector(3f)])).Failure, StringComparison.Ordinal);
        Assert.False(TensorComparison.Compare(expected, new SequenceValue([Tensor.Vector(1f)])).Matches);
        Assert.False(TensorComparison.Compare(new OptionalValue(null), new OptionalValue(Tensor.Vector(1f))).Matches);
    }
}
