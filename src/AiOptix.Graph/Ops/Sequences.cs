using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What operators on sequences and optionals share: element types and positions.</summary>
internal static class Sequences
{
    /// <summary>The type of an input's elements.</summary>
    /// <exception cref="InvalidGraphException">It is no sequence.</exception>
    public static GraphType Element(this InferenceContext context, int input) => context.Type(input) switch
    {
        SequenceType s => s.Element,
        var t => throw context.Error($"input {input} must be a sequence, found {t}"),
    };

    /// <summary>The type of one value out of a container. Extents that are not numbers are its own: another value of the container may have others.</summary>
    public static GraphType Taken(this InferenceContext context, GraphType content) =>
        content is TensorType { Shape: { } s } t ? t with { Shape = new([.. s.Select(d => d.IsConstant ? d : context.Fresh())]) } : content;

    /// <summary>The type that holds for elements of two types.</summary>
    /// <exception cref="InvalidGraphException">They have different kinds or element types.</exception>
    public static GraphType Both(this InferenceContext context, GraphType a, GraphType b) => (a, b) switch
    {
        (TensorType x, TensorType y) when x.DType == y.DType => new TensorType(x.DType, x.Shape is null || y.Shape is null || x.Shape.Rank != y.Shape.Rank ? null
            : new SymbolicShape([.. x.Shape.Zip(y.Shape, (m, n) => m.Equals(n) ? m : context.Fresh())])),
        _ when a.Equals(b) => a,
        _ => throw context.Error($"elements of one sequence must have one type, found {a} and {b}"),
    };

    /// <summary>Requires a position: one integer.</summary>
    public static void RequirePosition(this InferenceContext context, int input)
    {
        context.RequireIndices(input);
        if (context.Shape(input)?.Count.Constant is { } n && n != 1) throw context.Error($"input {input} must have one element, found shape {context.Shape(input)}");
    }

    /// <summary>The items of a sequence; they stay the sequence's.</summary>
    /// <exception cref="InvalidInputException">It is no sequence.</exception>
    public static IReadOnlyList<RuntimeValue> Items(this EvaluationContext context, int input) => context.Value(input) switch
    {
        SequenceValue s => s.Items,
        OptionalValue { Content: SequenceValue s } => s.Items,
        var v => throw context.Error($"input {input} must be a sequence, found {v}"),
    };

    /// <summary>The items of a sequence as tensors.</summary>
    public static Tensor[] Tensors(this EvaluationContext context, int input) =>
        [.. context.Items(input).Select(i => i as Tensor ?? throw context.Error($"input {input} must be a sequence of tensors, found {i}"))];

    /// <summary>A position among <paramref name="count"/> items; a negative one counts from the end.</summary>
    /// <exception cref="InvalidInputException">It is out of range.</exception>
    public static int Position(this EvaluationContext context, int input, int count, int most)
    {
        var p = context.Integer(input);
        return p >= -count && p <= most ? (int)(p < 0 ? p + count : p) : throw context.Error($"position {p} is out of range for a sequence of {count}");
    }
}
