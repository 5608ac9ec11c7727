using AiOptix.Cpu.Layout;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Channels last through whole regions: the same results as the graph as it was given, and no more reorders than the borders ask for.</summary>
public class LayoutTests
{
    private static readonly Dim N = Dim.Symbol("n"), H = Dim.Symbol("h"), W = Dim.Symbol("w");

    /// <summary>What may stand behind a convolution of six channels, which reads its few with their channels first, and how many reorders are left as steps.</summary>
    private static readonly Dictionary<string, (int Reorders, Func<Graph, Value, Value> Build)> behind = new()
    {
        ["nothing"] = (1, (_, y) => y),
        ["activation"] = (1, (g, y) => g.Add(new Sigmoid(), g.Add(new Clip(), g.Add(new LeakyRelu(0.1f), y), g.AddConstant(Tensor.Scalar(-1f))))),
        ["residual"] = (1, (g, y) => g.Add(new Relu(), g.Add(new Add(), Conv(g, y, 6, 6, 3), y))),
        ["input of the graph added"] = (2, (g, y) => g.Add(new Add(), Conv(g, y, 6, 5, 1), g.Inputs[0])),
        ["constants"] = (1, (g, y) => g.Add(new PRelu(), g.Add(new Mul(), g.Add(new Sub(), y, g.AddConstant(PlanCheck.Random(5, 6, 1, 1))), g.AddConstant(Tensor.Scalar(2f))), g.AddConstant(PlanCheck.Random(6, 1, 6, 1, 1)))),
        ["batch normalisation"] = (1, (g, y) => g.Add(new BatchNormalization(), y, Channel(g, 1), Channel(g, 2), Channel(g, 3), g.AddConstant(Tensor.Vector(0.5f, 1, 2, 3, 4, 5)))),
        ["concat, split"] = (1, (g, y) => g.Add(new Concat(1), g.Add(new Split(1), [g.Add(new Concat(-3), y, Conv(g, y, 6, 2, 1)), Ints(g, 3, 5)], [null, null]).Outputs.Reverse().ToArray())),
        ["slice, pad"] = (1, (g, y) => g.Add(new Pad(), g.Add(new Slice(), y, Ints(g, 1, -5), Ints(g, 5, 100), Ints(g, 1, 3)), Ints(g, 0, 1, 2, 0, 0, 2, 1, 1), g.AddConstant(Tensor.Scalar(0.5f)))),
        ["pad of some axes"] = (1, (g, y) => g.Add(new Pad(), y, Ints(g, 1, 2, 0, 1), null, Ints(g, -1, 1))),
        ["pools"] = (1, (g, y) => g.Add(new AveragePool([3, 2], [1, 1], [1, 1, 1, 0]), g.Add(new MaxPool([3, 3], [2, 1], [1, 1, 1, 1], CeilMode: true), y))),
        ["resize by scales"] = (1, (g, y) => g.Add(new Resize(ResizeMode.Linear), y, null, g.AddConstant(Tensor.Vector(1f, 1f, 2f, 1.5f)))),
        ["resize of some axes"] = (1, (g, y) => g.Add(new Resize(Axes: [3, 2]), y, null, g.AddConstant(Tensor.Vector(2f, 3f)))),
        ["squeeze and excite"] = (1, (g, y) => g.Add(new Mul(), y, g.Add(new HardSigmoid(), Conv(g, g.Add(new Relu(), Conv(g, g.Add(new GlobalAveragePool(), y), 6, 3, 1)), 3, 6, 1)))),
        ["classifier"] = (0, (g, y) => g.Add(new Gemm(), g.Add(new Flatten(), g.Add(new GlobalMaxPool(), y)), g.AddConstant(PlanCheck.Random(5, 6, 4)))),
        ["mean without axes kept"] = (0, (g, y) => g.Add(new ReduceMean(KeepDims: false), y, Ints(g, -1, 2))),
        ["reduced over channels"] = (0, (g, y) => g.Add(new ReduceMax(), y, Ints(g, 1))),
        ["label map"] = (0, (g, y) => g.Add(new ArgMax(1, KeepDims: false), g.Add(new Softmax(1), y))),
        ["turned by the file"] = (0, (g, y) => g.Add(new Transpose([0, 2, 3, 1]), y)),
        ["patches"] = (0, (g, y) => g.Add(new MatMul(), g.Add(new Transpose([0, 2, 1]), g.Add(new Reshape(), y, Ints(g, 0, 6, -1))), g.AddConstant(PlanCheck.Random(5, 6, 4)))),
        ["shuffled channels"] = (2, (g, y) => g.Add(new Reshape(), g.Add(new Transpose([0, 2, 1, 3, 4]), g.Add(new Reshape(), y, Ints(g, 0, 2, 3, 9, 10))), Ints(g, 0, 6, 9, 10))),
        ["anchors"] = (1, (g, y) => g.Add(new Transpose([0, 1, 3, 4, 2]), g.Add(new Reshape(), y, Ints(g, 0, 2, 3, 9, 10)))),
        ["one more axis and one less"] = (1, (g, y) => g.Add(new Relu(), g.Add(new Squeeze(), g.Add(new Neg(), g.Add(new Unsqueeze(), y, Ints(g, 3))), Ints(g, 3)))),
        ["an operator that does not follow"] = (2, (g, y) => Conv(g, g.Add(new Trilu(), y), 6, 3, 3)),
        ["instance normalisation"] = (1, (g, y) => g.Add(new GroupNormalization(2), g.Add(new InstanceNormalization(), y, Channel(g, 1), Channel(g, 2)), Channel(g, 3), Channel(g, 4))),
        ["transposed convolution"] = (1, (g, y) => g.Add(new ConvTranspose([2, 3], [1, 0, 2, 1], [1, 2], Group: 2, OutputPadding: [1, 0]), y, g.AddConstant(PlanCheck.Random(1, 6, 5, 3, 2)), g.AddConstant(PlanCheck.Random(2, 10)))),
        ["channels to blocks"] = (1, (g, y) => g.Add(new DepthToSpace(2), Conv(g, y, 6, 12, 1))),
        ["channels to blocks, among others"] = (1, (g, y) => g.Add(new Concat(1), g.Add(new DepthToSpace(2, DepthOrder.ColumnRowDepth), Conv(g, y, 6, 20, 1)), g.Add(new Resize(), y, null, g.AddConstant(Tensor.Vector(1f, 1f, 2f, 2f))))),
        ["depthwise"] = (1, (g, y) => g.Add(new Conv([1, 2], [1, 1, 1, 1], Group: 6), y, g.AddConstant(PlanCheck.Random(3, 6, 1, 3, 3)))),
        ["groups"] = (1, (g, y) => g.Add(new Conv(Pads: [2, 2, 2, 2], Dilations: [2, 2], Group: 2), y, g.AddConstant(PlanCheck.Random(3, 10, 3, 3, 3)))),
    };

