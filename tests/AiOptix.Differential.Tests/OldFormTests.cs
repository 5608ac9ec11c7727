using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>Forms of operators that only old versions have, by their definitions.</summary>
public class OldFormTests
{
    [Theory]
    [InlineData(9)]
    [InlineData(7)]
    public void BatchNormalizationTrainsWhereItHasMoreOutputs(long opset)
    {
        // Two channels of four elements each: 0, 2, 4, 6 and 10, 10, 30, 30.
        var x = Tensor.From<float>([0, 2, 10, 10, 4, 6, 30, 30], new Shape(2, 2, 2));
        var draft = new NodeDraft(new Draw(1), "", null, "BatchNormalization", opset, new Dictionary<string, DType>());
        draft.Value(x).Value(Tensor.Vector(1f, 2)).Value(Tensor.Vector(0f, 1)).Value(Tensor.Vector(1f, 0)).Value(Tensor.Vector(2f, 4)).Out(5).Attr("epsilon", 0f).Attr("momentum", 0.75f);
        var results = All(draft);
        Close([3, 20], results[3]);
        Close([5, 100], results[4]);
        Close([0.75 * 1 + 0.25 * 3, 0.25 * 20], results[1]);
        Close([0.75 * 2 + 0.25 * 5, 0.75 * 4 + 0.25 * 100], results[2]);
        Close([-3 / Math.Sqrt(5), -1 / Math.Sqrt(5), -1, -1, 1 / Math.Sqrt(5), 3 / Math.Sqrt(5), 3, 3], results[0]);
    }

    [Fact]
    public void BatchNormalizationTrainsEachElementWhereItIsNotSpatial()
    {
        var draft = new NodeDraft(new Draw(1), "", null, "BatchNormalization", 7, new Dictionary<string, DType>());
        Tensor Vector(float a, float b) => Tensor.From<float>([a, b], new Shape(1, 2));
        draft.Value(Tensor.From<float>([0, 10, 4, 30], new Shape(2, 1, 2))).Value(Vector(1, 2)).Value(Vector(0, 1)).Value(Vector(1, 0)).Value(Vector(2, 4)).Out(5).Attr("epsilon", 0f).Attr("momentum", 0.5f).Attr("spatial", 0L);
        var results = All(draft);
        Close([-1, -1, 1, 3], results[0]);
        Close([1.5, 10], results[1]);
        Close([2, 20], results[3]);
        Close([4, 100], results[4]);
        Assert.Equal(new Shape(1, 2), results[4].Shape);
    }

    [Fact]
    public void MeanVarianceNormalizationMayLeaveTheVariance()
    {
        var draft = new NodeDraft(new Draw(1), "", null, "MeanVarianceNormalization", 1, new Dictionary<string, DType>());
        draft.Value(Tensor.From<float>([1, 3, 10, 30], new Shape(1, 2, 1, 2))).Attr("normalize_variance", 0L);
        Close([-1, 1, -10, 10], All(draft)[0]);
    }

    private static IReadOnlyList<Tensor> All(NodeDraft draft)
    {
        var g = Generated.Of(draft.OpType, draft);
        var expected = Levels.Reference(g);
        Assert.Null(Levels.Difference(expected, Levels.Plan(g), g));
        return [.. expected.Cast<Tensor>()];
    }

    private static void Close(double[] expected, Tensor found)
    {
        Assert.Equal(expected.Length, found.Count);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found.Span<float>()[i], 1e-4);
    }
}
