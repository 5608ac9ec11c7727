using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Normalisations and the softmax family.</summary>
internal static class Normalizations
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.ByNode<BatchNormalization>("BatchNormalization", ReadBatchNormalization,
            (w, op) => w.Emit("BatchNormalization", ("epsilon", op.Epsilon), ("momentum", op.Momentum), ("training_mode", op.Training ? true : null)), n => OfOneType(n) ? 9 : 15),
        OnnxOperator.Of<InstanceNormalization>("InstanceNormalization", r =>
            {
                r.Ignore("consumed_inputs");
                r.Emit(new InstanceNormalization(r.Float("epsilon", 1e-5f)), r.Required(0), r.Required(1), r.Required(2));
            }, (w, op) => w.Emit("InstanceNormalization", ("epsilon", op.Epsilon)), 6),
        OnnxOperator.Of<GroupNormalization>("GroupNormalization", ReadGroupNormalization,
            (w, op) => w.Emit("GroupNormalization", ("num_groups", op.NumGroups), ("epsilon", op.Epsilon), ("stash_type", op.StashType)), 21),
        OnnxOperator.Of<LayerNormalization>("LayerNormalization", r => r.Emit(new LayerNormalization(r.Int("axis", -1), r.Float("epsilon", 1e-5f), Stash(r)), r.InputsFrom(0)),
            (w, op) => w.Emit("LayerNormalization", ("axis", op.Axis), ("epsilon", op.Epsilon), ("stash_type", op.StashType)), 17),
        OnnxOperator.Of<RMSNormalization>("RMSNormalization", r => r.Emit(new RMSNormalization(r.Int("axis", -1), r.Float("epsilon", 1e-5f), Stash(r)), r.Required(0), r.Required(1)),
            (w, op) => w.Emit("RMSNormalization", ("axis", op.Axis), ("epsilon", op.Epsilon), ("stash_type", op.StashType)), 23),
        OnnxOperator.Of<LpNormalization>("LpNormalization", r => r.Emit(new LpNormalization(r.Int("axis", -1), Exponent(r)), r.Required(0)),
            (w, op) => w.Emit("LpNormalization", ("axis", op.Axis), ("p", op.P)), 1),
        OnnxOperator.Of<LRN>("LRN", r => r.Emit(new LRN(r.OptionalInt("size") ?? throw r.Error("attribute 'size' is required"), r.Float("alpha", 0.0001f), r.Float("beta", 0.75f),
                r.Float("bias", 1)), r.Required(0)),
            (w, op) => w.Emit("LRN", ("size", op.Size), ("alpha", op.Alpha), ("beta", op.Beta), ("bias", op.Bias)), 1),
        OnnxOperator.Of<MeanVarianceNormalization>("MeanVarianceNormalization", ReadMeanVariance, (w, op) => w.Emit("MeanVarianceNormalization", ("axes", op.Axes)), 9),
        OnnxOperator.Of<Softmax>("Softmax", r => ReadLines(r, a => new Softmax(a)), (w, op) => w.Emit("Softmax", ("axis", op.Axis)), 13),
        OnnxOperator.Of<LogSoftmax>("LogSoftmax", r => ReadLines(r, a => new LogSoftmax(a)), (w, op) => w.Emit("LogSoftmax", ("axis", op.Axis)), 13),
        OnnxOperator.Of<Hardmax>("Hardmax", r => ReadLines(r, a => new Hardmax(a)), (w, op) => w.Emit("Hardmax", ("axis", op.Axis)), 13),
    ];

    private static DType Stash(NodeReader r) => (DType)r.Int("stash_type", (long)DType.Float32);

    private static long Exponent(NodeReader r)
    {
        var p = r.Int("p", 2);
        return p is 1 or 2 ? p : throw r.Error($"p = {p} must be 1 or 2");
    }

    /// <summary>Below opset 13 the operator works on the matrix whose columns are the axes from 'axis' on.</summary>
    private static void ReadLines(NodeReader r, Func<long, Operator> make)
    {
        if (r.Opset >= 13)
        {
            r.Emit(make(r.Int("axis", -1)), r.Required(0));
            return;
        }
        var axis = r.Int("axis", 1);
        var x = r.Required(0);
        if (axis == -1 || (x.Shape is { } s && (axis == s.Rank - 1 || s.Dims[(int)Math.Clamp(axis < 0 ? axis + s.Rank + 1 : axis + 1, 0, s.Rank)..].ToArray().All(d => d.Constant == 1))))
        {
            r.Emit(make(axis), x);
            return;
        }
        var lines = r.Add(make(-1), r.Add(new Flatten(axis), x));
        r.Emit(new Reshape(AllowZero: true), lines, r.Add(new ShapeOf(), x));
    }

    /// <summary>Whether it is the form for inference with all inputs of one type, as all versions have it.</summary>
    private static bool OfOneType(Node node) =>
        !((BatchNormalization)node.Operator).Training && node.Inputs.All(i => i!.DType == node.Inputs[0]!.DType && i.DType != Tensors.DType.BFloat16);

    private static void ReadBatchNormalization(NodeReader r)
    {
        r.Ignore("is_test", "consumed_inputs");
        var training = r.Bool("training_mode", false);
        if (r.Opset < 14 && Enumerable.Range(1, Math.Max(0, r.OutputCount - 1)).Any(r.HasOutput))
        {
            ReadOldTraining(r);
            return;
        }
        var op = new BatchNormalization(r.Float("epsilon", 1e-5f), r.Float("momentum", 0.9f), training);
        if (r.Opset >= 9 || r.Bool("spatial", true))
        {
            r.Emit(op, r.Required(0), r.Required(1), r.Required(2), r.Required(3), r.Required(4));
            return;
        }
        var flat = r.Constant(-1L);
        var columns = Enumerable.Range(1, 4).Select(i => r.Add(new Reshape(), r.Required(i), flat)).ToArray();
        var rows = r.Add(op, r.Add(new Flatten(), r.Required(0)), columns[0], columns[1], columns[2], columns[3]);
        r.Emit(new Reshape(AllowZero: true), rows, r.Add(new ShapeOf(), r.Required(0)));
    }

    /// <summary>Below opset 14 a node with more than one output trains: behind the running statistics it gives those of the batch.</summary>
    private static void ReadOldTraining(NodeReader r)
    {
        var op = new BatchNormalization(r.Float("epsilon", 1e-5f), r.Float("momentum", 0.9f), Training: true);
        var isSpatial = r.Opset >= 9 || r.Bool("spatial", true);
        Value Column(Value v) => isSpatial ? v : r.Add(new Reshape(), v, r.Constant(-1L));
        Value Like(Value v, Value model) => isSpatial ? v : r.Add(new Reshape(AllowZero: true), v, r.Add(new ShapeOf(), model));
        var (x, mean) = (isSpatial ? r.Required(0) : r.Add(new Flatten(), r.Required(0)), r.Required(3));
        var all = r.AddAll(op, 3, x, Column(r.Required(1)), Column(r.Required(2)), Column(mean), Column(r.Required(4)));
        r.Bind(0, Like(all[0], r.Required(0)));
        for (var i = 1; i < 3; i++) r.Bind(i, Like(all[i], mean));
        var rank = x.Shape?.Rank ?? throw r.Error("the rank of input 0 must be known");
        var others = r.Constant([0, .. Enumerable.Range(2, rank - 2).Select(a => (long)a)]);
        var average = r.Add(new ReduceMean(), x, others);
        Value Average(Value v) => Like(r.Add(new ReduceMean(KeepDims: false), v, others), mean);
        var apart = r.Add(new Sub(), x, average);
        if (r.HasOutput(3)) r.Bind(3, Average(x));
        if (r.HasOutput(4)) r.Bind(4, Average(r.Add(new Mul(), apart, apart)));
    }

    /// <summary>In opset 18 scale and bias have an element a group; each is repeated for the group's channels.</summary>
    private static void ReadGroupNormalization(NodeReader r)
    {
        var groups = r.OptionalInt("num_groups") ?? throw r.Error("attribute 'num_groups' is required");
        var op = new GroupNormalization(groups, r.Float("epsilon", 1e-5f), Stash(r));
        if (r.Opset >= 21)
        {
            r.Emit(op, r.Required(0), r.Required(1), r.Required(2));
            return;
        }
        if (r.Required(0).Shape is not { Rank: >= 2 } s || s[1].Constant is not { } channels || groups < 1 || channels % groups != 0)
            throw r.Error($"the number of channels must be known and divide into {groups} groups, found an input of type {r.Required(0).Type}");
        Value PerChannel(Value v) => r.Add(new Reshape(), r.Add(new Expand(), r.Add(new Reshape(), v, r.Constant(groups, 1)), r.Constant(groups, channels / groups)), r.Constant(channels));
        r.Emit(op, r.Required(0), PerChannel(r.Required(1)), PerChannel(r.Required(2)));
    }

    private static void ReadMeanVariance(NodeReader r)
    {
        if (r.Opset >= 9)
        {
            r.Emit(new MeanVarianceNormalization([.. r.OptionalInts("axes") ?? [0, 2, 3]]), r.Required(0));
            return;
        }
        ValueList<long> axes = r.Bool("across_channels", false) ? [0, 1, 2, 3] : [0, 2, 3];
        if (r.Bool("normalize_variance", true)) r.Emit(new MeanVarianceNormalization(axes), r.Required(0));
        else r.Emit(new Sub(), r.Required(0), r.Add(new ReduceMean(), r.Required(0), r.Constant([.. axes])));
    }
}
