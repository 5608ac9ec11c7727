using AiOptix.Cpu.Layout;
using AiOptix.Cpu.Lower;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Every rule of the table against the reference evaluation, on shapes with odd tails.</summary>
public class RuleTests
{
    private static readonly Dim N = Dim.Symbol("n");

    /// <summary>A node of each operator that has a rule: how to build it, and a check that it is lowered and not a Reference step.</summary>
    private static readonly Dictionary<Type, Func<Graph, Value, Value>> builders = new()
    {
        [typeof(Conv)] = (g, x) => g.Add(new Conv([2, 1], [1, 0, 2, 1], [1, 2]), x, g.AddConstant(PlanCheck.Random(1, 5, 3, 3, 2)), g.AddConstant(PlanCheck.Random(2, 5))),
        [typeof(ConvTranspose)] = (g, x) => g.Add(new ConvTranspose([2, 3], [1, 0, 2, 1], [1, 2], OutputPadding: [1, 0]), x, g.AddConstant(PlanCheck.Random(1, 3, 5, 3, 2)), g.AddConstant(PlanCheck.Random(2, 5))),
        [typeof(Gemm)] = (g, x) => g.Add(new Gemm(), g.Add(new Flatten(2), g.Add(new Reshape(), x, Ints(g, -1, 3, 7, 9))), g.AddConstant(PlanCheck.Random(1, 63, 4))),
        [typeof(GRU)] = (g, x) => RecurrentTests.Layer(g, new GRU(RecurrentDirection.Bidirectional), g.Add(new Reshape(), x, Ints(g, 7, -1, 27)), 27, 5),
        [typeof(LSTM)] = (g, x) => RecurrentTests.Layer(g, new LSTM(RecurrentDirection.Reverse), g.Add(new Reshape(), x, Ints(g, 7, -1, 27)), 27, 5),
        [typeof(RNN)] = (g, x) => RecurrentTests.Layer(g, new RNN(), g.Add(new Reshape(), x, Ints(g, 7, -1, 27)), 27, 5),
        [typeof(TreeEnsemble)] = (g, x) => g.Add(new TreeEnsemble(TreeTests.Forest(3, targets: 2), 2, TreeAggregate.Max), TreeTests.Rows(g, x)),
        [typeof(TreeEnsembleClassifier)] = (g, x) => g.Add(new TreeEnsembleClassifier(TreeTests.Forest(3, targets: 3), new([7, 8, 9])), [TreeTests.Rows(g, x)], [null, null]).Outputs[1],
        [typeof(TreeEnsembleRegressor)] = (g, x) => g.Add(new TreeEnsembleRegressor(TreeTests.Forest(3, targets: 1), 1), TreeTests.Rows(g, x)),
        [typeof(MatMul)] = (g, x) => g.Add(new MatMul(), x, g.AddConstant(PlanCheck.Random(1, 9, 4))),
        [typeof(GlobalAveragePool)] = (g, x) => g.Add(new GlobalAveragePool(), x),
        [typeof(GlobalMaxPool)] = (g, x) => g.Add(new GlobalMaxPool(), x),
        [typeof(AveragePool)] = (g, x) => g.Add(new AveragePool([3, 2], [2, 1], [1, 1, 1, 0], CountIncludePad: true), x),
        [typeof(MaxPool)] = (g, x) => g.Add(new MaxPool([3, 3], [2, 2], [1, 1, 1, 1], CeilMode: true), x),
        [typeof(ArgMax)] = (g, x) => g.Add(new ArgMax(1), x),
        [typeof(ArgMin)] = (g, x) => g.Add(new ArgMin(-1, KeepDims: false), x),
        [typeof(ReduceL1)] = Reduce(new ReduceL1()),
        [typeof(ReduceL2)] = Reduce(new ReduceL2()),
        [typeof(ReduceLogSum)] = (g, x) => g.Add(new ReduceLogSum(), g.Add(new Abs(), x), Ints(g, 1)),
        [typeof(ReduceMax)] = Reduce(new ReduceMax()),
        [typeof(ReduceMean)] = Reduce(new ReduceMean()),
        [typeof(ReduceMin)] = Reduce(new ReduceMin()),
        [typeof(ReduceProd)] = Reduce(new ReduceProd()),
        [typeof(ReduceSum)] = Reduce(new ReduceSum()),
        [typeof(ReduceSumSquare)] = Reduce(new ReduceSumSquare()),
        [typeof(BatchNormalization)] = (g, x) => g.Add(new BatchNormalization(), x, Channel(g, 1), Channel(g, 2), Channel(g, 3), g.AddConstant(Tensor.Vector(0.5f, 1f, 2f))),
        [typeof(GroupNormalization)] = (g, x) => g.Add(new GroupNormalization(3), x, Channel(g, 1), Channel(g, 2)),
        [typeof(InstanceNormalization)] = (g, x) => g.Add(new InstanceNormalization(), x, Channel(g, 1), Channel(g, 2)),
        [typeof(LayerNormalization)] = (g, x) => g.Add(new LayerNormalization(-2), x, g.AddConstant(PlanCheck.Random(1, 7, 9)), g.AddConstant(PlanCheck.Random(2, 7, 9))),
        [typeof(RMSNormalization)] = (g, x) => g.Add(new RMSNormalization(), x, g.AddConstant(PlanCheck.Random(1, 9))),
        [typeof(Concat)] = (g, x) => g.Add(new Concat(-2), x, g.Add(new Neg(), x), x),
        [typeof(Expand)] = (g, x) => g.Add(new Expand(), g.Add(new ReduceMax(), x, Ints(g, 2)), Ints(g, 1, 1, 5, 1)),
        [typeof(Slice)] = (g, x) => g.Add(new Slice(), x, Ints(g, -1, 1), Ints(g, -100, 8), Ints(g, 2, 3), Ints(g, -2, 3)),
        [typeof(Split)] = (g, x) => g.Add(new Concat(1), g.Add(new Split(1), [x, Ints(g, 1, 2)], [null, null]).Outputs.Reverse().ToArray()),
        [typeof(Transpose)] = (g, x) => g.Add(new Transpose([0, 3, 1, 2]), x),
        [typeof(Pow)] = (g, x) => g.Add(new Pow(), g.Add(new Pow(), g.Add(new Abs(), x), g.AddConstant(Tensor.Scalar(2f))), g.AddConstant(PlanCheck.Random(1, 9))),
        [typeof(Where)] = (g, x) => g.Add(new Where(), g.Add(new Less(), x, g.AddConstant(PlanCheck.Random(1, 7, 1))), x, g.AddConstant(Tensor.Scalar(3f))),
        [typeof(Clip)] = (g, x) => g.Add(new Clip(), x, g.AddConstant(Tensor.Scalar(-0.5f)), g.AddConstant(Tensor.Scalar(0.7f))),
        [typeof(LogSoftmax)] = (g, x) => g.Add(new LogSoftmax(-1), g.Add(new LogSoftmax(2), x)),
        [typeof(Softmax)] = (g, x) => g.Add(new Softmax(-1), g.Add(new Softmax(2), x)),
        [typeof(Attention)] = (g, x) => g.Add(new Transpose([0, 2, 1, 3]), g.Add(new Attention(), Head(g, x, 5), Head(g, x, 4), Head(g, x, 4), g.AddConstant(PlanCheck.Random(3, 1, 1, 5, 4)))),
        [typeof(QuantizeLinear)] = (g, x) => g.Add(new Cast(DType.Float32), g.Add(new QuantizeLinear(2), x, g.AddConstant(Tensor.Vector(0.01f, 0.02f, 0.1f, 3f, 0.3f, 0.07f, 0.005f)), g.AddConstant(Tensor.Vector<sbyte>(0, 1, -2, 100, -128, 5, 6)))),
        [typeof(DequantizeLinear)] = (g, x) => g.Add(new DequantizeLinear(), g.Add(new QuantizeLinear(), x, g.AddConstant(Tensor.Scalar(0.01f)), g.AddConstant(Tensor.Scalar((byte)100))), g.AddConstant(Tensor.Scalar(0.02f)), g.AddConstant(Tensor.Scalar((byte)7))),
        [typeof(RotaryEmbedding)] = (g, x) => g.Add(new Add(), Rotated(g, x, new RotaryEmbedding(Size: 8)), g.Add(new Reshape(), Rotated(g, g.Add(new Reshape(), x, Ints(g, 0, 21, 9)), new RotaryEmbedding(Interleaved: true, Heads: 1, Size: 6)), Ints(g, 0, 3, 7, 9))),
        [typeof(QLinearConv)] = (g, x) => Numbers(g, g.Add(new QLinearConv(new Conv([2, 1], [1, 0, 2, 1], [1, 2])), Bytes(g, x), Scale(g, 0.02f), Zero(g, 100), Int8(g, 1, 5, 3, 3, 2),
            g.AddConstant(Tensor.Vector(0.01f, 0.02f, 0.005f, 0.03f, 0.01f)), g.AddConstant(Tensor.Vector<sbyte>(0, 1, -2, 3, 0)), Scale(g, 0.05f), Zero(g, 120), g.AddConstant(Tensor.Vector(5, -300, 7000, 0, 1)))),
        [typeof(QLinearMatMul)] = (g, x) => Numbers(g, g.Add(new QLinearMatMul(), Bytes(g, x), Scale(g, 0.02f), Zero(g, 100), Int8(g, 2, 9, 5), Scale(g, 0.01f), g.AddConstant(Tensor.Scalar<sbyte>(3)), Scale(g, 0.05f), Zero(g, 120))),
        [typeof(DynamicQuantizeLinear)] = (g, x) => g.Add(new Mul(), g.Add(new Cast(DType.Float32), g.Add(new DynamicQuantizeLinear(), [x], [null, null, null]).Output), g.Add(new DynamicQuantizeLinear(), [x], [null, null, null]).Outputs[1]),
        [typeof(ConvInteger)] = (g, x) => g.Add(new Cast(DType.Float32), g.Add(new ConvInteger(new Conv([2, 1], [1, 0, 2, 1], [1, 2])), Bytes(g, x), Int8(g, 1, 5, 3, 3, 2), Zero(g, 100), g.AddConstant(Tensor.Vector<sbyte>(0, 1, -2, 3, 0)))),
        [typeof(MatMulInteger)] = (g, x) => g.Add(new Cast(DType.Float32), g.Add(new MatMulInteger(), Bytes(g, x), Int8(g, 2, 9, 5), Zero(g, 100), g.AddConstant(Tensor.Vector<sbyte>(3, 0, -7, 1, 0)))),
        [typeof(Cast)] = (g, x) => g.Add(new Cast(DType.Float32), g.Add(new Cast(DType.Float16), x)),
        [typeof(ConstantOfShape)] = (g, x) => g.Add(new Add(), g.Add(new ConstantOfShape(Tensor.Vector(2.5f)), g.Add(new ShapeOf(), x)), x),
        [typeof(Gather)] = (g, x) => g.Add(new Gather(2), x, g.AddConstant(Tensor.From<long>([0, -1, 3, 3, 6, -7], new Shape(2, 3)))),
        [typeof(GridSample)] = (g, x) => g.Add(new Add(), g.Add(new GridSample(), x, Grid(g, x)), g.Add(new GridSample(GridMode.Cubic, GridPadding.Reflection, AlignCorners: true), x, Grid(g, x))),
        [typeof(RoiAlign)] = (g, x) => g.Add(new Add(), g.Add(new RoiAlign(3, 5, 0.5f), x, Regions(g), Ints(g, 0, 0, 0)), g.Add(new RoiAlign(3, 5, 0.5f, 2, HalfPixel: false), x, Regions(g), Ints(g, 0, 0, 0))),
        [typeof(Resize)] = (g, x) => g.Add(new Resize(ResizeMode.Linear), x, null, g.AddConstant(Tensor.Vector(1f, 1f, 2f, 1.5f))),
        [typeof(Pad)] = (g, x) => g.Add(new Pad(), x, Ints(g, 0, 2, -1, 3, 1, 0, -2, 1), g.AddConstant(Tensor.Scalar(0.5f))),
        [typeof(ScatterND)] = (g, x) => g.Add(new ScatterND(), g.Add(new ScatterND(), x, g.AddConstant(Tensor.From<long>([0, 1, 0, -3], new Shape(2, 2))), g.AddConstant(PlanCheck.Random(3, 2, 7, 9))),
            g.AddConstant(Tensor.From<long>([0, 0, 0, 0, 0, 2, -1, -9], new Shape(2, 1, 4))), g.AddConstant(PlanCheck.Random(4, 2, 1))),
        [typeof(ArrayFeatureExtractor)] = (g, x) => g.Add(new ArrayFeatureExtractor(), x, Ints(g, 0, 8, 3, 3)),
        [typeof(CumProd)] = (g, x) => g.Add(new CumProd(Reverse: true), x, g.AddConstant(Tensor.Scalar(-1L))),
        [typeof(CumSum)] = (g, x) => g.Add(new CumSum(Exclusive: true), x, g.AddConstant(Tensor.Scalar(2L))),
        [typeof(DepthToSpace)] = (g, x) => g.Add(new DepthToSpace(3, DepthOrder.ColumnRowDepth), g.Add(new Reshape(), x, Ints(g, 0, 9, 3, 7))),
        [typeof(SpaceToDepth)] = (g, x) => g.Add(new SpaceToDepth(3), g.Add(new Slice(), x, Ints(g, 0), Ints(g, 6), Ints(g, 2))),
        [typeof(Tile)] = (g, x) => g.Add(new Tile(), x, Ints(g, 1, 2, 1, 3)),
        [typeof(GatherElements)] = (g, x) => g.Add(new GatherElements(-1), x, g.AddConstant(Tensor.From<long>([.. Enumerable.Range(0, 42).Select(i => i % 18 - 9L)], new Shape(1, 3, 7, 2)))),
        [typeof(ScatterElements)] = (g, x) => g.Add(new ScatterElements(2, ScatterReduction.Add), x, g.AddConstant(Tensor.From<long>([.. Enumerable.Range(0, 54).Select(i => i % 14 - 7L)], new Shape(1, 3, 2, 9))), g.AddConstant(PlanCheck.Random(3, 1, 3, 2, 9))),
        [typeof(GatherND)] = (g, x) => g.Add(new GatherND(), x, g.AddConstant(Tensor.From<long>([0, 1, 3, 0, -3, -7], new Shape(2, 3)))),
        [typeof(OneHot)] = (g, x) => g.Add(new OneHot(2), g.Add(new ArgMax(1, KeepDims: false), x), g.AddConstant(Tensor.Scalar(3L)), g.AddConstant(Tensor.Vector(0.5f, 2f))),
        [typeof(ReverseSequence)] = (g, x) => g.Add(new ReverseSequence(0, 1), g.Add(new Transpose([1, 2, 0, 3]), x), Ints(g, 2, 7, 0)),
        [typeof(TensorScatter)] = (g, x) => g.Add(new TensorScatter(), x, g.Add(new Slice(), g.Add(new Neg(), x), Ints(g, 0), Ints(g, 3), Ints(g, 2))),
        [typeof(TopK)] = (g, x) => g.Add(new TopK(2), [x, Ints(g, 3)], [null, null]).Outputs[1],
        [typeof(Trilu)] = (g, x) => g.Add(new Trilu(Upper: false), x, g.AddConstant(Tensor.Scalar(1L))),
        [typeof(NonMaxSuppression)] = (g, x) => g.Add(new NonMaxSuppression(), g.Add(new Reshape(), g.Add(new Slice(), x, Ints(g, 0), Ints(g, 8), Ints(g, 3)), Ints(g, 0, 42, 4)),
            g.Add(new Reshape(), g.Add(new Slice(), x, Ints(g, 0, 0, 0), Ints(g, 1, 6, 7), Ints(g, 1, 2, 3)), Ints(g, 0, 1, 42)), g.AddConstant(Tensor.Scalar(5L)), g.AddConstant(Tensor.Scalar(0.4f))),
        [typeof(NumericRange)] = (g, x) => g.Add(new NumericRange(), g.AddConstant(Tensor.Scalar(-3L)), g.Add(new Reshape(), g.Add(new ReduceMax(KeepDims: false), g.Add(new ArgMax(-1), x)), Ints(g)), g.AddConstant(Tensor.Scalar(2L))),
        [typeof(Compress)] = (g, x) => g.Add(new Compress(2), x, g.AddConstant(Tensor.Vector(true, false, true, true, false))),
        [typeof(LabelEncoder)] = (g, x) => g.Add(new LabelEncoder(Tensor.Vector(0L, 2L, 6L), Tensor.Vector(1.5f, -2f, 7f), Tensor.Vector(-1f)), g.Add(new ArgMax(2), x)),
        [typeof(AffineGrid)] = (g, x) => g.Add(new AffineGrid(), g.Add(new Slice(), g.Add(new ReduceMax(KeepDims: false), x, Ints(g, 0)), Ints(g, 0, 0, 0), Ints(g, 2, 3, 4)), Ints(g, 2, 3, 5, 4, 3)),
        [typeof(CenterCropPad)] = (g, x) => g.Add(new CenterCropPad(new([3, -2])), x, Ints(g, 14, 4)),
        [typeof(Einsum)] = (g, x) => g.Add(new Einsum("bchw,bdhw,wk->hkbcd"), x, g.Add(new Neg(), x), g.AddConstant(PlanCheck.Random(3, 9, 4))),
        [typeof(EyeLike)] = (g, x) => g.Add(new EyeLike(DType.Float32, Offset: -2), g.Add(new Flatten(2), x)),
        [typeof(GlobalLpPool)] = (g, x) => g.Add(new Add(), g.Add(new GlobalLpPool(), x), g.Add(new GlobalLpPool(3), x)),
        [typeof(LRN)] = (g, x) => g.Add(new Add(), g.Add(new LRN(2, 0.1f), x), g.Add(new LRN(5, 0.3f, 0.6f, 2), x)),
        [typeof(LpPool)] = (g, x) => g.Add(new Add(), g.Add(new LpPool([3, 2], [2, 1], [1, 1, 1, 0], [1, 2]), x), g.Add(new LpPool([3, 2], [2, 1], [1, 1, 1, 0], [1, 2], P: 3), x)),
        [typeof(MeanVarianceNormalization)] = (g, x) => g.Add(new MeanVarianceNormalization(new([0, 2, 3])), x),
        [typeof(Imputer)] = (g, x) => g.Add(new Imputer(new([1, 2, 3, 4, 5, 6, 7, 8, 9]), float.NaN), g.Add(new Sqrt(), x)),
        [typeof(LinearClassifier)] = (g, x) => g.Add(new LinearClassifier(new(PlanCheck.Random(3, 27).Span<float>()), new([0.5f, -0.5f, 0]), new(new([7, 8, 9])), PostTransform.Softmax), [TreeTests.Rows(g, x)], [null, null]).Outputs[1],
        [typeof(LinearRegressor)] = (g, x) => g.Add(new LinearRegressor(new(PlanCheck.Random(3, 18).Span<float>()), new([0.5f, -0.5f]), 2), TreeTests.Rows(g, x)),
        [typeof(Scaler)] = (g, x) => g.Add(new Scaler(new([0.5f]), new([1, 2, 3, 4, 5, 6, 7, 8, 9])), x),
        [typeof(BitShift)] = (g, x) => g.Add(new Cast(DType.Float32), g.Add(new BitShift(true), g.Add(new Cast(DType.UInt32), g.Add(new ArgMax(1), x)), g.AddConstant(Tensor.Vector(0u, 1u, 2u, 3u, 4u, 31u, 32u, 33u, 5u)))),
        [typeof(DFT)] = (g, x) => g.Add(new DFT(OneSided: true), g.Add(new Unsqueeze(), x, Ints(g, -1)), null, g.AddConstant(Tensor.Scalar(2L))),
        [typeof(STFT)] = (g, x) => g.Add(new STFT(), g.Add(new Reshape(), x, Ints(g, 0, 189)), g.AddConstant(Tensor.Scalar(7L)), g.AddConstant(PlanCheck.Random(3, 20))),
        [typeof(OneHotEncoder)] = (g, x) => g.Add(new OneHotEncoder(new(new([1, 6, 3, 1]))), g.Add(new ArgMax(2), x)),
        [typeof(CausalConvWithState)] = (g, x) => g.Add(new Concat(2), g.Add(new CausalConvWithState(Silu: true), [g.Add(new Reshape(), x, Ints(g, 0, 3, 63)), g.AddConstant(PlanCheck.Random(3, 3, 1, 4)), Channel(g, 1)], [null, null]).Outputs.ToArray()),
        [typeof(FeatureVectorizer)] = (g, x) => g.Add(new FeatureVectorizer(new([9, 4, 8])), TreeTests.Rows(g, x), TreeTests.Rows(g, x), g.Add(new Slice(), g.Add(new Cast(DType.Int64), TreeTests.Rows(g, x)), Ints(g, 0), Ints(g, 5), Ints(g, 1))),
        [typeof(SVMRegressor)] = (g, x) => g.Add(new SVMRegressor(new(SvmKernelKind.Rbf, 0.1f), new(PlanCheck.Random(2, 11).Span<float>()), new(PlanCheck.Random(3, 99).Span<float>()), 11, new([0.5f])), TreeTests.Rows(g, x)),
        [typeof(SVMClassifier)] = (g, x) => g.Add(new SVMClassifier(new(SvmKernelKind.Poly, 0.1f, 2, 2), new(PlanCheck.Random(2, 22).Span<float>()), new(PlanCheck.Random(3, 99).Span<float>()), new([4, 2, 5]), new([0.5f, 0, -0.5f]), default, default, new(new([4, 6, 9]))),
            [TreeTests.Rows(g, x)], [null, null]).Outputs[1],
        [typeof(Col2Im)] = (g, x) => g.Add(new Concat(1), Flat(g, g.Add(new Col2Im([2], [1, 0], [2]), g.Add(new Reshape(), x, Ints(g, 0, 3, 63)), Ints(g, 128), Ints(g, 3))),
            Flat(g, g.Add(new Col2Im(), g.Add(new Reshape(), x, Ints(g, 0, 9, 21)), Ints(g, 5, 9), Ints(g, 3, 3))),
            Flat(g, g.Add(new Col2Im([2, 2], [0, 1, 0, 1]), g.Add(new Reshape(), x, Ints(g, 0, 27, 7)), Ints(g, 3, 13), Ints(g, 3, 3)))),
        [typeof(DeformConv)] = (g, x) => g.Add(new Concat(1), g.Add(new DeformConv(new Conv()), x, g.AddConstant(PlanCheck.Random(3, 4, 3, 2, 2)), Moves(g, x, 8), null, g.Add(new Abs(), Moves(g, x, 4))),
            g.Add(new DeformConv(new Conv([1, 1], [1, 0, 0, 1], [2, 2], Group: 3), 3), x, g.AddConstant(PlanCheck.Random(4, 6, 1, 2, 2)), Moves(g, x, 24), g.AddConstant(PlanCheck.Random(5, 6)))),
        [typeof(LinearAttention)] = (g, x) => g.Add(new Add(), Recurrence(g, x, new(2, 1, Gated: false)), g.Add(new Add(), Recurrence(g, x, new(2, 1, Delta: false)), Recurrence(g, x, new(2, 1, Scale: 0.3f)))),
        [typeof(MaxUnpool)] = (g, x) => Unpooled(g, g.Add(new MaxPool([2, 3], [2, 2]), [g.Add(new Slice(), x, Ints(g, 0), Ints(g, 6), Ints(g, 2))], [null, null])),
        [typeof(NegativeLogLikelihoodLoss)] = (g, x) => g.Add(new NegativeLogLikelihoodLoss(IgnoreIndex: 2), x, g.Add(new ArgMax(1, KeepDims: false), x), Channel(g, 1)),
        [typeof(Dropout)] = (g, x) => g.Add(new Dropout(), x, g.AddConstant(Tensor.Scalar(0.3f))),
        [typeof(ReduceLogSumExp)] = Reduce(new ReduceLogSumExp()),
        [typeof(Size)] = (g, x) => g.Add(new Mul(), x, g.Add(new Cast(DType.Float32), g.Add(new Size(), x))),
        [typeof(BitwiseNot)] = (g, x) => g.Add(new BitwiseNot(), g.Add(new ArgMax(1), x)),
        [typeof(Acosh)] = (g, x) => g.Add(new Acosh(), g.Add(new Exp(), g.Add(new Abs(), x))),
        [typeof(Log)] = (g, x) => g.Add(new Log(), g.Add(new Abs(), x)),
        [typeof(Sqrt)] = (g, x) => g.Add(new Sqrt(), x),
        [typeof(And)] = Logical(new And()),
        [typeof(Or)] = Logical(new Or()),
        [typeof(Xor)] = Logical(new Xor()),
        [typeof(Not)] = (g, x) => g.Add(new Not(), g.Add(new Greater(), x, g.AddConstant(PlanCheck.Random(1, 9)))),
        [typeof(BitwiseAnd)] = Bits(new BitwiseAnd()),
        [typeof(BitwiseOr)] = Bits(new BitwiseOr()),
        [typeof(BitwiseXor)] = Bits(new BitwiseXor()),
        [typeof(Mod)] = (g, x) => g.Add(new Mod(Truncated: true), x, g.AddConstant(PlanCheck.Random(1, 9))),
        [typeof(Div)] = (g, x) => g.Add(new Div(), x, g.AddConstant(Tensor.Vector(1f, 2f, -3f, 0f, 5f, 0.1f, 7f, 8f, 9f))),
    };

