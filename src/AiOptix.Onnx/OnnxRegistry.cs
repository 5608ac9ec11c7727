using AiOptix.Onnx.Microsoft;

namespace AiOptix.Onnx;

/// <summary>Every operator that files may hold, family by family: the only registration there is.</summary>
internal static class OnnxRegistry
{
    private static readonly Dictionary<string, List<OnnxOperator>> byName = new(StringComparer.Ordinal);
    private static readonly Lazy<Dictionary<Type, OnnxOperator>> byType = new(() => All.Where(o => o.Writes is not null).ToDictionary(o => o.Writes!));

    /// <summary>The families. Their rows cost time to make, so each says what files call its operators; the rows are made when one of these names is met.</summary>
    public static OnnxFamily[] Families { get; } =
    [
        new("AveragePool Conv ConvTranspose GlobalAveragePool GlobalLpPool GlobalMaxPool LpPool MaxPool", () => Convolutions.Rows),
        new("Celu Clip Dropout Elu Gelu HardSigmoid HardSwish LeakyRelu Mish PRelu Relu Selu Shrink Sigmoid Softplus Softsign Swish ThresholdedRelu", () => Activations.Rows),
        new("Add Div Max Mean Min Mod Mul Pow Sub Sum", () => Arithmetic.Rows),
        new("Det Einsum Gemm MatMul", () => Multiplications.Rows),
        new("DepthToSpace Expand Flatten Reshape Shape Size SpaceToDepth Squeeze Tile Transpose Unsqueeze", () => Reshaping.Rows),
        new("BatchNormalization GroupNormalization Hardmax InstanceNormalization LRN LayerNormalization LogSoftmax LpNormalization MeanVarianceNormalization RMSNormalization Softmax", () => Normalizations.Rows),
        new("Constant ConstantOfShape EyeLike Range", () => Constants.Rows),
        new("ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare", () => Reductions.Rows),
        new("Concat Pad Slice Split", () => Slicing.Rows),
        new("ArgMax ArgMin Compress CumProd CumSum Gather GatherElements GatherND NonZero OneHot Scatter ScatterElements ScatterND TensorScatter TopK Trilu Unique", () => Indexing.Rows),
        new("BitCast Cast CastLike", () => Casts.Rows),
        new("Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Ceil Cos Cosh Erf Exp Floor Identity IsInf IsNaN Log Neg Not Reciprocal Round Sign Sin Sinh Sqrt Tan Tanh", () => Functions.Rows),
        new("And Equal Greater GreaterOrEqual Less LessOrEqual Or Where Xor", () => Comparisons.Rows),
        new("ConvInteger DequantizeLinear DynamicQuantizeLinear MatMulInteger QLinearConv QLinearMatMul QuantizeLinear", () => Quantizations.Rows),
        new("Attention CausalConvWithState LinearAttention RotaryEmbedding SwiGLU", () => Attentions.Rows),
        new("Resize Upsample", () => Resizing.Rows),
        new("GRU LSTM RNN", () => Recurrents.Rows),
        new("If Loop Scan", () => ControlFlows.Rows),
        new("BitShift BitwiseAnd BitwiseOr BitwiseXor", () => Bits.Rows),
        new("ConcatFromSequence Optional OptionalGetElement OptionalHasElement ReverseSequence SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap SplitToSequence", () => Containers.Rows),
        new("CastMap CategoryMapper DictVectorizer LabelEncoder OneHotEncoder ZipMap", () => Encoders.Rows),
        new("FlexAttention", () => FlexAttentions.Rows),
        new("ArrayFeatureExtractor Binarizer FeatureVectorizer Imputer LinearClassifier LinearRegressor Normalizer SVMClassifier SVMRegressor Scaler", () => Learning.Rows),
        new("Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike", () => Randoms.Rows),
        new("Affine ConstantFill Crop DynamicSlice GRUUnit GivenTensorFill ImageScaler ParametricSoftplus Scale ScaledTanh SimplifiedLayerNormalization", () => Removed.Rows),
        new("AffineGrid CenterCropPad Col2Im DeformConv GridSample ImageDecoder MaxRoiPool MaxUnpool NonMaxSuppression RoiAlign", () => Sampling.Rows),
        new("BlackmanWindow DFT HammingWindow HannWindow MelWeightMatrix STFT", () => Signals.Rows),
        new("RegexFullMatch StringConcat StringNormalizer StringSplit TfIdfVectorizer", () => Texts.Rows),
        new("Adagrad Adam Momentum NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss", () => Training.Rows),
        new("TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor", () => Trees.Rows),
        new("BiasAdd BiasGelu BiasSplitGelu FastGelu Gelu QuickGelu", () => FusedActivations.Rows),
        new("Attention MultiHeadAttention PackedMultiHeadAttention QAttention RemovePadding RestorePadding RotaryEmbedding", () => FusedAttentions.Rows),
        new("ConvTransposeWithDynamicPads FusedConv NhwcConv NhwcMaxPool", () => FusedConvolutions.Rows),
        new("EmbedLayerNormalization GroupNorm SimplifiedLayerNormalization SkipGroupNorm SkipLayerNormalization SkipSimplifiedLayerNormalization", () => FusedNorms.Rows),
        new("CDist FusedGemm FusedMatMul FusedMatMulActivation Inverse MatMulInteger16 TransposeMatMul", () => FusedProducts.Rows),
        new("GroupQueryAttention", () => GroupQueries.Rows),
        new("DequantizeLinear QGemm QLinearAdd QLinearAveragePool QLinearConcat QLinearConv QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul QLinearReduceMean QLinearSigmoid QLinearSoftmax QLinearWhere QuantizeLinear", () => QuantizedLinear.Rows),
        new("DynamicQuantizeLSTM DynamicQuantizeMatMul MatMulIntegerToFloat MatMulNBits QMoE", () => QuantizedProducts.Rows),
        new("GatherBlockQuantized", () => QuantizedRows.Rows),
        new("CausalConvWithState LinearAttention", () => Recurrences.Rows),
        new("ExpandDims GatherND GridSample NGramRepeatBlock Pad Range Tokenizer Trilu Unique", () => Varied.Rows),
    ];

