using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What a scatter does with an element that is already there.</summary>
public enum ScatterReduction
{
    /// <summary>Overwrites it.</summary>
    None,
    /// <summary>Adds.</summary>
    Add,
    /// <summary>Multiplies.</summary>
    Mul,
    /// <summary>Keeps the larger.</summary>
    Max,
    /// <summary>Keeps the smaller.</summary>
    Min,
}

/// <summary>What ScatterElements and ScatterND share: a copy of input 0 in which elements of input 2 are put where input 1 says.</summary>
/// <param name="Reduction">What is done with an element that is already there.</param>
public abstract record Scatter(ScatterReduction Reduction) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.RequireSame(0, 2);
        context.RequireIndices(1);
        if (Reduction != ScatterReduction.None) context.Require(0, Numbers.IsNumber, "a numeric type for a reduction");
        Check(context);
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var data = context.Input(0);
        var updates = context.Input(2);
        var output = context.Allocate(0, data.DType, data.Shape);
        data.CopyTo(output);
        if (Reduction == ScatterReduction.None)
        {
            foreach (var (from, to, count) in Runs(context))
                new ElementMover(updates, output).Copy(from, to, count);
        }
        else if (Numbers.IsReal(data.DType)) output.Store(Reduced(context, data.ToReals(), updates.ToReals()));
        else if (data.DType == DType.UInt64)
            output.Store(Array.ConvertAll(Reduced(context, Unsigned(data), Unsigned(updates)), v => unchecked((long)v)));
        else output.Store(Reduced(context, data.ToInt64(), updates.ToInt64()));
    }

    /// <summary>Checks what is known of the shapes.</summary>
    protected abstract void Check(InferenceContext context);

    /// <summary>Which runs of the updates go where, in order.</summary>
    private protected abstract IEnumerable<(long From, long To, long Count)> Runs(EvaluationContext context);

    private static ulong[] Unsigned(Tensor t) => Array.ConvertAll(t.ToInt64(), v => unchecked((ulong)v));

    private T[] Reduced<T>(EvaluationContext context, T[] data, T[] updates) where T : System.Numerics.INumber<T>
    {
        foreach (var (from, to, count) in Runs(context))
            for (long i = 0; i < count; i++)
            {
                ref var at = ref data[to + i];
                var update = updates[from + i];
                at = Reduction switch
                {
                    ScatterReduction.Add => unchecked(at + update),
                    ScatterReduction.Mul => unchecked(at * update),
                    ScatterReduction.Max => T.Max(at, update),
                    _ => T.Min(at, update),
                };
            }
        return data;
    }
}

/// <summary>ONNX ScatterElements: element by element, the index of input 1 takes the place of the coordinate along one axis.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="Reduction">What is done with an element that is already there.</param>
public sealed record ScatterElements(long Axis = 0, ScatterReduction Reduction = ScatterReduction.None) : Scatter(Reduction)
{
    /// <inheritdoc/>
    protected override void Check(InferenceContext context)
    {
        if (context.Shape(0) is not { } data) return;
        context.Axis(Axis, data.Rank);
        context.RequireRank(1, data.Rank);
        context.Merge(context.Shape(1), context.Shape(2), "indices and updates");
    }

    private protected override IEnumerable<(long From, long To, long Count)> Runs(EvaluationContext context)
    {
        var data = context.Input(0).Shape;
        var indices = context.Input(1);
        if (indices.Shape != context.Input(2).Shape) throw context.Error($"indices of shape {indices.Shape} and updates of shape {context.Input(2).Shape} must have the same shape");
        return Elementwise.Positions(context, data, indices.Shape, indices.ToInt64(), context.Axis(Axis, data.Rank)).Select(p => (p.Index, p.Data, 1L));
    }
}

/// <summary>ONNX ScatterND: each vector along the last axis of input 1 points at the element or slice that takes one of input 2.</summary>
/// <param name="Reduction">What is done with an element that is already there.</param>
public sealed record ScatterND(ScatterReduction Reduction = ScatterReduction.None) : Scatter(Reduction)
{
    /// <inheritdoc/>
    protected override void Check(InferenceContext context)
    {
        if (context.Shape(0) is not { } data || context.Shape(1) is not { } indices) return;
        if (data.Rank == 0 || indices.Rank == 0) throw context.Error("data and indices must have at least one axis");
        if (indices[-1].Constant is not { } depth) return;
        if (depth > data.Rank) throw context.Error($"the last axis of indices {indices} is longer than the rank of data {data}");
        context.Merge(new SymbolicShape([.. indices.SkipLast(1), .. data.Skip((int)depth)]), context.Shape(2), "updates");
    }

    private protected override IEnumerable<(long From, long To, long Count)> Runs(EvaluationContext context)
    {
        var data = context.Input(0).Shape;
        var indices = context.Input(1);
        var values = indices.ToInt64();
        var depth = (int)indices.Shape[-1];
        var wanted = new Shape([.. indices.Shape.SkipLast(1), .. data.Skip(depth)]);
        if (context.Input(2).Shape != wanted) throw context.Error($"updates have shape {context.Input(2).Shape}; expected {wanted}");
        var strides = data.Strides();
        var run = data.Product(depth, data.Rank);
        var count = indices.Shape.Product(0, indices.Shape.Rank - 1);
        for (long i = 0; i < count; i++)
        {
            long to = 0;
            for (var k = 0; k < depth; k++)
            {
                var index = values[i * depth + k];
                if (index < -data[k] || index >= data[k]) throw context.Error($"index {index} is out of range for axis {k} of shape {data}");
                to += (index < 0 ? index + data[k] : index) * strides[k];
            }
            yield return (i * run, to, run);
        }
    }
}
