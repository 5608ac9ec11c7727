namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX LSTM; gates in the order i, o, f, c. i and f = f(x·Wᵀ + h·Rᵀ + P∘c + biases), c' = f∘c + i∘g(x·Wᵀ + h·Rᵀ + biases), o = f(… + P∘c'), h' = o∘h(c'). Inputs and outputs as
/// <see cref="Recurrent"/> says; further inputs are the initial cell and the peepholes P [directions, 3·hidden] in the order i, o, f, a further output is the last cell.
/// </summary>
/// <param name="Direction">The direction.</param>
/// <param name="Activations">f, g and h of every direction; empty for sigmoid, tanh and tanh.</param>
/// <param name="Clip">The magnitude that arguments of the functions are limited to, or null.</param>
/// <param name="BatchFirst">Whether batch stands before time.</param>
/// <param name="InputForget">Whether the forget gate is 1 − i.</param>
public sealed record LSTM(RecurrentDirection Direction = RecurrentDirection.Forward, ValueList<RecurrentActivation> Activations = default, float? Clip = null, bool BatchFirst = false,
    bool InputForget = false) : Recurrent(Direction, Activations, Clip, BatchFirst)
{
    /// <inheritdoc/>
    public override int Gates => 4;

    /// <inheritdoc/>
    public override IReadOnlyList<RecurrentActivation> DefaultActivations => [RecurrentActivation.Sigmoid, RecurrentActivation.Tanh, RecurrentActivation.Tanh];

    internal override int States => 2;

    internal override void InferFurther(InferenceContext context, Dim batch, Dim hidden)
    {
        if (context.Has(6) && context.Shape(6) is { } cell) Hold(context, cell, StateShape(batch, hidden), "initial_c");
        if (context.Has(7) && context.Shape(7) is { } p) Hold(context, p, [Directions, hidden * 3], "P");
    }

    internal override void Advance(RecurrentCell cell)
    {
        var next = new double[cell.Size];
        for (var j = 0; j < next.Length; j++)
        {
            var c = cell.Cell[j];
            var i = cell.Apply(0, cell.Sum(0, j) + cell.Peephole(0, j, c));
            var f = InputForget ? 1 - i : cell.Apply(0, cell.Sum(2, j) + cell.Peephole(2, j, c));
            c = cell.Cell[j] = f * c + i * cell.Apply(1, cell.Sum(3, j));
            next[j] = cell.Apply(0, cell.Sum(1, j) + cell.Peephole(1, j, c)) * cell.Apply(2, c);
        }
        next.CopyTo(cell.Hidden, 0);
    }
}
