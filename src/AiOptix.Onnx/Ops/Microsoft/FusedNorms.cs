using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>Normalisations of <c>com.microsoft</c>: after a sum, of groups, of embeddings.</summary>
internal static class FusedNorms
{
    public static OnnxOperator[] Rows { get; } =
    [
        Row("SimplifiedLayerNormalization", ReadSimplified),
        Row("SkipLayerNormalization", r => ReadSkip(r, 4, simplified: false)),
        Row("SkipSimplifiedLayerNormalization", r => ReadSkip(r, 3, simplified: true)),
        Row("EmbedLayerNormalization", ReadEmbed),
        Row("GroupNorm", r => ReadGroups(r, r.Required(0))),
        Row("SkipGroupNorm", ReadSkipGroups),
    ];

    /// <summary>Output 1 is the inverse of the root of the mean square.</summary>
    public static void ReadSimplified(NodeReader r)
    {
        var (axis, epsilon, stash) = (r.Int("axis", -1), r.Float("epsilon", 1e-5f), r.Type("stash_type") ?? DType.Float32);
        r.EmitOutput(0, new RMSNormalization(axis, epsilon, stash), r.Required(0), r.Required(1));
        if (r.HasOutput(1)) Inverse(r, 1, r.Required(0), axis, epsilon, stash);
    }

    /// <summary>Input and skip (and bias) summed, then normalised along the last axis. Output 3 is the sum.</summary>
    private static void ReadSkip(NodeReader r, int bias, bool simplified)
    {
        var epsilon = r.Float("epsilon", 1e-12f);
        var (x, skip) = (r.Required(0), r.Required(1));
        var sum = r.Input(bias) is { } b ? r.EmitOutput(3, new Add(), r.Plus(x, skip), b) : r.EmitOutput(3, new Add(), x, skip);
        if (simplified)
        {
            r.EmitOutput(0, new RMSNormalization(-1, epsilon), sum, r.Required(2));
            if (r.HasOutput(1)) r.EmitOutput(1, new ReduceMean(), r.To(sum, DType.Float32), r.Constant(-1L));
            if (r.HasOutput(2)) Inverse(r, 2, sum, -1, epsilon, DType.Float32);
            return;
        }
        var norm = new LayerNormalization(-1, epsilon);
        if (!r.HasOutput(1) && !r.HasOutput(2))
        {
            r.EmitOutput(0, norm, sum, r.Required(2), r.Input(3));
            return;
        }
        var all = r.AddAll(norm, 3, sum, r.Required(2), r.Input(3));
        for (var i = 0; i < 3; i++)
            if (r.HasOutput(i)) r.Bind(i, all[i]);
    }

    /// <summary>1 / √(mean of squares + ε).</summary>
    private static void Inverse(NodeReader r, int output, Value x, long axis, float epsilon, DType stash)
    {
        var wide = r.To(x, stash);
        var rank = r.RankOf(x);
        var first = axis < 0 ? axis + rank : axis;
        var axes = r.Constant([.. Enumerable.Range((int)first, rank - (int)first).Select(a => (long)a)]);
        var mean = r.Add(new ReduceMean(), r.Times(wide, wide), axes);
        r.EmitOutput(output, new Reciprocal(), r.Add(new Sqrt(), r.Plus(mean, r.Number(epsilon, stash))));
    }

    /// <summary>Embeddings of words, positions and segments summed and normalised; output 1 counts the words that the mask lets through.</summary>
    private static void ReadEmbed(NodeReader r)
    {
        r.Ignore("mask_index_type");
        var ids = r.Required(0);
        var sum = r.Add(new Gather(), r.Required(2), ids);
        sum = r.Plus(sum, r.Add(new Gather(), r.Required(3), r.Input(8) ?? r.Counted(r.Extent(ids, 1))));
        if (r.Input(1) is { } segments) sum = r.Plus(sum, r.Add(new Gather(), r.Input(4) ?? throw r.Error("segment ids need a segment embedding (input 4)"), segments));
        r.EmitOutput(0, new LayerNormalization(-1, r.Float("epsilon", 1e-12f)), sum, r.Required(5), r.Required(6));
        if (r.HasOutput(1))
        {
            var counted = r.Input(7) is { } mask ? r.To(mask, DType.Int32) : r.Times(ids, 0);
            r.EmitOutput(1, new ReduceSum(KeepDims: false), counted, r.Constant(1L));
        }
        if (r.HasOutput(2)) r.Bind(2, sum);
    }

    private static void ReadSkipGroups(NodeReader r)
    {
        var x = r.Required(0);
        var skip = r.Required(3);
        var last = r.Bool("channels_last", true);
        if (r.RankOf(skip) == 2) skip = last ? r.Unsqueezed(skip, 1, 2) : r.Unsqueezed(skip, 2, 3);
        var bias = r.Input(4) is { } b && !last ? r.Unsqueezed(b, 1, 2) : r.Input(4);
        var sum = r.Plus(r.Plus(x, skip), bias);
        if (r.HasOutput(1)) r.Bind(1, sum);
        ReadGroups(r, sum);
    }

    /// <summary>The statistics are float32 whatever the type of the input.</summary>
    private static void ReadGroups(NodeReader r, Value x)
    {
        var type = x.DType;
        var last = r.Bool("channels_last", true);
        var swish = r.Int("activation", 0) switch
        {
            0 => false,
            1 => true,
            var a => throw r.Error($"activation {a} must be 0 or 1"),
        };
        var groups = r.OptionalInt("groups") ?? throw r.Error("attribute 'groups' is required");
        var wide = r.To(last ? r.ChannelsFirst(x) : x, DType.Float32);
        var y = r.Add(new GroupNormalization(groups, r.Float("epsilon", 1e-5f)), wide, r.To(r.Required(1), DType.Float32), r.To(r.Required(2), DType.Float32));
        if (swish) y = r.Add(new Swish(), y);
        y = r.To(y, type);
        if (last) r.EmitOutput(0, new Transpose(ChannelsLastOrder(r.RankOf(x))), y);
        else r.Bind(0, y);
    }
}
