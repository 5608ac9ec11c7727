using AiOptix.Graphs;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Encoders of labels and categories, and operators over maps (ai.onnx.ml).</summary>
internal static class Encoders
{
    private const string Ml = "ai.onnx.ml";

    private const string Unused = "_Unused";

    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<LabelEncoder>("LabelEncoder", ReadLabelEncoder, WriteLabelEncoder, op => new[] { op.Keys, op.Values }.All(t => Suffix(t.Tensor.DType) is not null) ? 2 : 4, Ml),
        OnnxOperator.ReadOnly("CategoryMapper", ReadCategoryMapper, Ml),
        OnnxOperator.Of<OneHotEncoder>("OneHotEncoder", r => r.Emit(new OneHotEncoder(Learning.Labels(r, "cats_int64s", "cats_strings"), r.Bool("zeros", true)), r.Required(0)),
            (w, op) => w.Emit("OneHotEncoder", [.. Learning.Attributes(op.Categories, "cats_int64s", "cats_strings"), ("zeros", op.Zeros)]), 1, Ml),
        OnnxOperator.Of<ZipMap>("ZipMap", r => r.Emit(new ZipMap(Learning.Labels(r, "classlabels_int64s")), r.Required(0)),
            (w, op) => w.Emit("ZipMap", Learning.Attributes(op.Labels, "classlabels_int64s")), 1, Ml),
        OnnxOperator.Of<DictVectorizer>("DictVectorizer", r => r.Emit(new DictVectorizer(Learning.Labels(r, "int64_vocabulary", "string_vocabulary")), r.Required(0)),
            (w, op) => w.Emit("DictVectorizer", Learning.Attributes(op.Vocabulary, "int64_vocabulary", "string_vocabulary")), 1, Ml),
        OnnxOperator.Of<CastMap>("CastMap", ReadCastMap,
            (w, op) => w.Emit("CastMap", ("cast_to", op.To switch { DType.Float32 => "TO_FLOAT", DType.Int64 => "TO_INT64", _ => "TO_STRING" }), ("map_form", op.Sparse ? "SPARSE" : "DENSE"), ("max_map", op.Length)), 1, Ml),
    ];

    private static void ReadCastMap(NodeReader r)
    {
        var to = r.String("cast_to", "TO_FLOAT") switch
        {
            "TO_FLOAT" => DType.Float32,
            "TO_INT64" => DType.Int64,
            "TO_STRING" => DType.String,
            var t => throw r.Error($"cast_to '{t}' must be 'TO_FLOAT', 'TO_INT64' or 'TO_STRING'"),
        };
        var form = r.String("map_form", "DENSE");
        if (form is not ("DENSE" or "SPARSE")) throw r.Error($"map_form '{form}' must be 'DENSE' or 'SPARSE'");
        r.Emit(new CastMap(to, form == "SPARSE", r.Int("max_map", 1)), r.Required(0));
    }

    /// <summary>Strings to integers or the other way, whichever the input asks for.</summary>
    private static void ReadCategoryMapper(NodeReader r)
    {
        var strings = r.OptionalStrings("cats_strings") ?? throw r.Error("attribute 'cats_strings' is required");
        Emit(r, Tensor.FromStrings(strings, new Shape(strings.Length)), Tensor.Vector<long>(r.Ints("cats_int64s").Span));
    }

    private static void ReadLabelEncoder(NodeReader r)
    {
        if (r.OptionalStrings("classes_strings") is { } classes)
        {
            Emit(r, Tensor.FromStrings(classes, new Shape(classes.Length)), Tensor.Vector<long>([.. Enumerable.Range(0, classes.Length).Select(i => (long)i)]));
            return;
        }
        var values = List(r, "values");
        var otherwise = r.OptionalTensor("default_tensor") ?? values.DType switch
        {
            DType.String => Default(r, strings: true),
            DType.Int64 => Default(r, strings: false),
            DType.Float32 => Tensor.Vector(r.Float("default_float", -0f)),
            var t when t.IsFloat() => Graphs.Evaluate.ElementTypes.From([-0.0], t, new Shape(1)),
            var t => Graphs.Evaluate.ElementTypes.From([-1], t, new Shape(1)),
        };
        r.Ignore("default_string", "default_int64", "default_float");
        r.Emit(new LabelEncoder(List(r, "keys"), values, otherwise), r.Required(0));
    }

    private static void Emit(NodeReader r, Tensor strings, Tensor integers)
    {
        r.Ignore("default_string", "default_int64");
        var fromStrings = r.Required(0).DType == DType.String;
        var (keys, values) = fromStrings ? (strings, integers) : (integers, strings);
        r.Emit(new LabelEncoder(keys, values, Default(r, !fromStrings)), r.Required(0));
    }

    private static Tensor Default(NodeReader r, bool strings) =>
        strings ? Tensor.FromStrings([r.String("default_string", Unused)], new Shape(1)) : Tensor.Vector(r.Int("default_int64", -1));

    private static Tensor List(NodeReader r, string prefix) => r.OptionalTensor(prefix + "_tensor")
        ?? (r.OptionalStrings(prefix + "_strings") is { Length: > 0 } s ? Tensor.FromStrings(s, new Shape(s.Length)) : null)
        ?? (r.OptionalInts(prefix + "_int64s") is { Length: > 0 } i ? Tensor.Vector<long>(i) : null)
        ?? (r.OptionalFloats(prefix + "_floats") is { Length: > 0 } f ? Tensor.Vector<float>(f) : null)
        ?? throw r.Error($"one of the attributes '{prefix}_…' is required");

    private static string? Suffix(DType type) => type switch { DType.String => "_strings", DType.Int64 => "_int64s", DType.Float32 => "_floats", _ => null };

    private static void WriteLabelEncoder(NodeWriter w, LabelEncoder op)
    {
        var (keys, values, otherwise) = (op.Keys.Tensor, op.Values.Tensor, op.Default.Tensor);
        if (Suffix(keys.DType) is { } k && Suffix(values.DType) is { } v)
            w.Emit("LabelEncoder", ("keys" + k, Plain(keys)), ("values" + v, Plain(values)), ("default" + v.TrimEnd('s'), First(otherwise)));
        else
            w.Emit("LabelEncoder", ("keys_tensor", keys), ("values_tensor", values), ("default_tensor", otherwise));
    }

    private static object Plain(Tensor t) => t.DType switch { DType.String => t.Strings, DType.Int64 => t.ToInt64(), _ => t.Span<float>().ToArray() };

    private static object First(Tensor t) => t.DType switch { DType.String => t.Strings[0], DType.Int64 => t.ToInt64()[0], _ => t.Span<float>()[0] };
}
