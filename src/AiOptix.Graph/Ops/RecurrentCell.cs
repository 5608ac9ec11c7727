namespace AiOptix.Graphs.Ops;

/// <summary>One direction of a recurrent layer in float64: its weights, and the state of one sequence.</summary>
internal sealed class RecurrentCell
{
    private readonly double[] w;
    private readonly double[] r;
    private readonly double[] bias;
    private readonly double[]? peepholes;
    private readonly double[] projected;
    private readonly double clip;
    private readonly int gates;

    public RecurrentCell(EvaluationContext context, int direction, int gates, int width, int hidden, IReadOnlyList<RecurrentActivation> functions, float? clip)
    {
        this.gates = gates;
        Functions = functions;
        this.clip = clip is > 0 ? clip.Value : double.PositiveInfinity;
        Size = hidden;
        w = Part(1, gates * hidden * width)!;
        r = Part(2, gates * hidden * hidden)!;
        bias = Part(3, 2 * gates * hidden) ?? new double[2 * gates * hidden];
        peepholes = Part(7, 3 * hidden);
        projected = new double[gates * hidden];
        Hidden = new double[hidden];
        Cell = new double[hidden];

        double[]? Part(int input, int count) => context.OptionalInput(input) is { } t ? t.ToReals().AsSpan(direction * count, count).ToArray() : null;
    }

    /// <summary>The functions of the direction.</summary>
    public IReadOnlyList<RecurrentActivation> Functions { get; }

    /// <summary>Elements of a state.</summary>
    public int Size { get; }

    /// <summary>The hidden state.</summary>
    public double[] Hidden { get; }

    /// <summary>The state of the cell.</summary>
    public double[] Cell { get; }

    /// <summary>Takes the input of a step: x·Wᵀ and its bias.</summary>
    public void Project(ReadOnlySpan<double> x)
    {
        for (var i = 0; i < projected.Length; i++)
        {
            var sum = bias[i];
            for (var k = 0; k < x.Length; k++) sum += w[i * x.Length + k] * x[k];
            projected[i] = sum;
        }
    }

    /// <summary>What the input gives to an element of a gate.</summary>
    public double Input(int gate, int element) => projected[gate * Size + element];

    /// <summary>What a state gives to an element of a gate, with its bias.</summary>
    public double Recurrence(int gate, int element, double[] state)
    {
        var row = gate * Size + element;
        var sum = bias[gates * Size + row];
        for (var k = 0; k < Size; k++) sum += r[row * Size + k] * state[k];
        return sum;
    }

    /// <summary>Input and recurrence together.</summary>
    public double Sum(int gate, int element) => Input(gate, element) + Recurrence(gate, element, Hidden);

    /// <summary>What an element of the cell gives to a gate of an LSTM (order: input, output, forget).</summary>
    public double Peephole(int gate, int element, double cell) => peepholes is null ? 0 : peepholes[gate * Size + element] * cell;

    /// <summary>Applies a function of the layer to its clipped argument.</summary>
    public double Apply(int function, double x) => Functions[function].Apply(Math.Clamp(x, -clip, clip));
}
