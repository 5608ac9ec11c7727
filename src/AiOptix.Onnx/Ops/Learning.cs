using AiOptix.Graphs;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Classical machine learning (ai.onnx.ml) beside trees and encoders.</summary>
internal static class Learning
{
    private const string Ml = "ai.onnx.ml";

    private static readonly string[] transforms = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"];

    private static readonly string[] kernels = ["LINEAR", "POLY", "RBF", "SIGMOID"];

    private static readonly string[] norms = ["MAX", "L1", "L2"];

    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<LinearClassifier>("LinearClassifier", r => r.Emit(new LinearClassifier(Floats(r, "coefficients"), Floats(r, "intercepts"), Labels(r), Transform(r), r.Bool("multi_class", false)), r.Required(0)),
            (w, op) => w.Emit("LinearClassifier", [("coefficients", op.Coefficients), ("intercepts", Optional(op.Intercepts)), .. Attributes(op.Labels), ("multi_class", op.MultiClass), ("post_transform", Name(op.Transform))]), 1, Ml),
        OnnxOperator.Of<LinearRegressor>("LinearRegressor", r => r.Emit(new LinearRegressor(Floats(r, "coefficients"), Floats(r, "intercepts"), r.Int("targets", 1), Transform(r)), r.Required(0)),
            (w, op) => w.Emit("LinearRegressor", ("coefficients", op.Coefficients), ("intercepts", Optional(op.Intercepts)), ("targets", op.Targets), ("post_transform", Name(op.Transform))), 1, Ml),
        OnnxOperator.Of<SVMClassifier>("SVMClassifier", r => r.Emit(new SVMClassifier(Kernel(r), Floats(r, "coefficients"), Floats(r, "support_vectors"), [.. r.OptionalInts("vectors_per_class") ?? []], Floats(r, "rho"),
                Floats(r, "prob_a"), Floats(r, "prob_b"), Labels(r), Transform(r)), r.Required(0)),
            (w, op) => w.Emit("SVMClassifier", [.. Attributes(op.Kernel), ("coefficients", op.Coefficients), ("support_vectors", Optional(op.SupportVectors)),
                ("vectors_per_class", op.VectorsPerClass.Count > 0 ? op.VectorsPerClass : null), ("rho", op.Rho), ("prob_a", Optional(op.ProbA)), ("prob_b", Optional(op.ProbB)), .. Attributes(op.Labels),
                ("post_transform", Name(op.Transform))]), 1, Ml),
        OnnxOperator.Of<SVMRegressor>("SVMRegressor", r => r.Emit(new SVMRegressor(Kernel(r), Floats(r, "coefficients"), Floats(r, "support_vectors"), r.Int("n_supports", 0), Floats(r, "rho"), r.Bool("one_class", false),
                Transform(r)), r.Required(0)),
            (w, op) => w.Emit("SVMRegressor", [.. Attributes(op.Kernel), ("coefficients", op.Coefficients), ("support_vectors", Optional(op.SupportVectors)), ("n_supports", op.Supports), ("rho", op.Rho),
                ("one_class", op.OneClass), ("post_transform", Name(op.Transform))]), 1, Ml),
        OnnxOperator.Of<Scaler>("Scaler", r => r.Emit(new Scaler(Floats(r, "offset"), Floats(r, "scale")), r.Required(0)),
            (w, op) => w.Emit("Scaler", ("offset", Optional(op.Offset)), ("scale", Optional(op.Scale))), 1, Ml),
        OnnxOperator.Of<Normalizer>("Normalizer", r => r.Emit(new Normalizer((RowNorm)Choice(r, "norm", norms)), r.Required(0)), (w, op) => w.Emit("Normalizer", ("norm", norms[(int)op.Norm])), 1, Ml),
        OnnxOperator.Of<Binarizer>("Binarizer", r => r.Emit(new Binarizer(r.Float("threshold", 0)), r.Required(0)), (w, op) => w.Emit("Binarizer", ("threshold", op.Threshold)), 1, Ml),
        OnnxOperator.Of<Imputer>("Imputer", r => r.Emit(new Imputer(Floats(r, "imputed_value_floats"), r.Float("replaced_value_float", 0), [.. r.OptionalInts("imputed_value_int64s") ?? []], r.Int("replaced_value_int64", 0)), r.Required(0)),
            (w, op) => w.Emit("Imputer", ("imputed_value_floats", Optional(op.Floats)), ("replaced_value_float", op.Missing), ("imputed_value_int64s", op.Integers.Count > 0 ? op.Integers : null),
                ("replaced_value_int64", op.MissingInteger)), 1, Ml),
        OnnxOperator.Of<FeatureVectorizer>("FeatureVectorizer", r => r.Emit(new FeatureVectorizer([.. r.OptionalInts("inputdimensions") ?? []]), r.InputsFrom(0)),
            (w, op) => w.Emit("FeatureVectorizer", ("inputdimensions", op.Dimensions.Count > 0 ? op.Dimensions : null)), 1, Ml),
        OnnxOperator.Of<ArrayFeatureExtractor>("ArrayFeatureExtractor", r => r.Emit(new ArrayFeatureExtractor(), r.Required(0), r.Required(1)), (w, _) => w.Emit("ArrayFeatureExtractor"), 1, Ml),
    ];

    /// <summary>The class labels of a node.</summary>
    public static ClassLabels Labels(NodeReader r, string integers = "classlabels_ints", string strings = "classlabels_strings") =>
        new([.. r.OptionalInts(integers) ?? []], [.. r.OptionalStrings(strings) ?? []]);

    /// <summary>The attributes of class labels.</summary>
    public static (string, object?)[] Attributes(ClassLabels labels, string integers = "classlabels_ints", string strings = "classlabels_strings") =>
        [(integers, labels.Integers.Count > 0 ? labels.Integers : null), (strings, labels.Strings.Count > 0 ? labels.Strings : null)];

    /// <summary>The transform of the scores.</summary>
    public static PostTransform Transform(NodeReader r) => (PostTransform)Choice(r, "post_transform", transforms);

    /// <summary>A transform's name in files.</summary>
    public static string Name(PostTransform transform) => transforms[(int)transform];

    private static int Choice(NodeReader r, string attribute, string[] names)
    {
        var name = r.String(attribute, names[0]);
        var index = Array.IndexOf(names, name);
        return index >= 0 ? index : throw r.Error($"{attribute} '{name}' must be one of {string.Join(", ", names)}");
    }

    private static SvmKernel Kernel(NodeReader r)
    {
        var p = r.OptionalFloats("kernel_params") ?? [];
        return new((SvmKernelKind)Choice(r, "kernel_type", kernels), p.ElementAtOrDefault(0), p.ElementAtOrDefault(1), p.ElementAtOrDefault(2));
    }

    private static (string, object?)[] Attributes(SvmKernel kernel) => [("kernel_type", kernels[(int)kernel.Kind]), ("kernel_params", new[] { kernel.Gamma, kernel.Coef0, kernel.Degree })];

    private static ValueList<float> Floats(NodeReader r, string attribute) => [.. r.OptionalFloats(attribute) ?? []];

    private static object? Optional(ValueList<float> list) => list.Count > 0 ? list : null;
}
