using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>Which way a recurrent layer goes through time.</summary>
public enum RecurrentDirection
{
    /// <summary>From the first step to the last.</summary>
    Forward,
    /// <summary>From the last step to the first.</summary>
    Reverse,
    /// <summary>Both, each with its own weights.</summary>
    Bidirectional,
}

/// <summary>
/// What ONNX RNN, GRU and LSTM share. Inputs: X [time, batch, input], W [directions, gates·hidden, input], R [directions, gates·hidden, hidden], B [directions,
/// 2·gates·hidden] (may be left out), sequence lengths [batch] (int32, may be left out), initial state [directions, batch, hidden] (may be left out). Outputs: every state
/// [time, directions, batch, hidden] and the last one [directions, batch, hidden]. A sequence that is shorter than the time axis keeps its last state, its further outputs are 0,
/// and the reverse direction begins at its end.
/// </summary>
/// <param name="Direction">The direction.</param>
/// <param name="Activations">The functions of every direction in turn; empty for the default ones.</param>
/// <param name="Clip">The magnitude that arguments of the functions are limited to, or null.</param>
/// <param name="BatchFirst">Whether batch stands first: X [batch, time, input], states [batch, directions, hidden], Y [batch, time, directions, hidden].</param>
public abstract record Recurrent(RecurrentDirection Direction, ValueList<RecurrentActivation> Activations, float? Clip, bool BatchFirst) : Operator
{
    /// <summary>How many blocks of rows W and R have.</summary>
    public abstract int Gates { get; }

    /// <summary>The functions of one direction when <see cref="Activations"/> is empty.</summary>
    public abstract IReadOnlyList<RecurrentActivation> DefaultActivations { get; }

    /// <summary>How many directions there are.</summary>
    public int Directions => Direction == RecurrentDirection.Bidirectional ? 2 : 1;

    /// <summary>Whether a direction goes backwards.</summary>
    public bool IsReverse(int direction) => Direction == RecurrentDirection.Reverse || direction == 1;

    /// <summary>The functions of a direction.</summary>
    public IReadOnlyList<RecurrentActivation> ActivationsOf(int direction)
    {
        var n = DefaultActivations.Count;
        return Activations.Count == 0 ? DefaultActivations : [.. Activations.Skip(direction * n).Take(n)];
    }

    /// <summary>How many state outputs there are besides Y: the hidden state, and for LSTM the cell.</summary>
    internal virtual int States => 1;

    /// <summary>Advances one sequence by one step.</summary>
    internal abstract void Advance(RecurrentCell cell);

    /// <summary>Shapes of further inputs.</summary>
    internal virtual void InferFurther(InferenceContext context, Dim batch, Dim hidden) { }

