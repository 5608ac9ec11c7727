using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

/// <summary>Sequences and optionals.</summary>
public class ContainerTests
{
    private readonly Graph g = Build.Empty();

    [Fact]
    public void ItemsAreInsertedErasedAndFoundFromBothEnds()
    {
        var (a, b, c) = (Vector(1), Vector(2, 3), Vector(4, 5, 6));
        var s = g.Add(new SequenceInsert(), g.Add(new SequenceInsert(), g.Add(new SequenceEmpty()), c), a, g.Int(-1));
        s = g.Add(new SequenceInsert(), s, b, g.Int(1));
        Assert.Equal([1f, 2, 3, 4, 5, 6], Floats(g.Add(new ConcatFromSequence(0), s)));
        Assert.Equal([4f, 5, 6], Floats(g.Add(new SequenceAt(), s, g.Int(-1))));
        Assert.Equal([1f, 2, 3], Floats(g.Add(new ConcatFromSequence(-1), g.Add(new SequenceErase(), s))));
        Assert.Equal([2f, 3, 4, 5, 6], Floats(g.Add(new ConcatFromSequence(0), g.Add(new SequenceErase(), s, g.Int(-3)))));
        Assert.Equal(3, ((Tensor)Evaluate(g.Add(new SequenceLength(), s))).ToInt64()[0]);
        Assert.Throws<InvalidInputException>(() => Evaluate(g.Add(new SequenceAt(), s, g.Int(3))));
        Assert.Throws<InvalidInputException>(() => Evaluate(g.Add(new SequenceInsert(), s, a, g.Int(4))));
        Assert.Throws<InvalidInputException>(() => Evaluate(g.Add(new SequenceErase(), g.Add(new SequenceEmpty()))));
    }

    [Fact]
    public void ElementTypesKeepWhatAllItemsShare()
    {
        var s = g.Add(new SequenceConstruct(), g.Input("x", DType.Float32, "n", 4), g.Input("y", DType.Float32, 3, 4));
        var at = g.Add(new SequenceAt(), s, g.Int(0));
        Assert.Equal(2, at.Shape!.Rank);
        Assert.False(at.Shape[0].IsConstant);
        Assert.NotEqual("n", at.Shape[0].SymbolName);
        Assert.Equal(4, at.Shape[1].Constant);
        Assert.Throws<InvalidGraphException>(() => g.Add(new SequenceConstruct(), g.Input("a", DType.Float32, 1), g.Input("b", DType.Int32, 1)));
        Assert.Throws<InvalidGraphException>(() => g.Add(new SequenceLength(), g.Input("t", DType.Float32, 1)));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 2)]
    [InlineData(-2, 3)]
    public void SplittingAndConcatenatingAreInverse(int axis, int pieces)
    {
        var x = g.AddConstant(Build.Counting(5, 4));
        axis = axis == -2 ? 0 : axis;
        var scalar = g.Add(new SplitToSequence(axis - 2), x, g.Int(2));
        Assert.Equal(pieces, ((SequenceValue)Evaluate(scalar)).Items.Count);
        Assert.Equal(Build.Counting(5, 4).Floats(), Floats(g.Add(new ConcatFromSequence(axis), scalar)));
        var vector = g.Add(new SplitToSequence(axis), x, axis == 0 ? g.Ints(4, 0, 1) : g.Ints(1, 3));
        Assert.Equal(Build.Counting(5, 4).Floats(), Floats(g.Add(new ConcatFromSequence(axis), vector)));
        var single = g.Add(new SplitToSequence(axis, KeepDims: false), x);
        Assert.Equal(Build.Counting(5, 4).Floats(), Floats(g.Add(new ConcatFromSequence(axis, NewAxis: true), single)));
        Assert.Throws<InvalidInputException>(() => Evaluate(g.Add(new SplitToSequence(axis), x, g.Ints(1, 1))));
    }

    [Fact]
    public void StringsGoThroughSequences()
    {
        var x = g.AddConstant(Tensor.FromStrings(["a", "b", "c"], new Shape(3)));
        var joined = g.Add(new ConcatFromSequence(0), g.Add(new SequenceErase(), g.Add(new SplitToSequence(), x), g.Int(1)));
        Assert.Equal(["a", "c"], ((Tensor)Evaluate(joined)).Strings);
    }

    [Fact]
    public void OptionalsAndPlainValues()
    {
        var x = Vector(1, 2);
        var full = g.Add(new Optional(), x);
        var empty = g.Add(new Optional(new TensorType(DType.Float32, null)));
        Assert.Equal(1, Flag(g.Add(new OptionalHasElement(), full)));
        Assert.Equal(0, Flag(g.Add(new OptionalHasElement(), empty)));
        Assert.Equal(1, Flag(g.Add(new OptionalHasElement(), x)));
        Assert.Equal(0, Flag(g.Add(new OptionalHasElement())));
        Assert.Equal([1f, 2], Floats(g.Add(new OptionalGetElement(), full)));
        Assert.Equal([1f, 2], Floats(g.Add(new OptionalGetElement(), x)));
        Assert.Throws<InvalidInputException>(() => Evaluate(g.Add(new OptionalGetElement(), empty)));
    }

    [Fact]
    public void AMapGoesOverAllItems()
    {
        var s = g.Add(new SequenceConstruct(), Vector(1), Vector(2, 3));
        var body = new Graph("body", g);
        var item = body.AddInput("item", null);
        var plain = body.AddInput("plain", null);
        body.AddOutput(body.Add(new Add(), item, plain));
        body.AddOutput(body.Add(new ShapeOf(), item));
        var map = g.Add(new SequenceMap(body), [s, Vector(10)], [null, null]);
        Assert.Equal([11f, 12, 13], Floats(g.Add(new ConcatFromSequence(0), map.Outputs[0])));
        Assert.Equal([1L, 2], ((Tensor)Evaluate(g.Add(new ConcatFromSequence(0), map.Outputs[1]))).ToInt64());
    }

    [Fact]
    public void SequencesAreReversedAlongEitherAxis()
    {
        var x = Build.Counting(3, 2, 2);
        Assert.Equal([8f, 9, 2, 3, 4, 5, 6, 7, 0, 1, 10, 11], Run.Floats(new ReverseSequence(), x, Tensor.Vector(3L, 1L)));
        Assert.Equal([2f, 3, 0, 1, 4, 5, 6, 7, 8, 9, 10, 11], Run.Floats(new ReverseSequence(0, 1), x, Tensor.Vector(2L, 1L, 0L)));
    }

    private Value Vector(params float[] values) => g.AddConstant(Tensor.Vector<float>(values));

    private float[] Floats(Value value) => ((Tensor)Evaluate(value)).Floats();

    private long Flag(Value value) => ((Tensor)Evaluate(value)).ToInt64()[0];

    private static RuntimeValue Evaluate(Value value)
    {
        var scope = new Scope();
        Walk(value);
        return scope.Get(value)!;

        void Walk(Value v)
        {
            if (v.Producer is not { } node || scope.Get(v) is not null) return;
            foreach (var i in node.Inputs)
                if (i is not null) Walk(i);
            var made = ReferenceEvaluator.Evaluate(node, scope, Limits.Default, CancellationToken.None);
            for (var i = 0; i < made.Count; i++) scope.Set(node.Outputs[i], made[i]);
        }
    }
}
