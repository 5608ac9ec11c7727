using AiOptix.Tensors;

namespace AiOptix.Differential.Tests.Recipes;

/// <summary>Classical machine learning (ai.onnx.ml).</summary>
internal static class MachineLearning
{
    private static readonly string[] transforms = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"];

    public static IEnumerable<Recipe> Recipes =>
    [
        Row("ArrayFeatureExtractor", d => { var s = d.Shape(1, 3, nonEmpty: true); d.In(s, type: d.Draw.Of(DType.Float32, DType.Int64, DType.Float64, DType.Int32, DType.String)).Value(Tensor.From<long>([d.Draw.Below((int)s[^1]), d.Draw.Below((int)s[^1])], new Shape(1, 2))); }),
        Row("Binarizer", d => d.In(d.Shape(1), type: DType.Float32).Attr("threshold", 0.5f)),
        Row("FeatureVectorizer", d => { var b = d.Draw.Between(1, 3); d.In([b, 2], type: DType.Float32).In([b, 3], type: DType.Float32).Attr("inputdimensions", new long[] { 2, 3 }); }),
        Row("Imputer", d =>
        {
            var c = d.Draw.Between(1, 4);
            if (d.Draw.Chance(0.5)) d.In([d.Draw.Between(1, 3), c], Fill.Few, DType.Int64).Attr("replaced_value_int64", 1L).Attr("imputed_value_int64s", d.Draw.Chance(0.5) ? [7L] : Enumerable.Range(5, c).Select(i => (long)i).ToArray());
            else d.In([d.Draw.Between(1, 3), c], type: DType.Float32).Attr("replaced_value_float", 0f).Attr("imputed_value_floats", d.Draw.Chance(0.5) ? [7.5f] : Enumerable.Range(5, c).Select(i => i + 0.5f).ToArray());
        }),
        Row("LabelEncoder", d =>
        {
            switch (d.Draw.Below(4))
            {
                case 0: d.In(d.Shape(1), type: DType.String).Attr("keys_strings", new[] { "a", "b", "Zoo" }).Attr("values_int64s", new long[] { 3, 2, 1 }).Maybe("default_int64", 9L); break;
                case 1: d.In(d.Shape(1), Fill.Few, DType.Int64).Attr("keys_int64s", new long[] { 0, 1, 2 }).Attr("values_strings", new[] { "p", "q", "r" }).Maybe("default_string", "none"); break;
                case 2: d.In(d.Shape(1), Fill.Few, DType.Int64).Attr("keys_int64s", new long[] { 0, 1, 2 }).Attr("values_floats", new[] { 0.5f, 1.5f, 2.5f }).Maybe("default_float", -1f); break;
                default: d.In(d.Shape(1), type: DType.String).Attr("keys_strings", new[] { "a", "ab" }).Attr("values_strings", new[] { "x", "y" }); break;
            }
        }, 2),
        Row("LinearClassifier", d =>
        {
            var (c, n) = (d.Draw.Between(1, 4), d.Draw.Between(2, 4));
            d.In([d.Draw.Between(1, 4), c], type: Input(d)).Attr("coefficients", Floats(d, c * n)).Attr("intercepts", Floats(d, n)).Attr("post_transform", d.Draw.Of(transforms)).Out(2);
            Labels(d, n);
        }),
        Row("LinearRegressor", d => { var (c, n) = (d.Draw.Between(1, 4), d.Draw.Between(1, 3)); d.In([d.Draw.Between(1, 4), c], type: DType.Float32).Attr("coefficients", Floats(d, c * n)).Attr("targets", (long)n).Attr("post_transform", d.Draw.Of("NONE", "SOFTMAX", "LOGISTIC")); if (d.Draw.Chance(0.6)) d.Attr("intercepts", Floats(d, n)); }),
        Row("Normalizer", d => d.In([d.Draw.Between(1, 3), d.Draw.Between(1, 4)], Fill.NonZero, Input(d)).Attr("norm", d.Draw.Of("MAX", "L1", "L2"))),
        Row("OneHotEncoder", d => { if (d.Draw.Chance(0.5)) d.In(d.Shape(1, 2, nonEmpty: true), Fill.Few, DType.Int64).Attr("cats_int64s", new long[] { 0, 1, 3 }); else d.In(d.Shape(1, 2, nonEmpty: true), type: DType.String).Attr("cats_strings", new[] { "a", "b", "ab" }); d.Attr("zeros", 1L); }),
        Row("Scaler", d => { var c = d.Draw.Between(1, 4); var one = d.Draw.Chance(0.3); d.In([d.Draw.Between(1, 3), c], type: Input(d)).Attr("offset", Floats(d, one ? 1 : c)).Attr("scale", Floats(d, one ? 1 : c)); }),
        Row("SVMRegressor", d =>
        {
            var (c, n) = (d.Draw.Between(1, 3), d.Draw.Between(1, 4));
            d.In([d.Draw.Between(1, 4), c], type: DType.Float32).Attr("kernel_type", d.Draw.Of("LINEAR", "POLY", "RBF", "SIGMOID")).Attr("kernel_params", new[] { 0.3f, 0.5f, 2f }).Attr("n_supports", (long)n)
                .Attr("support_vectors", Floats(d, n * c)).Attr("coefficients", Floats(d, n)).Attr("rho", new[] { 0.25f }).Maybe("one_class", (long)d.Draw.Below(2));
        }),
        Row("SVMClassifier", d =>
        {
            var (c, classes) = (d.Draw.Between(1, 3), d.Draw.Between(2, 3));
            var per = Enumerable.Range(0, classes).Select(_ => (long)d.Draw.Between(1, 2)).ToArray();
            var n = (int)per.Sum();
            var pairs = classes * (classes - 1) / 2;
            d.In([d.Draw.Between(1, 4), c], type: DType.Float32).Attr("kernel_type", d.Draw.Of("LINEAR", "POLY", "RBF", "SIGMOID")).Attr("kernel_params", new[] { 0.3f, 0.5f, 2f }).Attr("vectors_per_class", per)
                .Attr("support_vectors", Floats(d, n * c)).Attr("coefficients", Floats(d, n * (classes - 1))).Attr("rho", Floats(d, pairs)).Out(2);
            if (d.Draw.Chance(0.5)) d.Attr("prob_a", Floats(d, pairs)).Attr("prob_b", Floats(d, pairs));
            Labels(d, classes);
        }),
        Row("TreeEnsembleRegressor", d => Trees(d, "target", d.Draw.Between(1, 3))),
        Row("TreeEnsembleClassifier", d => Trees(d, "class", d.Draw.Between(2, 3))),
    ];

