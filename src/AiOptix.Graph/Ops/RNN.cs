namespace AiOptix.Graphs.Ops;

/// <summary>ONNX RNN: h' = f(x·Wᵀ + h·Rᵀ + biases). Inputs and outputs as <see cref="Recurrent"/> says.</summary>
/// <param name="Direction">The direction.</param>
/// <param name="Activations">f of every direction; empty for tanh.</param>
/// <param name="Clip">The magnitude that arguments of f are limited to, or null.</param>
/// <param name="BatchFirst">Whether batch stands before time.</param>
public sealed record RNN(RecurrentDirection Direction = RecurrentDirection.Forward, ValueList<RecurrentActivation> Activations = default, float? Clip = null, bool BatchFirst = false)
    : Recurrent(Direction, Activations, Clip, BatchFirst)
{
    /// <inheritdoc/>
    public override int Gates => 1;

    /// <inheritdoc/>
    public override IReadOnlyList<RecurrentActivation> DefaultActivations => [RecurrentActivation.Tanh];

    internal override void Advance(RecurrentCell cell)
    {
        var next = new double[cell.Size];
        for (var j = 0; j < next.Length; j++) next[j] = cell.Apply(0, cell.Sum(0, j));
        next.CopyTo(cell.Hidden, 0);
    }
}
