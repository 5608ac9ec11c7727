using AiOptix.Tensors;

namespace AiOptix.Kernels.Choice;

/// <summary>
/// A candidate over operands of its own, to be timed on one thread. As in a model, where others run in between, each run finds its weights outside the second-level cache: there are several copies of
/// them, one after the other. Only explicit measuring makes one.
/// </summary>
public sealed unsafe class KernelTrial : IDisposable
{
    private const long MostCopies = 16;

    private readonly List<MemoryBlock> blocks = [];
    private Action<int> run = static _ => { };
    private int turn;

    internal KernelTrial() { }

    /// <summary>Copies of what is packed or read as weights.</summary>
    internal int Copies { get; private init; } = 1;

    /// <summary>A trial with as many copies of its weights as do not fit the second-level cache together.</summary>
    internal static KernelTrial Of(long weightBytes, Target target) => new() { Copies = (int)Math.Clamp(2L * target.L2Bytes / Math.Max(1, weightBytes) + 1, 1, MostCopies) };

    /// <summary>Runs the candidate once.</summary>
    public void Run()
    {
        run(turn);
        turn = turn + 1 == Copies ? 0 : turn + 1;
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var block in blocks) block.LetGo();
        blocks.Clear();
        run = static _ => throw new ObjectDisposedException(nameof(KernelTrial));
    }

    /// <summary>What a run does with a copy of the weights.</summary>
    internal KernelTrial Do(Action<int> body)
    {
        run = body;
        return this;
    }

    /// <summary>Memory for as long as the trial; zeroed.</summary>
    internal byte* Bytes(long count)
    {
        var block = MemoryBlock.Allocate(Math.Max(1, count), zeroed: true);
        blocks.Add(block);
        return block.Pointer;
    }

    /// <summary>Floats from −½ to ½.</summary>
    internal float* Floats(long count)
    {
        var to = (float*)Bytes(count * sizeof(float));
        uint state = 1;
        for (long i = 0; i < count; i++)
        {
            state = state * 1664525 + 1013904223;
            to[i] = (state >> 8) / (float)(1 << 24) - 0.5f;
        }
        return to;
    }
}
