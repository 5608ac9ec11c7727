using AiOptix.Cpu.Bytes;
using AiOptix.Cpu.Layout;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Reduce;

namespace AiOptix.Cpu.Lower;

/// <summary>Lowers a node, and perhaps nodes behind it; false when it does not apply (a type without kernels, say).</summary>
internal delegate bool LoweringRule(Lowering lowering, Node node);

/// <summary>Every rule, by graph operator: the only registration there is. What is not here runs as a Reference step.</summary>
internal static class LoweringRules
{
    private static readonly Dictionary<Type, LoweringRule> rules = new()
    {
        // Products
        [typeof(Attention)] = AttentionRules.Attention,
        [typeof(BytesBinary)] = BytesRules.Binary,
        [typeof(BytesTable)] = BytesRules.Table,
        [typeof(WeightOnlyProduct)] = WeightOnlyRules.MatMul,
        [typeof(DeformedColumns)] = SampleRules.Deformed,
        [typeof(ChannelsLast)] = ChannelsLastRules.Lower,
        [typeof(Gemm)] = ProductRules.Gemm,
        [typeof(LinearAttention)] = LinearAttentionRules.LinearAttention,
        [typeof(MatMul)] = ProductRules.MatMul,
        [typeof(RotaryEmbedding)] = RotaryRules.Rotary,

        // Recurrent layers
        [typeof(GRU)] = RecurrentRules.Layer,
        [typeof(LSTM)] = RecurrentRules.Layer,
        [typeof(RNN)] = RecurrentRules.Layer,

        // Trees
        [typeof(TreeEnsemble)] = TreeRules.Regression,
        [typeof(TreeEnsembleClassifier)] = TreeRules.Classifier,
        [typeof(TreeEnsembleRegressor)] = TreeRules.Regression,

        // Reductions
        [typeof(GlobalAveragePool)] = ReduceRules.Global(ReduceKind.Mean),
        [typeof(GlobalMaxPool)] = ReduceRules.Global(ReduceKind.Max),
        [typeof(ArgMax)] = ReduceRules.Position,
        [typeof(ArgMin)] = ReduceRules.Position,
        [typeof(ReduceL1)] = ReduceRules.Of(ReduceKind.L1),
        [typeof(ReduceL2)] = ReduceRules.Of(ReduceKind.L2),
        [typeof(ReduceLogSum)] = ReduceRules.Of(ReduceKind.LogSum),
        [typeof(ReduceMax)] = ReduceRules.Of(ReduceKind.Max),
        [typeof(ReduceMean)] = ReduceRules.Of(ReduceKind.Mean),
        [typeof(ReduceMin)] = ReduceRules.Of(ReduceKind.Min),
        [typeof(ReduceProd)] = ReduceRules.Of(ReduceKind.Prod),
        [typeof(ReduceSum)] = ReduceRules.Of(ReduceKind.Sum),
        [typeof(ReduceSumSquare)] = ReduceRules.Of(ReduceKind.SumSquare),

        // Normalisations
        [typeof(LogSoftmax)] = SoftmaxRules.Of(logarithm: true),
        [typeof(Softmax)] = SoftmaxRules.Of(logarithm: false),
        [typeof(BatchNormalization)] = NormRules.BatchNormalization,
        [typeof(GroupNormalization)] = NormRules.GroupNormalization,
        [typeof(InstanceNormalization)] = NormRules.InstanceNormalization,
        [typeof(LayerNormalization)] = NormRules.LayerNormalization,
        [typeof(RMSNormalization)] = NormRules.RmsNormalization,

        // Windows
        [typeof(AveragePool)] = PoolRules.Pool,
        [typeof(MaxPool)] = PoolRules.Pool,

        // Quantisation
        [typeof(DynamicQuantizeLinear)] = QuantizeRules.Dynamic,
        [typeof(MatMulInteger)] = IntegerProductRules.MatMul,
        [typeof(DequantizeLinear)] = QuantizeRules.Dequantize,
        [typeof(QLinearMatMul)] = QuantizedProductRules.MatMul,
        [typeof(QuantizeLinear)] = QuantizeRules.Quantize,

        // Movement
        [typeof(Cast)] = IndexRules.Cast,
        [typeof(CastLike)] = IndexRules.Cast,
        [typeof(ConstantOfShape)] = IndexRules.ConstantOfShape,
        [typeof(Gather)] = IndexRules.Gather,
        [typeof(Pad)] = IndexRules.Pad,
        [typeof(Col2Im)] = SampleRules.Columns,
        [typeof(GridSample)] = SampleRules.Grid,
        [typeof(Resize)] = ResizeRules.Resize,
        [typeof(RoiAlign)] = SampleRules.RoiAlign,
        [typeof(Concat)] = MovementRules.Concat,
        [typeof(Expand)] = MovementRules.Expand,
        [typeof(Flatten)] = MovementRules.View,
        [typeof(Identity)] = MovementRules.View,
        [typeof(Reshape)] = MovementRules.View,
        [typeof(DepthToSpace)] = MovementRules.DepthToSpace,
        [typeof(ScatterND)] = ScatterRules.ScatterND,
        [typeof(Slice)] = MovementRules.Slice,
        [typeof(SpaceToDepth)] = MovementRules.SpaceToDepth,
        [typeof(Split)] = MovementRules.Split,
        [typeof(Squeeze)] = MovementRules.View,
        [typeof(Tile)] = MovementRules.Tile,
        [typeof(Transpose)] = MovementRules.Transpose,
        [typeof(Unsqueeze)] = MovementRules.View,

        // Positions
        [typeof(ArrayFeatureExtractor)] = PositionRules.ArrayFeatureExtractor,
        [typeof(CumProd)] = PositionRules.Cumulative,
        [typeof(CumSum)] = PositionRules.Cumulative,
        [typeof(GatherElements)] = PositionRules.GatherElements,
        [typeof(GatherND)] = PositionRules.GatherND,
        [typeof(OneHot)] = PositionRules.OneHot,
        [typeof(ReverseSequence)] = PositionRules.ReverseSequence,
        [typeof(ScatterElements)] = PositionRules.ScatterElements,
        [typeof(TensorScatter)] = PositionRules.TensorScatter,
        [typeof(TopK)] = PositionRules.TopK,
        [typeof(Trilu)] = PositionRules.Trilu,

        // One element
        [typeof(Abs)] = ElementwiseRules.Unary(UnaryKind.Abs),
        [typeof(Acos)] = ElementwiseRules.Unary(UnaryKind.Acos),
        [typeof(Acosh)] = ElementwiseRules.Unary(UnaryKind.Acosh),
        [typeof(Asin)] = ElementwiseRules.Unary(UnaryKind.Asin),
        [typeof(Asinh)] = ElementwiseRules.Unary(UnaryKind.Asinh),
        [typeof(Atan)] = ElementwiseRules.Unary(UnaryKind.Atan),
        [typeof(Atanh)] = ElementwiseRules.Unary(UnaryKind.Atanh),
        [typeof(BitShift)] = ElementwiseRules.BitShift,
        [typeof(BitwiseNot)] = ElementwiseRules.Unary(UnaryKind.Not),
        [typeof(Ceil)] = ElementwiseRules.Unary(UnaryKind.Ceil),
        [typeof(Celu)] = ElementwiseRules.Celu,
        [typeof(Clip)] = ElementwiseRules.Clip,
        [typeof(Cos)] = ElementwiseRules.Unary(UnaryKind.Cos),
        [typeof(Cosh)] = ElementwiseRules.Unary(UnaryKind.Cosh),
        [typeof(Elu)] = ElementwiseRules.Activation,
        [typeof(Erf)] = ElementwiseRules.Unary(UnaryKind.Erf),
        [typeof(Exp)] = ElementwiseRules.Unary(UnaryKind.Exp),
        [typeof(Floor)] = ElementwiseRules.Unary(UnaryKind.Floor),
        [typeof(Gelu)] = ElementwiseRules.Activation,
        [typeof(HardSigmoid)] = ElementwiseRules.Activation,
        [typeof(HardSwish)] = ElementwiseRules.Activation,
        [typeof(LeakyRelu)] = ElementwiseRules.Activation,
        [typeof(IsInf)] = ElementwiseRules.IsInf,
        [typeof(IsNaN)] = ElementwiseRules.IsNaN,
        [typeof(Log)] = ElementwiseRules.Unary(UnaryKind.Log),
        [typeof(Mish)] = ElementwiseRules.Activation,
        [typeof(Neg)] = ElementwiseRules.Unary(UnaryKind.Neg),
        [typeof(Not)] = ElementwiseRules.Unary(UnaryKind.Not),
        [typeof(Reciprocal)] = ElementwiseRules.Unary(UnaryKind.Reciprocal),
        [typeof(Relu)] = ElementwiseRules.Activation,
        [typeof(Round)] = ElementwiseRules.Unary(UnaryKind.Round),
        [typeof(Selu)] = ElementwiseRules.Activation,
        [typeof(Sigmoid)] = ElementwiseRules.Activation,
        [typeof(Sign)] = ElementwiseRules.Unary(UnaryKind.Sign),
        [typeof(Sin)] = ElementwiseRules.Unary(UnaryKind.Sin),
        [typeof(Sinh)] = ElementwiseRules.Unary(UnaryKind.Sinh),
        [typeof(Softplus)] = ElementwiseRules.Activation,
        [typeof(Softsign)] = ElementwiseRules.Unary(UnaryKind.Softsign),
        [typeof(Sqrt)] = ElementwiseRules.Unary(UnaryKind.Sqrt),
        [typeof(Swish)] = ElementwiseRules.Activation,
        [typeof(Tan)] = ElementwiseRules.Unary(UnaryKind.Tan),
        [typeof(Tanh)] = ElementwiseRules.Activation,
        [typeof(ThresholdedRelu)] = ElementwiseRules.ThresholdedRelu,

        // Two elements and more
        [typeof(Add)] = ElementwiseRules.Binary(BinaryKind.Add),
        [typeof(And)] = ElementwiseRules.Binary(BinaryKind.And),
        [typeof(BitwiseAnd)] = ElementwiseRules.Binary(BinaryKind.And),
        [typeof(BitwiseOr)] = ElementwiseRules.Binary(BinaryKind.Or),
        [typeof(BitwiseXor)] = ElementwiseRules.Binary(BinaryKind.Xor),
        [typeof(Div)] = ElementwiseRules.Binary(BinaryKind.Div),
        [typeof(Equal)] = ElementwiseRules.Binary(BinaryKind.Equal),
        [typeof(Greater)] = ElementwiseRules.Binary(BinaryKind.Greater),
        [typeof(GreaterOrEqual)] = ElementwiseRules.Binary(BinaryKind.GreaterOrEqual),
        [typeof(Less)] = ElementwiseRules.Binary(BinaryKind.Less),
        [typeof(LessOrEqual)] = ElementwiseRules.Binary(BinaryKind.LessOrEqual),
        [typeof(Max)] = ElementwiseRules.Variadic(BinaryKind.Max),
        [typeof(Mean)] = ElementwiseRules.Mean,
        [typeof(Min)] = ElementwiseRules.Variadic(BinaryKind.Min),
        [typeof(Mod)] = ElementwiseRules.Mod,
        [typeof(Mul)] = ElementwiseRules.Binary(BinaryKind.Mul),
        [typeof(Or)] = ElementwiseRules.Binary(BinaryKind.Or),
        [typeof(Pow)] = ElementwiseRules.Pow,
        [typeof(PRelu)] = ElementwiseRules.Binary(BinaryKind.PRelu),
        [typeof(Sub)] = ElementwiseRules.Binary(BinaryKind.Sub),
        [typeof(Sum)] = ElementwiseRules.Variadic(BinaryKind.Add),
        [typeof(Where)] = ElementwiseRules.Where,
        [typeof(Xor)] = ElementwiseRules.Binary(BinaryKind.Xor),
    };

    /// <summary>The operators of a model that have a rule, or are composed of some that have.</summary>
    public static IEnumerable<Type> Operators => rules.Keys.Where(t => t.Assembly == typeof(Operator).Assembly).Union(ChannelsLastRules.Operators).Union(DataRules.Operators).Union(Compositions.Operators).Union(DeformedColumns.Operators);

    /// <summary>The rule of an operator, or null.</summary>
    public static LoweringRule? Find(Operator op) => rules.GetValueOrDefault(op.GetType());
}
