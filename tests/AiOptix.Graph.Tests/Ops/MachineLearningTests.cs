using AiOptix.Graphs.Ops.Ml;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

public class MachineLearningTests
{
    private static readonly Tensor column = Tensor.From<float>([1, 3, float.NaN], new Shape(3, 1));

    [Theory]
    [InlineData(TreeMode.LessOrEqual, 1f, 2f)]
    [InlineData(TreeMode.Less, 2f, 2f)]
    [InlineData(TreeMode.GreaterOrEqual, 1f, 1f)]
    [InlineData(TreeMode.Greater, 2f, 1f)]
    [InlineData(TreeMode.Equal, 1f, 2f)]
    [InlineData(TreeMode.NotEqual, 2f, 1f)]
    [InlineData(TreeMode.Member, 2f, 1f)]
    public void A_node_asks_its_question(TreeMode mode, float one, float three)
    {
        foreach (var missing in new[] { true, false })
        {
            var forest = new Forest([0], [new TreeNode(1, 0, ~0, ~1, 0, mode, missing)], [[new TreeVote(0, 1)], [new TreeVote(0, 2)]], [[3, 5]]);
            Assert.Equal([one, three, missing ? 1 : 2], Run.Floats(new TreeEnsemble(forest, 1), column));
        }
    }

    [Theory]
    [InlineData(TreeAggregate.Sum, 8f)]
    [InlineData(TreeAggregate.Average, 4f)]
    [InlineData(TreeAggregate.Min, 3f)]
    [InlineData(TreeAggregate.Max, 5f)]
    public void Votes_become_one_number(TreeAggregate aggregate, float expected)
    {
        var forest = new Forest([~0, ~1], [], [[new TreeVote(1, 3)], [new TreeVote(1, 5)]]);
        Assert.Equal([0, expected], Run.Floats(new TreeEnsembleRegressor(forest, 2, aggregate), Tensor.From<float>([7], new Shape(1, 1))));
        Assert.Equal([10, expected + 20], Run.Floats(new TreeEnsembleRegressor(forest, 2, aggregate, BaseValues: [10, 20]), Tensor.From<float>([7], new Shape(1, 1))));
    }

    [Fact]
    public void Trees_that_bite_their_tail_are_refused() =>
        Assert.Throws<InvalidGraphException>(() => Run.One(new TreeEnsemble(new([0], [new TreeNode(1, 0, 0, ~0, 0, TreeMode.Less, false)], [[new TreeVote(0, 1)]]), 1), column));

    [Fact]
    public void One_score_for_two_classes_is_a_probability_or_a_margin()
    {
        var x = Tensor.From<float>([0, 2], new Shape(2, 1));
        Forest Votes(double low, double high) => new([0], [new TreeNode(1, 0, ~0, ~1, 0, TreeMode.Less, false)], [[new TreeVote(0, low)], [new TreeVote(0, high)]]);
        var positive = Run.All(new TreeEnsembleClassifier(Votes(0.25, 0.75), new([10, 20])), 2, x);
        Assert.Equal([10, 20], ((Tensor)positive[0]).ToInt64());
        Assert.Equal([0.75f, 0.25f, 0.25f, 0.75f], ((Tensor)positive[1]).Span<float>().ToArray());
        var mixed = Run.All(new TreeEnsembleClassifier(Votes(-1, 1), new(Strings: ["no", "yes"]), PostTransform.Logistic), 2, x);
        Assert.Equal(["no", "yes"], ((Tensor)mixed[0]).Strings);
        Assert.Equal(0.2689414f, ((Tensor)mixed[1]).Span<float>()[1], 1e-6f);
    }

    [Fact]
    public void Linear_models()
    {
        var x = Tensor.Vector(1f, 2f);
        Assert.Equal([6f, 2f], Run.Floats(new LinearRegressor([1, 2, 3, -1], [1, 1], 2), x));
        var y = Run.All(new LinearClassifier([1, -1], [0.5f], new([3, 4])), 2, x);
        Assert.Equal([3], ((Tensor)y[0]).ToInt64());
        Assert.Equal([0.5f, -0.5f], ((Tensor)y[1]).Span<float>().ToArray());
    }

