using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX NonZero: the coordinates of all elements that are not zero, in row-major order, as int64 [rank, count].</summary>
public sealed record NonZero : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => Numbers.IsNumber(t) || Numbers.IsComplex(t) || t is DType.Bool or DType.String, "a numeric type, bool or string");
        context.Set(0, DType.Int64, new SymbolicShape(context.Shape(0) is { } s ? s.Rank : context.Fresh(), context.Fresh()));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var rank = input.Shape.Rank;
        var found = new List<long>();
        if (input.DType == DType.String)
        {
            for (long i = 0; i < input.Count; i++)
                if (input.Strings[i].Length > 0) found.Add(i);
        }
        else
        {
            var values = input.ToComponents();
            var parts = Numbers.IsComplex(input.DType) ? 2 : 1;
            for (long i = 0; i < input.Count; i++)
                if (values[i * parts] != 0 || values[i * parts + parts - 1] != 0) found.Add(i);
        }
        var output = context.Allocate(0, DType.Int64, new Shape(rank, found.Count)).Span<long>();
        var strides = input.Shape.Strides();
        for (var i = 0; i < found.Count; i++)
            for (var a = 0; a < rank; a++) output[a * found.Count + i] = found[i] / strides[a] % input.Shape[a];
    }
}