    private static Recipe Row(string name, Action<NodeDraft> write, long since = 1) => new(name, write, "ai.onnx.ml", since);

    private static DType Input(NodeDraft d) => d.Draw.Of(DType.Float32, DType.Float32, DType.Float64, DType.Int64, DType.Int32);

    private static float[] Floats(NodeDraft d, int count) => [.. Enumerable.Range(0, count).Select(_ => d.Draw.Between(-20, 20) / 10f)];

    private static void Labels(NodeDraft d, int count)
    {
        if (d.Draw.Chance(0.5)) d.Attr("classlabels_ints", Enumerable.Range(0, count).Select(i => 10L - i).ToArray());
        else d.Attr("classlabels_strings", Enumerable.Range(0, count).Select(i => $"c{i}").ToArray());
    }

    /// <summary>Trees of one branch and two leaves, or of one more branch.</summary>
    private static void Trees(NodeDraft d, string what, int outputs)
    {
        var (columns, trees) = (d.Draw.Between(1, 3), d.Draw.Between(1, 4));
        var (tree, node, feature, value, yes, no, missing) = (new List<long>(), new List<long>(), new List<long>(), new List<float>(), new List<long>(), new List<long>(), new List<long>());
        var modes = new List<string>();
        var (leafTree, leafNode, leafTarget, leafWeight) = (new List<long>(), new List<long>(), new List<long>(), new List<float>());
        for (var t = 0; t < trees; t++)
        {
            var deep = d.Draw.Chance(0.5);
            Branch(t, 0, 1, 2);
            Leaf(t, 1);
            if (!deep) Leaf(t, 2);
            else
            {
                Branch(t, 2, 3, 4);
                Leaf(t, 3);
                Leaf(t, 4);
            }
        }
        d.In([d.Draw.Between(1, 4), columns], type: d.Draw.Of(DType.Float32, DType.Float32, DType.Float64));
        d.Attr("nodes_treeids", tree.ToArray()).Attr("nodes_nodeids", node.ToArray()).Attr("nodes_featureids", feature.ToArray()).Attr("nodes_values", value.ToArray()).Attr("nodes_modes", modes.ToArray())
            .Attr("nodes_truenodeids", yes.ToArray()).Attr("nodes_falsenodeids", no.ToArray()).Attr("nodes_missing_value_tracks_true", missing.ToArray())
            .Attr($"{what}_treeids", leafTree.ToArray()).Attr($"{what}_nodeids", leafNode.ToArray()).Attr($"{what}_ids", leafTarget.ToArray()).Attr($"{what}_weights", leafWeight.ToArray());
        if (d.Draw.Chance(0.4)) d.Attr("base_values", Floats(d, outputs));
        if (what == "target")
        {
            d.Attr("n_targets", (long)outputs).Attr("aggregate_function", d.Draw.Of("SUM", "AVERAGE", "MIN", "MAX")).Attr("post_transform", d.Draw.Of("NONE", "SOFTMAX", "LOGISTIC"));
            return;
        }
        Labels(d, outputs);
        d.Attr("post_transform", d.Draw.Of(transforms)).Out(2);

        void Branch(int t, int id, int left, int right)
        {
            tree.Add(t);
            node.Add(id);
            feature.Add(d.Draw.Below(columns));
            value.Add(d.Draw.Between(-20, 20) / 10f);
            modes.Add(d.Draw.Of("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT", "BRANCH_GTE"));
            yes.Add(left);
            no.Add(right);
            missing.Add(d.Draw.Below(2));
        }

        void Leaf(int t, int id)
        {
            tree.Add(t);
            node.Add(id);
            feature.Add(0);
            value.Add(0);
            modes.Add("LEAF");
            yes.Add(0);
            no.Add(0);
            missing.Add(0);
            for (var k = 0; k < outputs; k++)
            {
                leafTree.Add(t);
                leafNode.Add(id);
                leafTarget.Add(k);
                leafWeight.Add(d.Draw.Between(-10, 10) / 10f);
            }
        }
    }
}
