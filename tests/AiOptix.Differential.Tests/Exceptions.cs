using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>Where ONNX Runtime gives other results than the specification, with the specification's section.</summary>
internal static class Exceptions
{
    private static readonly (string OpType, Func<NodeDraft, bool> When, string Why)[] all =
    [
        ("NonZero", d => Operand(d, 0).Shape.Rank == 0, "NonZero-13: \"for scalar input, NonZero produces output shape (0, N) instead of (1, N), which is different from Numpy's behavior\""),
        ("OneHot", d => Operand(d, 0).DType.IsFloat(), "OneHot-11, indices: \"In case 'indices' is of non-integer type, the values will be casted to int64 before use\"; they are compared as they are"),
        ("ConvTranspose", d => IsSame(d) && HasGaps(d), "ConvTranspose-22, auto_pad: \"SAME_UPPER or SAME_LOWER mean pad the input so that output_shape[i] = input_shape[i] * strides[i]\"; a kernel shorter than the stride gives less"),
        ("Dropout", d => d.Opset < 12 && d.Outputs > 1, "Dropout-10, mask: \"The output mask.\" What it holds when nothing is dropped is said by Dropout-12 only, and that is True"),
        ("DequantizeLinear", d => Operand(d, 0).DType == DType.Float8E4M3FNUZ, "Slice-13: what is sliced is an element of the input; a dequantisation of float8e4m3fnuz is moved behind the slice, which then gives another number than the dequantised tensor holds"),
        ("StringSplit", d => d.Attributes.GetValueOrDefault("delimiter") is string { Length: > 0 } && Operand(d, 0).Strings.ToArray().Contains(""), "StringSplit-20, Z: \"the number of substrings\"; an empty string, in which the delimiter does not occur, is one substring like any other, not none"),
        ("MatMulInteger", d => Operand(d, 0).Shape[-1] == 0, "MatMulInteger-10: a product over an axis of no elements is 0; the result is left as memory was"),
        ("Cast", d => Operand(d, 0).DType == DType.Bool && d.Attributes["to"] is 8L, "Cast-13: how a boolean is written as a string is not said; here as NumPy writes it, True and False, there as 1 and 0"),
        ("AveragePool", d => IsSame(d) && d.Attributes.ContainsKey("dilations"), "AveragePool-19, auto_pad: \"SAME_UPPER or SAME_LOWER mean pad the input so that output_shape[i] = ceil(input_shape[i] / strides[i])\"; with dilations it gives less"),
        ("Gather", d => Operand(d, 0).DType == DType.String, "Gather-13: entries are gathered whole; of an entry of several strings only the first is copied, the others stay empty"),
        ("MaxPool", d => IsSame(d) && d.Attributes.ContainsKey("dilations"), "MaxPool-12, auto_pad: \"SAME_UPPER or SAME_LOWER mean pad the input so that output_shape[i] = ceil(input_shape[i] / strides[i])\"; with dilations it gives less"),
        ("MaxPool", d => IsSame(d) && d.Attributes.GetValueOrDefault("strides") is long[] strides && ((long[])d.Attributes["kernel_shape"]).Where((k, i) => k < strides[i]).Any(), "MaxPool-12, auto_pad: \"SAME_UPPER or SAME_LOWER mean pad the input\"; where a kernel is shorter than the stride, elements at the beginning are cut off instead"),
        ("MeanVarianceNormalization", d => d.Attributes.GetValueOrDefault("axes") is long[] axes && axes.All(a => Operand(d, 0).Shape[(int)a] == 1), "MeanVarianceNormalization-13: \"(X-EX)/sqrt(E(X-EX)^2)\"; of one element the variance is 0, but comes out below it as the mean of squares less the square of the mean, and its root is no number"),
        ("InstanceNormalization", d => Operand(d, 0).Shape.Product(2, Operand(d, 0).Shape.Rank) == 1, "InstanceNormalization-6: \"y = scale * (x - mean) / sqrt(variance + epsilon) + B\"; of a single element x - mean is 0 and B is left, but x and the mean are multiplied before they are subtracted"),
        ("QMoE", d => HasEqualRows(Operand(d, 1)), "com.microsoft QMoE: \"Top-K expert selection\"; which of experts with equal probabilities are taken is not said"),
        ("LpPool", d => IsSame(d) && d.Attributes.ContainsKey("dilations"), "LpPool-18, auto_pad: \"SAME_UPPER or SAME_LOWER mean pad the input so that output_shape[i] = ceil(input_shape[i] / strides[i])\"; with dilations it gives less"),
        ("Shrink", d => !Operand(d, 0).DType.IsFloat() && Operand(d, 0).ToInt64().Any(v => v is < -(1 << 24) or > 1 << 24), "Shrink-9: \"x - bias\" is of the input's type; of integers it is calculated in float32, which has 24 bits"),
        ("TreeEnsembleRegressor", d => d.Attributes.GetValueOrDefault("post_transform") is not ("NONE" or null) && d.Attributes["n_targets"] is 1L, "TreeEnsembleRegressor-3: post_transform \"indicates the transform to apply to the score\"; to a single score it is not applied"),
        ("TreeEnsembleClassifier", d => d.Outputs == 2 && Labels(d) == 2, "TreeEnsembleClassifier-3, Y: \"top class for each point\"; of two classes the second is taken when its score is above 0, whatever the other's"),
        ("AffineGrid", d => d.Attributes.GetValueOrDefault("align_corners") is 1L && ((Tensor)d.Inputs[1]!.Value).ToInt64().Skip(2).Contains(1), "AffineGrid-20, align_corners: the extrema \"are considered as referring to the center points of the input's corner pixels\"; the only pixel of an axis has its center at 0, not at -1"),
        ("ReduceLogSumExp", d => !Operand(d, 0).DType.IsFloat(), "ReduceLogSumExp-18: \"the log sum exponent of the input tensor's elements\"; of integers the exponentials are cut off to integers before they are summed"),
        ("LinearRegressor", d => d.Attributes.GetValueOrDefault("post_transform") is not ("NONE" or null) && d.Attributes["targets"] is 1L, "LinearRegressor-1: post_transform \"indicates the transform to apply to the regression output vector\"; to a single one it is not applied"),
        ("QLinearSoftmax", d => Operand(d, 0).Shape[-1] == 1, "com.microsoft QLinearSoftmax: \"normalized exponential values\"; of a line of one element it is 1, not 0"),
    ];

