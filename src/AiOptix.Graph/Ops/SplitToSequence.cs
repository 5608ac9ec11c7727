using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX SplitToSequence: pieces of a tensor along an axis as a sequence. Input 1 is a vector of their extents, or one extent for all, the last one smaller where the axis does not
/// divide; without it every piece has extent 1.
/// </summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="KeepDims">Whether pieces keep the axis; without input 1 only.</param>
public sealed record SplitToSequence(long Axis = 0, bool KeepDims = true) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        SymbolicShape? piece = null;
        if (context.Has(1)) context.RequireIndices(1);
        if (context.Shape(0) is { } s)
        {
            var axis = context.Axis(Axis, s.Rank);
            piece = !context.Has(1) ? KeepDims ? s.With(axis, Dim.One) : new([.. s.Take(axis), .. s.Skip(axis + 1)]) : s.With(axis, Extent(context, s[axis]));
        }
        context.Set(0, new SequenceType(new TensorType(context.DType(0), piece)));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var axis = context.Axis(Axis, input.Shape.Rank);
        var whole = input.Shape[axis];
        var sizes = Sizes(context, whole);
        if (sizes.Any(n => n < 0) || sizes.Sum() != whole) throw context.Error($"split [{string.Join(",", sizes)}] does not fill axis {axis} of shape {input.Shape}");
        var (outer, inner) = (input.Shape.Product(0, axis), input.Shape.Product(axis + 1, input.Shape.Rank));
        var pieces = new Tensor[sizes.Length];
        long at = 0;
        for (var i = 0; i < pieces.Length; i++)
        {
            var shape = input.Shape.With(axis, sizes[i]);
            if (!KeepDims && !context.Has(1)) shape = new([.. shape.Dims[..axis], .. shape.Dims[(axis + 1)..]]);
            pieces[i] = Tensor.Allocate(input.DType, shape, zeroed: input.DType.IsPacked());
            var mover = new ElementMover(input, pieces[i]);
            var run = sizes[i] * inner;
            for (long o = 0; o < outer; o++) mover.Copy(o * whole * inner + at, o * run, run);
            at += run;
        }
        GC.KeepAlive(input);
        context.Set(0, new SequenceValue(pieces));
    }

    private static Dim Extent(InferenceContext context, Dim whole)
    {
        if (context.Integers(1) is not { Length: > 0 } sizes) return context.Fresh();
        if (context.Shape(1) is { Rank: 0 }) return whole.Constant is { } n && sizes[0] > 0 && n % sizes[0] == 0 ? sizes[0] : context.Fresh();
        return sizes.Distinct().Count() == 1 ? sizes[0] : context.Fresh();
    }

    private static long[] Sizes(EvaluationContext context, long whole)
    {
        if (!context.Has(1)) return [.. Enumerable.Repeat(1L, checked((int)whole))];
        var given = context.RequiredIntegers(1);
        if (context.Input(1).Shape.Rank > 0) return given;
        if (given[0] <= 0) throw context.Error($"split {given[0]} must be positive");
        var count = checked((int)((whole + given[0] - 1) / given[0]));
        return [.. Enumerable.Range(0, count).Select(i => Math.Min(given[0], whole - i * given[0]))];
    }
}
