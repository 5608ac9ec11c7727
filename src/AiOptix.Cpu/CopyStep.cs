using System.Runtime.InteropServices;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu;

/// <summary>Copies a slot into another of the same type and as many elements.</summary>
internal sealed class CopyStep(string name, int source, int destination) : KernelStep(name, [source], [destination])
{
    private const long TaskBytes = 256 << 10;

    public override BoundStep Bind(BindContext context)
    {
        var bytes = context.DType(Outputs[0]).ByteLength(context.Shape(Outputs[0]).Count);
        return new Bound(Inputs[0], Outputs[0], bytes) { Kernel = "copy", Tasks = (int)Math.Clamp((bytes + TaskBytes - 1) / TaskBytes, 1, int.MaxValue) };
    }

    private sealed unsafe class Bound(int source, int destination, long bytes) : BoundStep
    {
        public override void Run(nint* slots, int firstTask, int endTask, byte* scratch)
        {
            var from = firstTask * TaskBytes;
            var to = Math.Min(bytes, endTask * TaskBytes);
            if (to > from) NativeMemory.Copy((byte*)slots[source] + from, (byte*)slots[destination] + from, (nuint)(to - from));
        }
    }
}