    [Fact]
    public void Support_vectors()
    {
        var x = Tensor.Vector(1f, 0f);
        Assert.Equal(2 * MathF.Exp(-0.5f) + 0.5f, Run.Floats(new SVMRegressor(new(SvmKernelKind.Rbf, 0.5f), [2, 5], [1, 1], 1, [0.5f]), x)[0], 1e-6f);
        Assert.Equal([-1f], Run.Floats(new SVMRegressor(new(), [1, 1], [], 0, [-2], OneClass: true), x));
        var y = Run.All(new SVMClassifier(new(), [1, -1, 1, 1, 1, -1], [1, 0, 0, 1, -1, 0], [1, 1, 1], [0, 0, 0], [], [], new([5, 6, 7])), 2, x);
        Assert.Equal([5], ((Tensor)y[0]).ToInt64());
        Assert.Equal(3, ((Tensor)y[1]).Count);
    }

    [Fact]
    public void Probabilities_of_pairs_are_coupled_to_a_distribution()
    {
        var y = Run.All(new SVMClassifier(new(), [1, -1, 1, 1, 1, -1], [1, 0, 0, 1, -1, 0], [1, 1, 1], [0, 0, 0], [-1, -1, -1], [0, 0, 0], new([5, 6, 7])), 2, Tensor.Vector(1f, 0.5f));
        var p = ((Tensor)y[1]).Span<float>().ToArray();
        Assert.Equal(1, p.Sum(), 1e-5f);
        Assert.All(p, v => Assert.InRange(v, 0, 1));
    }

    [Fact]
    public void Encoders_know_their_keys()
    {
        Assert.Equal([1, -1, 7], Run.Elements<long>(new LabelEncoder(Tensor.Vector(0.5f, float.NaN), Tensor.Vector(1L, 7), Tensor.Vector(-1L)), Tensor.Vector(0.5f, 2, float.NaN)));
        Assert.Equal([0, 1, 0, 0], Run.Floats(new OneHotEncoder(new([3, 4])), Tensor.Vector(4L, 5)));
        Assert.Throws<InvalidInputException>(() => Run.One(new OneHotEncoder(new([3, 4]), Zeros: false), Tensor.Vector(5L)));
        Assert.Equal([1f, 20, 10, 4], Run.Floats(new Imputer([10, 20], float.NaN), Tensor.From<float>([1, float.NaN, float.NaN, 4], new Shape(2, 2))));
        Assert.Equal([9L, 2], Run.Elements<long>(new Imputer([], Integers: [9], MissingInteger: 1), Tensor.Vector(1L, 2)));
    }

    [Fact]
    public void Features_are_scaled_row_by_row()
    {
        Assert.Equal([0f, 20, 2, 40], Run.Floats(new Scaler([1, 0], [1, 10]), Tensor.From<int>([1, 2, 3, 4], new Shape(2, 2))));
        var x = Tensor.From<float>([3, -4, 0, 0], new Shape(2, 2));
        Assert.Equal([1, -4f / 3, 0, 0], Run.Floats(new Normalizer(), x));
        Assert.Equal([3f / 7, -4f / 7, 0, 0], Run.Floats(new Normalizer(RowNorm.L1), x));
        Assert.Equal([0.6f, -0.8f, 0, 0], Run.Floats(new Normalizer(RowNorm.L2), x));
        Assert.Equal([0, 1], Run.Elements<int>(new Binarizer(1), Tensor.Vector(1, 2)));
        Assert.Equal([1f, 0, 5], Run.Floats(new FeatureVectorizer([2, 1]), Tensor.Vector(1f), Tensor.Vector(5f, 6)));
        Assert.Equal(["c", "a"], Run.One(new ArrayFeatureExtractor(), Tensor.FromStrings(["a", "b", "c"], new Shape(3)), Tensor.Vector(2L, 0)).Strings);
    }

    [Fact]
    public void A_row_becomes_a_map()
    {
        var maps = (SequenceValue)Run.All(new ZipMap(new(Strings: ["a", "b"])), 1, Tensor.From<float>([1, 2, 3, 4], new Shape(2, 2)))[0];
        Assert.Equal([3f, 4], ((MapValue)maps.Items[1]).Values.Span<float>().ToArray());
        Assert.Equal(["a", "b"], ((MapValue)maps.Items[1]).Keys.Strings);
    }
}
