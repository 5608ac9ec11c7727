using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>Writes integers that follow from the shapes of the inputs alone: the arithmetic on shapes that exporters leave in a graph costs nothing at run time.</summary>
public sealed class ElementsStep : KernelStep
{
    private readonly IReadOnlyList<Dim> elements;
    private readonly DType type;

    /// <summary>Creates a step that writes <paramref name="elements"/> as int64 or int32.</summary>
    public ElementsStep(string name, int output, IReadOnlyList<Dim> elements, DType type) : base(name, [], [output])
    {
        this.elements = elements;
        this.type = type;
    }

    /// <inheritdoc/>
    public override BoundStep Bind(BindContext context) =>
        new Bound([.. elements.Select(context.Evaluate)], Outputs[0], type) { Kernel = "elements", Tasks = 1 };

    private sealed unsafe class Bound(long[] values, int output, DType type) : BoundStep
    {
        public override void Run(nint* slots, int firstTask, int endTask, byte* scratch)
        {
            if (type == DType.Int64)
                for (var i = 0; i < values.Length; i++) ((long*)slots[output])[i] = values[i];
            else
                for (var i = 0; i < values.Length; i++) ((int*)slots[output])[i] = (int)values[i];
        }
    }
}