    /// <inheritdoc/>
    public sealed override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        if (Activations.Count != 0 && Activations.Count != Directions * DefaultActivations.Count)
            throw context.Error($"{Activations.Count} activations are given; expected {Directions * DefaultActivations.Count}");
        foreach (var i in (ReadOnlySpan<int>)[1, 2, 3, 5, 6, 7])
            if (context.Has(i)) context.RequireSame(0, i);
        if (context.Has(4)) context.Require(4, t => t == DType.Int32, "int32");
        context.RequireRank(0, 3);
        var (w, r) = (Matrices(context, 1), Matrices(context, 2));
        var x = context.Shape(0);
        var (length, batch) = x is null ? (context.Fresh(), context.Fresh()) : BatchFirst ? (x[1], x[0]) : (x[0], x[1]);
        var hidden = r?[2] ?? (w?[1].Constant is { } rows ? rows / Gates : context.Fresh());
        Dim directions = Directions;
        if (x is not null && w is not null) context.Same(x[2], w[2], "input width of X and W");
        if (w is not null) Hold(context, w, [directions, hidden * Gates, w[2]], "W");
        if (r is not null) Hold(context, r, [directions, hidden * Gates, hidden], "R");
        if (context.Has(3) && context.Shape(3) is { } b) Hold(context, b, [directions, hidden * (2 * Gates)], "B");
        if (context.Has(4) && context.Shape(4) is { } lengths) Hold(context, lengths, [batch], "sequence_lens");
        if (context.Has(5) && context.Shape(5) is { } initial) Hold(context, initial, StateShape(batch, hidden), "initial_h");
        InferFurther(context, batch, hidden);
        context.Set(0, type, BatchFirst ? new(batch, length, directions, hidden) : new(length, directions, batch, hidden));
        for (var i = 1; i <= States; i++) context.Set(i, type, new SymbolicShape(StateShape(batch, hidden)));
    }

    /// <inheritdoc/>
    public sealed override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        if (x.Shape.Rank != 3 || context.Input(2).Shape.Rank != 3) throw context.Error($"X {x} and R {context.Input(2)} must have rank 3");
        var (length, batch) = BatchFirst ? (x.Shape[1], x.Shape[0]) : (x.Shape[0], x.Shape[1]);
        var (width, hidden) = (x.Shape[2], context.Input(2).Shape[2]);
        var state = BatchFirst ? new Shape(batch, Directions, hidden) : new Shape(Directions, batch, hidden);
        Hold(context, 1, new(Directions, Gates * hidden, width));
        Hold(context, 2, new(Directions, Gates * hidden, hidden));
        Hold(context, 3, new(Directions, 2 * Gates * hidden));
        Hold(context, 4, new(batch));
        Hold(context, 5, state);
        Hold(context, 6, state);
        Hold(context, 7, new(Directions, 3 * hidden));
        var lengths = context.Integers(4) ?? Enumerable.Repeat(length, (int)batch).ToArray();
        if (lengths.Any(n => n < 0 || n > length)) throw context.Error($"sequence_lens [{string.Join(",", lengths)}] must be within 0 and {length}");
        var states = new[] { context.OptionalInput(5)?.ToReals() ?? new double[state.Count], context.OptionalInput(6)?.ToReals() ?? new double[state.Count] };
        var values = x.ToReals();
        var y = new double[length * batch * Directions * hidden];
        for (var d = 0; d < Directions; d++)
        {
            var cell = new RecurrentCell(context, d, Gates, (int)width, (int)hidden, ActivationsOf(d), Clip);
            for (long b = 0; b < batch; b++)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                var at = (int)((BatchFirst ? b * Directions + d : d * batch + b) * hidden);
                for (var s = 0; s < 2; s++) states[s].AsSpan(at, (int)hidden).CopyTo(s == 0 ? cell.Hidden : cell.Cell);
                for (long step = 0; step < lengths[b]; step++)
                {
                    var t = IsReverse(d) ? lengths[b] - 1 - step : step;
                    cell.Project(values.AsSpan((int)((BatchFirst ? b * length + t : t * batch + b) * width), (int)width));
                    Advance(cell);
                    var to = BatchFirst ? (b * length + t) * Directions + d : (t * Directions + d) * batch + b;
                    cell.Hidden.CopyTo(y, to * hidden);
                }
                for (var s = 0; s < 2; s++) (s == 0 ? cell.Hidden : cell.Cell).CopyTo(states[s], at);
            }
        }
        context.Allocate(0, x.DType, BatchFirst ? new(batch, length, Directions, hidden) : new(length, Directions, batch, hidden)).Store(y);
        for (var i = 1; i <= States; i++) context.Allocate(i, x.DType, state).Store(states[i - 1]);
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) =>
        node.Inputs[0]!.Shape is { } x && node.Inputs[2]!.Shape is { } r ? x[0] * x[1] * (x[2] + r[2]) * r[2] * (2 * Gates * Directions) : null;

    /// <summary>The shape of a state.</summary>
    internal Dim[] StateShape(Dim batch, Dim hidden) => BatchFirst ? [batch, Directions, hidden] : [Directions, batch, hidden];

    /// <summary>Requires extents.</summary>
    internal static void Hold(InferenceContext context, SymbolicShape shape, ReadOnlySpan<Dim> expected, string what)
    {
        if (shape.Rank != expected.Length) throw context.Error($"{what} has shape {shape}; expected rank {expected.Length}");
        for (var i = 0; i < expected.Length; i++) context.Same(shape[i], expected[i], $"axis {i} of {what} with shape {shape}");
    }

    private static SymbolicShape? Matrices(InferenceContext context, int input)
    {
        context.RequireRank(input, 3);
        return context.Shape(input);
    }

    private static void Hold(EvaluationContext context, int input, Shape expected)
    {
        if (context.OptionalInput(input) is { } t && t.Shape != expected) throw context.Error($"input {input} has shape {t.Shape}; expected {expected}");
    }
}
