using AiOptix.Kernels.Copy;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu;

/// <summary>One strided copy between two slots; offsets count elements.</summary>
internal sealed record Move(int Source, int Destination, CopyDescriptor Descriptor, long SourceOffset = 0, long DestinationOffset = 0);

/// <summary>Moves elements without changing them: Transpose, Slice, Concat, Split, Expand. The moves are worked out when shapes are known.</summary>
internal sealed class MoveStep(string name, IReadOnlyList<int> inputs, IReadOnlyList<int> outputs, Target target, Func<BindContext, IEnumerable<Move>> moves)
    : KernelStep(name, inputs, outputs)
{
    public override BoundStep Bind(BindContext context)
    {
        var all = moves(context).Where(m => m.Descriptor.Dims.All(d => d > 0)).ToArray();
        var plans = all.Select(m => new CopyPlan(m.Descriptor, target)).ToArray();
        var ends = new int[plans.Length];
        var tasks = 0;
        for (var i = 0; i < plans.Length; i++) ends[i] = tasks += plans[i].Tasks;
        return new Bound(all, plans, ends) { Kernel = plans.Length == 0 ? "none" : plans[0].Kernel.Name, Tasks = tasks };
    }

    private sealed unsafe class Bound(Move[] moves, CopyPlan[] plans, int[] ends) : BoundStep
    {
        public override void Run(nint* slots, int firstTask, int endTask, byte* scratch)
        {
            for (var i = 0; i < plans.Length; i++)
            {
                var begin = i == 0 ? 0 : ends[i - 1];
                var from = Math.Max(firstTask, begin);
                var to = Math.Min(endTask, ends[i]);
                if (from >= to) continue;
                var m = moves[i];
                var size = m.Descriptor.ElementSize;
                plans[i].Run((byte*)slots[m.Source] + m.SourceOffset * size, (byte*)slots[m.Destination] + m.DestinationOffset * size, from - begin, to - begin);
            }
        }
    }
}