    public static TheoryData<string> Behind => [.. behind.Keys];

    [Theory]
    [MemberData(nameof(Behind))]
    public void Computes_the_same(string what)
    {
        var g = Build(what, N, 9, 10);
        var laid = LayoutAssignment.Assign(g);
        using Tensor x = PlanCheck.Random(7, 2, 5, 9, 10);
        var inputs = new Dictionary<string, RuntimeValue> { ["x"] = x };
        var (expected, found) = ((Tensor)ReferenceEvaluator.Run(g, inputs)[0], (Tensor)ReferenceEvaluator.Run(laid, inputs)[0]);
        Assert.Equal(expected.Shape, found.Shape);
        Assert.Equal(g.Outputs[0].Name, laid.Outputs[0].Name);
        if (expected.DType == DType.Float32)
            Assert.All(expected.Span<float>().ToArray().Zip(found.Span<float>().ToArray()), p => Assert.Equal(p.First, p.Second, 1e-4f));
        else Assert.True(expected.BitEquals(found));
        PlanCheck.Same(g, x);
    }

    [Theory]
    [MemberData(nameof(Behind))]
    public void Reorders_stand_at_the_borders_only(string what)
    {
        var steps = PlanCheck.Compile(Build(what, N, 9, 10)).Steps;
        Assert.Equal(behind[what].Reorders, steps.Count(s => s.Operation == "Transpose"));
    }

