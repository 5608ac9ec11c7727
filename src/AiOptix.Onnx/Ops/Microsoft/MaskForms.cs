using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx.Microsoft;

/// <summary>The forms in which attentions of <c>com.microsoft</c> take masks of integers, read as what is added to the scores.</summary>
/// <param name="R">The reader.</param>
/// <param name="Type">The type of the scores.</param>
/// <param name="Batch">The extent of the batch.</param>
/// <param name="Entries">The same, as a vector of one element.</param>
/// <param name="Queries">The number of queries, a scalar.</param>
/// <param name="Keys">The number of keys, those of the past among them, a scalar.</param>
internal sealed record MaskForms(NodeReader R, DType Type, Dim Batch, Value Entries, Value Queries, Value Keys)
{
    /// <summary>
    /// [batch, 1, queries or 1, keys] from 0 and 1 for each key ([batch, keys], [batch, queries, keys] or [batch, 1, most, most]), or from lengths: [batch], ends and then starts
    /// [2 · batch], or lengths before sums of lengths [3 · batch + 2].
    /// </summary>
    public Value? Added(Value? mask)
    {
        if (mask is null) return null;
        var filter = R.Number(R.Float("mask_filter_value", -10000), Type);
        var rank = R.RankOf(mask);
        if (rank == 1) return R.Add(new Where(), Within(mask), R.Number(0, Type), filter);
        var axes = rank switch
        {
            2 => R.Unsqueezed(mask, 1, 2),
            3 => R.Unsqueezed(mask, 1),
            4 => Window(mask),
            _ => throw R.Error($"the mask has {rank} axes; expected 1 to 4"),
        };
        return R.Times(R.Add(new Sub(), R.Number(1, Type), R.To(axes, Type)), filter);
    }

    private Value Window(Value mask)
    {
        Value Vector(Value scalar) => R.Unsqueezed(scalar, 0);
        var starts = R.Joined(0, Vector(R.Add(new Sub(), Keys, Queries)), R.Constant(0L));
        return R.Add(new Slice(), mask, starts, R.Joined(0, Vector(Keys), Vector(Keys)), R.Constant(2, 3));
    }

    private Value Within(Value mask)
    {
        var places = R.Counted(Keys);
        var extent = mask.Shape![0];
        if (extent.Equals(Batch) || extent.Equals(Batch * 3 + 2)) return R.Add(new Less(), places, Column(First(mask)));
        if (extent.IsConstant && Batch.IsConstant && !extent.Equals(Batch * 2)) throw R.Error($"a mask of {extent} lengths does not fit a batch of {Batch}");
        // Lengths alone, where that is not known yet, get zeros as starts behind them.
        var all = R.Joined(0, mask, R.Add(new ConstantOfShape(Graphs.Evaluate.ElementTypes.From([0], mask.DType, new Shape(1))), Entries));
        var starts = R.Add(new Slice(), all, Entries, R.Add(new Mul(), Entries, R.Constant(2L)), R.Constant(0L));
        return R.Add(new And(), R.Add(new Less(), places, Column(First(all))), R.Add(new GreaterOrEqual(), places, Column(starts)));
    }

    private Value First(Value lengths) => R.Add(new Slice(), lengths, R.Constant(0L), Entries, R.Constant(0L));

    private Value Column(Value lengths) => R.Unsqueezed(R.To(lengths, DType.Int64), 1, 2, 3);
}
