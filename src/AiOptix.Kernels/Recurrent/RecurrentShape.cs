namespace AiOptix.Kernels.Recurrent;

/// <summary>The formulas of recurrent layers.</summary>
public enum RecurrentCell
{
    /// <summary>h' = f(x + h·R). One gate.</summary>
    Rnn,
    /// <summary>Gates z, r, h; the candidate is g(x + r∘(h·R + bias)).</summary>
    Gru,
    /// <summary>Gates z, r, h; the candidate is g(x + (r∘h)·R).</summary>
    GruResetFirst,
    /// <summary>Gates i, o, f, c.</summary>
    Lstm,
    /// <summary>Gates i, o, f, c; the forget gate is 1 − i.</summary>
    LstmCoupled,
}

/// <summary>A recurrent layer over float32 whose inputs are multiplied with their weights already.</summary>
/// <param name="Cell">The formula.</param>
/// <param name="Directions">1 or 2; the second one goes backwards.</param>
/// <param name="Length">Steps.</param>
/// <param name="Batch">Sequences.</param>
/// <param name="Hidden">Elements of a state.</param>
/// <param name="Reverse">Whether the first direction goes backwards.</param>
/// <param name="BatchFirst">Whether batch stands before time and before the directions.</param>
/// <param name="Packed">Whether the recurrent weights are packed for products of several rows, or plain for those of one.</param>
public readonly record struct RecurrentShape(RecurrentCell Cell, int Directions, int Length, int Batch, int Hidden, bool Reverse = false, bool BatchFirst = false, bool Packed = true)
{
    /// <summary>Gates of the cell.</summary>
    public int Gates => Cell switch { RecurrentCell.Rnn => 1, RecurrentCell.Gru or RecurrentCell.GruResetFirst => 3, _ => 4 };

    /// <summary>Functions of a direction: f; f and g; f, g and h.</summary>
    public int Functions => Cell switch { RecurrentCell.Rnn => 1, RecurrentCell.Gru or RecurrentCell.GruResetFirst => 2, _ => 3 };
}

/// <summary>The operands of one run of a <see cref="RecurrentPlan"/>; dense, any alignment.</summary>
public unsafe struct RecurrentCall
{
    /// <summary>x·Wᵀ with its biases: [direction, time, batch, gates·hidden], batch before time where the shape says so.</summary>
    public float* Projected;
    /// <summary>The recurrent weights as <see cref="RecurrentPlan.Pack"/> wrote them.</summary>
    public float* Weights;
    /// <summary>What is added to h·Rᵀ of a GRU's candidate: [direction, hidden], or null.</summary>
    public float* CandidateBias;
    /// <summary>An LSTM's peepholes: [direction, 3·hidden] in the order i, o, f, or null.</summary>
    public float* Peepholes;
    /// <summary>The length of each sequence, or null. Values out of range are taken as the nearest in range.</summary>
    public int* Lengths;
    /// <summary>The first hidden states [direction, batch, hidden] ([batch, direction, hidden]), or null for zeros.</summary>
    public float* InitialState;
    /// <summary>The first cells in the same layout, or null for zeros.</summary>
    public float* InitialCell;
    /// <summary>Every state: [time, direction, batch, hidden] ([batch, time, direction, hidden]), or null.</summary>
    public float* Y;
    /// <summary>The last states, or null.</summary>
    public float* LastState;
    /// <summary>The last cells, or null.</summary>
    public float* LastCell;
    /// <summary>The magnitude that arguments of functions are limited to; +∞ for none.</summary>
    public float Clip;
}