    /// <summary>All rows.</summary>
    public static IReadOnlyList<OnnxOperator> All => field ??= [.. Families.SelectMany(f => f.Rows)];

    /// <summary>The row that reads an operator, or null.</summary>
    public static OnnxOperator? Find(string domain, string name)
    {
        if (name.Length == 0) return null;
        if (domain == "ai.onnx") domain = "";
        List<OnnxOperator>? named;
        lock (byName)
        {
            if (!byName.TryGetValue(name, out named))
            {
                named = [];
                foreach (var family in Families)
                    if (family.Has(name)) named.AddRange(Array.FindAll(family.Rows, r => r.Name == name));
                // What names no operator is not kept: a file may hold any number of those.
                if (named.Count > 0) byName[name] = named;
            }
        }
        return named.Find(o => o.Domain == domain);
    }

    /// <summary>The row that writes a graph operator, or null.</summary>
    public static OnnxOperator? Find(Type graphOperator) => byType.Value.GetValueOrDefault(graphOperator);
}

/// <summary>Operators whose rows are in one place.</summary>
/// <param name="names">What files call them, parted by blanks.</param>
/// <param name="rows">Gives the rows.</param>
internal sealed class OnnxFamily(string names, Func<OnnxOperator[]> rows)
{
    private readonly string names = $" {names} ";

    /// <summary>What files call its operators.</summary>
    public string[] Names => names.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The rows.</summary>
    public OnnxOperator[] Rows => rows();

    /// <summary>Whether files call one of its operators so.</summary>
    public bool Has(string name) => !name.Contains(' ', StringComparison.Ordinal) && names.Contains($" {name} ", StringComparison.Ordinal);
}
