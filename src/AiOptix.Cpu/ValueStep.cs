using AiOptix.Graphs;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu;

/// <summary>Computes the outputs of a managed step.</summary>
internal delegate IReadOnlyList<RuntimeValue> ValueBody(RuntimeValue?[] inputs, ManagedContext context);

/// <summary>A step over a kernel whose result has a shape that only its values tell.</summary>
internal sealed class ValueStep(string name, IReadOnlyList<int> inputs, IReadOnlyList<int> outputs, string kernel, ValueBody body) : ManagedStep(name, inputs, outputs)
{
    public override string? Kernel => kernel;

    public override IReadOnlyList<RuntimeValue> Run(RuntimeValue?[] inputs, ManagedContext context) => body(inputs, context);
}