    private static Tensor Operand(NodeDraft d, int input) => (Tensor)d.Inputs[input]!.Value;

    private static int Labels(NodeDraft d) => ((Array)(d.Attributes.GetValueOrDefault("classlabels_ints") ?? d.Attributes["classlabels_strings"])).Length;

    /// <summary>True when the taps of one input position end before the next one's begin.</summary>
    private static bool HasGaps(NodeDraft d)
    {
        var kernel = Operand(d, 1).Shape.Skip(2).ToArray();
        var (strides, dilations) = ((long[]?)d.Attributes.GetValueOrDefault("strides"), (long[]?)d.Attributes.GetValueOrDefault("dilations"));
        return kernel.Where((k, i) => (k - 1) * (dilations?[i] ?? 1) + 1 < (strides?[i] ?? 1)).Any();
    }

    /// <summary>True when a row holds a number twice.</summary>
    private static bool HasEqualRows(Tensor t) => Graphs.Evaluate.ElementTypes.ToFloat64(t).Chunk((int)t.Shape[-1]).Any(row => row.Distinct().Count() < row.Length);

    private static bool IsSame(NodeDraft d) => d.Attributes.GetValueOrDefault("auto_pad") is "SAME_UPPER" or "SAME_LOWER";

    /// <summary>Why the answers to a graph may differ; null when they must agree.</summary>
    public static string? Reason(Generated g) => g.Drafts.SelectMany(d => all.Where(e => e.OpType == d.OpType && e.When(d)).Select(e => $"{e.OpType}: {e.Why}")).FirstOrDefault();
}