    public static TheoryData<string> Operators => [.. Types.Where(LoweringRules.Has).Select(t => t.Name)];

    private static IEnumerable<Type> Types => typeof(Operator).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Operator)));

    /// <summary>Rules are found by the names of types.</summary>
    [Fact]
    public void NoTwoOperatorsAreOfOneName() => Assert.Empty(Types.Concat(typeof(LoweringRules).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Operator)))).GroupBy(t => t.Name).Where(g => g.Count() > 1).Select(g => g.Key));


    [Theory]
    [MemberData(nameof(Operators))]
    public void AgreesWithTheReference(string name)
    {
        var type = Types.Single(t => t.Name == name);
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 3, 7, 9));
        g.AddOutput(builders.GetValueOrDefault(type, Plain(type))(g, x));
        Assert.DoesNotContain(PlanCheck.Compile(g).Steps, s => s is ReferenceStep r && (r.Node.Operator is ChannelsLast last ? last.Inner : r.Node.Operator).GetType() == type);
        PlanCheck.Same(g, PlanCheck.Random(7, 2, 3, 7, 9));
        PlanCheck.Same(g, PlanCheck.Random(8, 1, 3, 7, 9));
    }

    /// <summary>An operator without attributes: of one operand when the node is valid with one, of two broadcast ones otherwise.</summary>
    private static Func<Graph, Value, Value> Plain(Type type) => (g, x) =>
    {
        var constructor = type.GetConstructors().OrderBy(c => c.GetParameters().Length).First();
        var op = (Operator)constructor.Invoke([.. constructor.GetParameters().Select(p => p.DefaultValue is DBNull or null ? Activator.CreateInstance(p.ParameterType) : p.DefaultValue)]);
        if (type.BaseType is { Name: "UnaryFloat" or "UnaryNumeric" } || type == typeof(Identity)) return g.Add(op, x);
        if (type == typeof(Reshape)) return g.Add(op, g.Add(new Neg(), x), Ints(g, 0, 9, 7, 3));
        if (type == typeof(Flatten)) return g.Add(op, g.Add(new Neg(), x));
        if (type == typeof(Squeeze)) return g.Add(op, g.Add(new ReduceMax(), x, Ints(g, 2)), Ints(g, 2));
        if (type == typeof(Unsqueeze)) return g.Add(op, g.Add(new Neg(), x), Ints(g, 1, -1));
        return g.Add(op, x, g.AddConstant(PlanCheck.Random(3, 7, 1)));
    };

    private static Func<Graph, Value, Value> Reduce(Operator op) => (g, x) => g.Add(op, x, Ints(g, 0, -2));

    private static Func<Graph, Value, Value> Logical(Operator op) => (g, x) =>
        g.Add(op, g.Add(new Greater(), x, g.AddConstant(PlanCheck.Random(1, 9))), g.Add(new LessOrEqual(), x, g.AddConstant(PlanCheck.Random(2, 7, 1))));

    private static Func<Graph, Value, Value> Bits(Operator op) => (g, x) =>
        g.Add(op, g.Add(new ArgMax(1), x), g.Add(new ArgMin(1), x));

    /// <summary>Three heads of nine, read through a transpose.</summary>
    private static Value Head(Graph g, Value x, long length) =>
        g.Add(new Transpose([0, 2, 1, 3]), g.Add(new Transpose([0, 2, 1, 3]), g.Add(new Slice(), x, Ints(g, 0), Ints(g, length), Ints(g, 2))));

    private static Value Rotated(Graph g, Value x, RotaryEmbedding op)
    {
        var length = g.Add(new Slice(), g.Add(new ShapeOf(), x), Ints(g, x.Shape!.Rank == 4 ? 2 : 1), Ints(g, x.Shape.Rank == 4 ? 3 : 2));
        var positions = g.Add(new Expand(), g.AddConstant(Tensor.From<long>([3], new Shape(1, 1))), g.Add(new Concat(0), g.Add(new Slice(), g.Add(new ShapeOf(), x), Ints(g, 0), Ints(g, 1)), length));
        return g.Add(op, x, g.AddConstant(PlanCheck.Random(3, 5, op.Size / 2)), g.AddConstant(PlanCheck.Random(4, 5, op.Size / 2)), positions);
    }

    private static Value Flat(Graph g, Value x) => g.Add(new Reshape(), x, Ints(g, 0, -1));

    /// <summary>As many channels of 6 · 8 numbers.</summary>
    private static Value Moves(Graph g, Value x, long channels) =>
        g.Add(new Slice(), g.Add(new Tile(), x, Ints(g, 1, (channels + 2) / 3, 1, 1)), Ints(g, 0, 0, 0), Ints(g, channels, 6, 8), Ints(g, 1, 2, 3));

    /// <summary>A key head of four elements for two heads of queries, over 21 tokens.</summary>
    private static Value Recurrence(Graph g, Value x, LinearAttention op)
    {
        var tokens = g.Add(new Reshape(), x, Ints(g, 0, 21, 9));
        Value Part(long from, long to) => g.Add(new Mul(), g.Add(new Slice(), tokens, Ints(g, from), Ints(g, to), Ints(g, 2)), g.AddConstant(Tensor.Scalar(0.25f)));
        var node = g.Add(op, [Part(0, 8), Part(2, 6), tokens, null, op.Gated ? g.Add(new Neg(), g.Add(new Abs(), Part(1, op.Delta ? 5 : 2))) : null, op.Delta ? g.Add(new Sigmoid(), Part(8, 9)) : null], [null, null]);
        return g.Add(new Concat(1), Flat(g, node.Outputs[0]), Flat(g, node.Outputs[1]));
    }

    private static Value Unpooled(Graph g, Node pool) => g.Add(new MaxUnpool([2, 3], [2, 2]), pool.Outputs[0], pool.Outputs[1]);

    private static Value Bytes(Graph g, Value x) => g.Add(new QuantizeLinear(), x, Scale(g, 0.02f), Zero(g, 100));

    private static Value Numbers(Graph g, Value bytes) => g.Add(new DequantizeLinear(), bytes, Scale(g, 0.05f), Zero(g, 120));

    private static Value Scale(Graph g, float scale) => g.AddConstant(Tensor.Scalar(scale));

    private static Value Zero(Graph g, byte zero) => g.AddConstant(Tensor.Scalar(zero));

    private static Value Int8(Graph g, int seed, params long[] shape)
    {
        var t = Tensor.Allocate(DType.Int8, new Shape(shape));
        new Random(seed).NextBytes(t.Bytes);
        return g.AddConstant(t);
    }

    private static Value Regions(Graph g) => g.AddConstant(Tensor.From<float>([0, 0, 13, 12, -4, 3, 30, 9, 6, 6, 6.5f, 7], new Shape(3, 4)));

    /// <summary>Positions [n, 9, 7, 2] that follow from the values of x, some of them outside.</summary>
    private static Value Grid(Graph g, Value x) => g.Add(new Transpose([0, 3, 2, 1]), g.Add(new Slice(), x, Ints(g, 0), Ints(g, 2), Ints(g, 1)));

    private static Value Ints(Graph g, params long[] values) => g.AddConstant(Tensor.Vector<long>(values));

    private static Value Channel(Graph g, int seed) => g.AddConstant(PlanCheck.Random(seed, 3));
}
