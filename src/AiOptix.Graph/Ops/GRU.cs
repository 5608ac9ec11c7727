namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX GRU; gates in the order z, r, h. z and r = f(x·Wᵀ + h·Rᵀ + biases), candidate = g(x·Wᵀ + (r∘h)·Rᵀ + biases), h' = (1 − z)∘candidate + z∘h. Inputs and outputs as
/// <see cref="Recurrent"/> says.
/// </summary>
/// <param name="Direction">The direction.</param>
/// <param name="Activations">f and g of every direction; empty for sigmoid and tanh.</param>
/// <param name="Clip">The magnitude that arguments of the functions are limited to, or null.</param>
/// <param name="BatchFirst">Whether batch stands before time.</param>
/// <param name="LinearBeforeReset">Whether the candidate is g(x·Wᵀ + bias + r∘(h·Rᵀ + bias)).</param>
public sealed record GRU(RecurrentDirection Direction = RecurrentDirection.Forward, ValueList<RecurrentActivation> Activations = default, float? Clip = null, bool BatchFirst = false,
    bool LinearBeforeReset = false) : Recurrent(Direction, Activations, Clip, BatchFirst)
{
    /// <inheritdoc/>
    public override int Gates => 3;

    /// <inheritdoc/>
    public override IReadOnlyList<RecurrentActivation> DefaultActivations => [RecurrentActivation.Sigmoid, RecurrentActivation.Tanh];

    internal override void Advance(RecurrentCell cell)
    {
        var n = cell.Size;
        var (z, r, reset, next) = (new double[n], new double[n], new double[n], new double[n]);
        for (var j = 0; j < n; j++)
        {
            z[j] = cell.Apply(0, cell.Sum(0, j));
            r[j] = cell.Apply(0, cell.Sum(1, j));
            reset[j] = r[j] * cell.Hidden[j];
        }
        for (var j = 0; j < n; j++)
        {
            var recurrence = LinearBeforeReset ? r[j] * cell.Recurrence(2, j, cell.Hidden) : cell.Recurrence(2, j, reset);
            next[j] = (1 - z[j]) * cell.Apply(1, cell.Input(2, j) + recurrence) + z[j] * cell.Hidden[j];
        }
        next.CopyTo(cell.Hidden, 0);
    }
}
