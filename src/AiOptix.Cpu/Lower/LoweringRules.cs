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
    /// <summary>The rule of an operator, or null. One that is asked for is made then: a table would load the types of all operators.</summary>
    public static LoweringRule? Find(Operator op) => Find(op.GetType());

    private static LoweringRule? Find(Type type) => type.Assembly != typeof(Operator).Assembly && type.Assembly != typeof(ChannelsLast).Assembly ? null : type.Name switch
    {
        // Products
        nameof(Attention) => AttentionRules.Attention,
        nameof(BytesBinary) => BytesRules.Binary,
        nameof(BytesTable) => BytesRules.Table,
        nameof(WeightOnlyProduct) => WeightOnlyRules.MatMul,
        nameof(DeformedColumns) => SampleRules.Deformed,
        nameof(ChannelsLast) => ChannelsLastRules.Lower,
        nameof(Gemm) => ProductRules.Gemm,
        nameof(LinearAttention) => LinearAttentionRules.LinearAttention,
        nameof(MatMul) => ProductRules.MatMul,
        nameof(RotaryEmbedding) => RotaryRules.Rotary,

        // Recurrent layers
        nameof(GRU) => RecurrentRules.Layer,
        nameof(LSTM) => RecurrentRules.Layer,
        nameof(RNN) => RecurrentRules.Layer,

        // Trees
        nameof(TreeEnsemble) => TreeRules.Regression,
        nameof(TreeEnsembleClassifier) => TreeRules.Classifier,
        nameof(TreeEnsembleRegressor) => TreeRules.Regression,

        // Reductions
        nameof(GlobalAveragePool) => ReduceRules.Global(ReduceKind.Mean),
        nameof(GlobalMaxPool) => ReduceRules.Global(ReduceKind.Max),
        nameof(ArgMax) => ReduceRules.Position,
        nameof(ArgMin) => ReduceRules.Position,
        nameof(ReduceL1) => ReduceRules.Of(ReduceKind.L1),
        nameof(ReduceL2) => ReduceRules.Of(ReduceKind.L2),
        nameof(ReduceLogSum) => ReduceRules.Of(ReduceKind.LogSum),
        nameof(ReduceMax) => ReduceRules.Of(ReduceKind.Max),
        nameof(ReduceMean) => ReduceRules.Of(ReduceKind.Mean),
        nameof(ReduceMin) => ReduceRules.Of(ReduceKind.Min),
        nameof(ReduceProd) => ReduceRules.Of(ReduceKind.Prod),
        nameof(ReduceSum) => ReduceRules.Of(ReduceKind.Sum),
        nameof(ReduceSumSquare) => ReduceRules.Of(ReduceKind.SumSquare),

        // Normalisations
        nameof(LogSoftmax) => SoftmaxRules.Of(logarithm: true),
        nameof(Softmax) => SoftmaxRules.Of(logarithm: false),
        nameof(BatchNormalization) => NormRules.BatchNormalization,
        nameof(GroupNormalization) => NormRules.GroupNormalization,
        nameof(InstanceNormalization) => NormRules.InstanceNormalization,
        nameof(LayerNormalization) => NormRules.LayerNormalization,
        nameof(RMSNormalization) => NormRules.RmsNormalization,

        // Windows
        nameof(AveragePool) => PoolRules.Pool,
        nameof(MaxPool) => PoolRules.Pool,

        // Quantisation
        nameof(DynamicQuantizeLinear) => QuantizeRules.Dynamic,
        nameof(MatMulInteger) => IntegerProductRules.MatMul,
        nameof(DequantizeLinear) => QuantizeRules.Dequantize,
        nameof(QLinearMatMul) => QuantizedProductRules.MatMul,
        nameof(QuantizeLinear) => QuantizeRules.Quantize,

        // Movement
        nameof(Cast) => IndexRules.Cast,
        nameof(CastLike) => IndexRules.Cast,
        nameof(ConstantOfShape) => IndexRules.ConstantOfShape,
        nameof(Gather) => IndexRules.Gather,
        nameof(Pad) => IndexRules.Pad,
        nameof(Col2Im) => SampleRules.Columns,
        nameof(GridSample) => SampleRules.Grid,
        nameof(Resize) => ResizeRules.Resize,
        nameof(RoiAlign) => SampleRules.RoiAlign,
        nameof(Concat) => MovementRules.Concat,
        nameof(Expand) => MovementRules.Expand,
        nameof(Flatten) => MovementRules.View,
        nameof(Identity) => MovementRules.View,
        nameof(Reshape) => MovementRules.View,
        nameof(DepthToSpace) => MovementRules.DepthToSpace,
        nameof(ScatterND) => ScatterRules.ScatterND,
        nameof(Slice) => MovementRules.Slice,
        nameof(SpaceToDepth) => MovementRules.SpaceToDepth,
        nameof(Split) => MovementRules.Split,
        nameof(Squeeze) => MovementRules.View,
        nameof(Tile) => MovementRules.Tile,
        nameof(Transpose) => MovementRules.Transpose,
        nameof(Unsqueeze) => MovementRules.View,

        // Positions
        nameof(ArrayFeatureExtractor) => PositionRules.ArrayFeatureExtractor,
        nameof(CumProd) => PositionRules.Cumulative,
        nameof(CumSum) => PositionRules.Cumulative,
        nameof(GatherElements) => PositionRules.GatherElements,
        nameof(GatherND) => PositionRules.GatherND,
        nameof(OneHot) => PositionRules.OneHot,
        nameof(ReverseSequence) => PositionRules.ReverseSequence,
        nameof(ScatterElements) => PositionRules.ScatterElements,
        nameof(TensorScatter) => PositionRules.TensorScatter,
        nameof(TopK) => PositionRules.TopK,
        nameof(Trilu) => PositionRules.Trilu,

        // One element
        nameof(Abs) => ElementwiseRules.Unary(UnaryKind.Abs),
        nameof(Acos) => ElementwiseRules.Unary(UnaryKind.Acos),
        nameof(Acosh) => ElementwiseRules.Unary(UnaryKind.Acosh),
        nameof(Asin) => ElementwiseRules.Unary(UnaryKind.Asin),
        nameof(Asinh) => ElementwiseRules.Unary(UnaryKind.Asinh),
        nameof(Atan) => ElementwiseRules.Unary(UnaryKind.Atan),
        nameof(Atanh) => ElementwiseRules.Unary(UnaryKind.Atanh),
        nameof(BitShift) => ElementwiseRules.BitShift,
        nameof(BitwiseNot) => ElementwiseRules.Unary(UnaryKind.Not),
        nameof(Ceil) => ElementwiseRules.Unary(UnaryKind.Ceil),
        nameof(Celu) => ElementwiseRules.Celu,
        nameof(Clip) => ElementwiseRules.Clip,
        nameof(Cos) => ElementwiseRules.Unary(UnaryKind.Cos),
        nameof(Cosh) => ElementwiseRules.Unary(UnaryKind.Cosh),
        nameof(Elu) => ElementwiseRules.Activation,
        nameof(Erf) => ElementwiseRules.Unary(UnaryKind.Erf),
        nameof(Exp) => ElementwiseRules.Unary(UnaryKind.Exp),
        nameof(Floor) => ElementwiseRules.Unary(UnaryKind.Floor),
        nameof(Gelu) => ElementwiseRules.Activation,
        nameof(HardSigmoid) => ElementwiseRules.Activation,
        nameof(HardSwish) => ElementwiseRules.Activation,
        nameof(LeakyRelu) => ElementwiseRules.Activation,
        nameof(IsInf) => ElementwiseRules.IsInf,
        nameof(IsNaN) => ElementwiseRules.IsNaN,
        nameof(Log) => ElementwiseRules.Unary(UnaryKind.Log),
        nameof(Mish) => ElementwiseRules.Activation,
        nameof(Neg) => ElementwiseRules.Unary(UnaryKind.Neg),
        nameof(Not) => ElementwiseRules.Unary(UnaryKind.Not),
        nameof(Reciprocal) => ElementwiseRules.Unary(UnaryKind.Reciprocal),
        nameof(Relu) => ElementwiseRules.Activation,
        nameof(Round) => ElementwiseRules.Unary(UnaryKind.Round),
        nameof(Selu) => ElementwiseRules.Activation,
        nameof(Sigmoid) => ElementwiseRules.Activation,
        nameof(Sign) => ElementwiseRules.Unary(UnaryKind.Sign),
        nameof(Sin) => ElementwiseRules.Unary(UnaryKind.Sin),
        nameof(Sinh) => ElementwiseRules.Unary(UnaryKind.Sinh),
        nameof(Softplus) => ElementwiseRules.Activation,
        nameof(Softsign) => ElementwiseRules.Unary(UnaryKind.Softsign),
        nameof(Sqrt) => ElementwiseRules.Unary(UnaryKind.Sqrt),
        nameof(Swish) => ElementwiseRules.Activation,
        nameof(Tan) => ElementwiseRules.Unary(UnaryKind.Tan),
        nameof(Tanh) => ElementwiseRules.Activation,
        nameof(ThresholdedRelu) => ElementwiseRules.ThresholdedRelu,

        // Two elements and more
        nameof(Add) => ElementwiseRules.Binary(BinaryKind.Add),
        nameof(And) => ElementwiseRules.Binary(BinaryKind.And),
        nameof(BitwiseAnd) => ElementwiseRules.Binary(BinaryKind.And),
        nameof(BitwiseOr) => ElementwiseRules.Binary(BinaryKind.Or),
        nameof(BitwiseXor) => ElementwiseRules.Binary(BinaryKind.Xor),
        nameof(Div) => ElementwiseRules.Binary(BinaryKind.Div),
        nameof(Equal) => ElementwiseRules.Binary(BinaryKind.Equal),
        nameof(Greater) => ElementwiseRules.Binary(BinaryKind.Greater),
        nameof(GreaterOrEqual) => ElementwiseRules.Binary(BinaryKind.GreaterOrEqual),
        nameof(Less) => ElementwiseRules.Binary(BinaryKind.Less),
        nameof(LessOrEqual) => ElementwiseRules.Binary(BinaryKind.LessOrEqual),
        nameof(Max) => ElementwiseRules.Variadic(BinaryKind.Max),
        nameof(Mean) => ElementwiseRules.Mean,
        nameof(Min) => ElementwiseRules.Variadic(BinaryKind.Min),
        nameof(Mod) => ElementwiseRules.Mod,
        nameof(Mul) => ElementwiseRules.Binary(BinaryKind.Mul),
        nameof(Or) => ElementwiseRules.Binary(BinaryKind.Or),
        nameof(Pow) => ElementwiseRules.Pow,
        nameof(PRelu) => ElementwiseRules.Binary(BinaryKind.PRelu),
        nameof(Sub) => ElementwiseRules.Binary(BinaryKind.Sub),
        nameof(Sum) => ElementwiseRules.Variadic(BinaryKind.Add),
        nameof(Where) => ElementwiseRules.Where,
        nameof(Xor) => ElementwiseRules.Binary(BinaryKind.Xor),
        _ => null,
    };

    /// <summary>Whether an operator of a model has a rule, or is composed of some that have.</summary>
    public static bool Has(Type type) => Find(type) is not null || ChannelsLastRules.Operators.Contains(type) || DataRules.Operators.Contains(type) || DeformedColumns.Operators.Contains(type) || Compositions.Operators.Contains(type.Name);
}
