using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu;

/// <summary>Hands a value that has no raw form (strings, sequences) from one slot to another.</summary>
internal sealed class HandThroughStep(string name, int source, int destination) : ManagedStep(name, [source], [destination])
{
    public override IReadOnlyList<RuntimeValue> Run(RuntimeValue?[] inputs, ManagedContext context) =>
        [inputs[0] is Tensor t ? t.Clone() : inputs[0]!.Share()];
}
