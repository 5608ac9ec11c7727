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
    // Fewer bytes are moved sooner than another thread would begin to.
    private const long FewBytes = 32 << 10;

    public override BoundStep Bind(BindContext context)
    {
        var all = moves(context).Where(m => m.Descriptor.Dims.All(d => d > 0)).ToArray();
        var plans = all.Select(m => new CopyPlan(m.Descriptor, target)).ToArray();
        var ends = new int[plans.Length];
        var tasks = 0;
        for (var i = 0; i < plans.Length; i++) ends[i] = tasks += plans[i].Tasks;
        var isSmall = all.Sum(m => new Shape(m.Descriptor.Dims).Count * m.Descriptor.ElementSize) <= FewBytes;
        return new Bound(all, plans, ends, isSmall ? tasks : 1) { Kernel = plans.Length == 0 ? "none" : plans[0].Kernel.Name, Tasks = isSmall ? Math.Min(tasks, 1) : tasks };
    }

    /// <param name="moves">The moves.</param>
    /// <param name="plans">Their plans.</param>
    /// <param name="ends">The end of the tasks of each.</param>
    /// <param name="together">How many tasks of the plans make one of the step.</param>
    private sealed unsafe class Bound(Move[] moves, CopyPlan[] plans, int[] ends, int together) : BoundStep
    {
        public override void Run(nint* slots, int firstTask, int endTask, byte* scratch)
        {
            firstTask *= together;
            endTask *= together;
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