    [Fact]
    public void Extents_may_be_open()
    {
        var g = Build("squeeze and excite", N, H, W);
        PlanCheck.Same(g, PlanCheck.Random(7, 2, 5, 9, 10));
        PlanCheck.Same(g, PlanCheck.Random(8, 1, 5, 4, 17));
    }

    [Fact]
    public void One_element_may_lose_all_axes()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(1, 5, 3, 3));
        g.AddOutput(g.Add(new Reshape(), g.Add(new Conv(), x, g.AddConstant(PlanCheck.Random(1, 1, 5, 3, 3))), Ints(g)));
        PlanCheck.Same(g, PlanCheck.Random(7, 1, 5, 3, 3));
    }

    [Fact]
    public void A_cut_that_only_a_run_can_tell_keeps_its_order_of_axes()
    {
        var g = new Graph("g");
        var y = g.Add(new Conv(), g.AddInput("x", PlanCheck.F32(1, 5, 9, 10)), g.AddConstant(PlanCheck.Random(1, 1, 5, 1, 1)));
        var (starts, ends) = (g.AddInput("starts", new TensorType(DType.Int64, new([2]))), g.AddInput("ends", new TensorType(DType.Int64, new([2]))));
        g.AddOutput(g.Add(new Slice(), y, starts, ends, Ints(g, 2, 3)));
        PlanCheck.Same(g, PlanCheck.Random(7, 1, 5, 9, 10), Tensor.Vector<long>(1, 2), Tensor.Vector<long>(7, 6));
    }

    [Fact]
    public void One_and_three_axes_follow_too()
    {
        var line = new Graph("line");
        line.AddOutput(line.Add(new MaxPool([2]), line.Add(new Conv([2], [3, 3]), line.AddInput("x", PlanCheck.F32(N, 5, 40)), line.AddConstant(PlanCheck.Random(1, 6, 5, 7)))));
        PlanCheck.Same(line, PlanCheck.Random(7, 2, 5, 40));
        var volume = new Graph("volume");
        volume.AddOutput(volume.Add(new AveragePool([2, 2, 2]), volume.Add(new Conv(Pads: [1, 1, 1, 1, 1, 1]), volume.AddInput("x", PlanCheck.F32(N, 2, 4, 5, 6)), volume.AddConstant(PlanCheck.Random(1, 6, 2, 3, 3, 3)))));
        PlanCheck.Same(volume, PlanCheck.Random(7, 2, 2, 4, 5, 6));
    }

    [Fact]
    public void Convolutions_write_to_where_their_results_are_joined()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 5, H, W));
        var fire = g.Add(new Relu(), Conv(g, x, 5, 6, 1));
        g.AddOutput(g.Add(new Concat(1), g.Add(new Relu(), Conv(g, fire, 6, 4, 1)), g.Add(new MaxPool([3, 3], Pads: [1, 1, 1, 1]), fire), Conv(g, fire, 6, 7, 3)));
        g.AddOutput(g.Add(new Concat(1), Conv(g, fire, 6, 3, 3), g.Add(new Conv(Group: 6), fire, g.AddConstant(PlanCheck.Random(3, 6, 1, 1, 1)))));
        Assert.DoesNotContain(PlanCheck.Compile(g).Steps, s => s.Operation == "Concat");
        PlanCheck.Same(g, PlanCheck.Random(7, 2, 5, 9, 10));
    }

    [Fact]
    public void Pieces_of_channels_are_read_where_they_lie()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 5, H, W));
        var halves = g.Add(new Split(1), [Conv(g, x, 5, 8, 1), Ints(g, 3, 5)], [null, null]).Outputs;
        var next = g.Add(new Add(), Conv(g, halves[1], 5, 5, 3), halves[1]);
        var joined = g.Add(new Concat(1), halves[0], halves[1], next, g.Add(new Conv([1, 1], [1, 1, 1, 1], Group: 5), next, g.AddConstant(PlanCheck.Random(3, 5, 1, 3, 3))));
        g.AddOutput(g.Add(new MaxPool([3, 3], [2, 2]), joined));
        g.AddOutput(g.Add(new Concat(1), g.Add(new ConvTranspose([2, 2]), halves[0], g.AddConstant(PlanCheck.Random(4, 3, 2, 2, 2))), g.Add(new Resize(), halves[1], null, g.AddConstant(Tensor.Vector(1f, 1f, 2f, 2f)))));
        g.AddOutput(g.Add(new Neg(), next));
        Assert.DoesNotContain(PlanCheck.Compile(g).Steps, s => s.Operation == "Split");
        PlanCheck.Same(g, PlanCheck.Random(7, 2, 5, 9, 10));
    }

    [Fact]
    public void What_is_joined_behind_data_is_copied()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 5, 9, 10));
        var first = Conv(g, x, 5, 6, 1);
        var places = g.Add(new NonZero(), g.Add(new Greater(), first, g.AddConstant(Tensor.Scalar(0f))));
        g.AddOutput(places);
        g.AddOutput(g.Add(new Concat(1), first, Conv(g, x, 5, 3, 3)));
        PlanCheck.Same(g, PlanCheck.Random(7, 2, 5, 9, 10));
    }

    [Fact]
    public void A_graph_without_convolutions_is_left_alone()
    {
        var g = new Graph("g");
        g.AddOutput(g.Add(new Relu(), g.Add(new MaxPool([2, 2]), g.AddInput("x", PlanCheck.F32(N, 3, 7, 9)))));
        Assert.Same(g, LayoutAssignment.Assign(g));
    }

    [Fact]
    public void Steps_keep_the_names_of_the_nodes()
    {
        var g = new Graph("g");
        var conv = g.Add(new Conv(), [g.AddInput("x", PlanCheck.F32(N, 5, 7, 9)), g.AddConstant(PlanCheck.Random(1, 4, 5, 1, 1))], [null], "first");
        var pool = g.Add(new MaxPool([2, 2]), [conv.Output], [null], "second");
        conv.SetOrigin("a");
        pool.SetOrigin("b");
        g.AddOutput(pool.Output);
        var steps = PlanCheck.Compile(g).Steps;
        Assert.Equal("a", Assert.Single(steps.Single(s => s.Name == "first" && s.Operation == "Conv").Origins));
        Assert.Equal("b", Assert.Single(steps.Single(s => s.Name == "second" && s.Operation == "MaxPool").Origins));
    }

    private static Graph Build(string what, Dim n, Dim h, Dim w)
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(n, 5, h, w));
        g.AddOutput(behind[what].Build(g, Conv(g, x, 5, 6, 3)));
        return g;
    }

    private static Value Conv(Graph g, Value x, int from, int to, int taps) =>
        g.Add(new Conv(Pads: [taps / 2, taps / 2, taps / 2, taps / 2]), x, g.AddConstant(PlanCheck.Random(taps + to, to, from, taps, taps)), g.AddConstant(PlanCheck.Random(to, to)));

    private static Value Ints(Graph g, params long[] values) => g.AddConstant(Tensor.Vector<long>(values));

    private static Value Channel(Graph g, int seed) => g.AddConstant(PlanCheck.Random(seed, 6));
}
