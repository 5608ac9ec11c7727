using AiOptix.Tensors;

namespace AiOptix.Kernels.Loops;

/// <summary>
/// Zeroed memory for the rehearsal of a kernel. A rehearsal runs the code that a plan may run over a few elements that lead through every branch which calls
/// further code: whatever it compiled, no later run has to compile.
/// </summary>
internal sealed unsafe class RehearsalMemory : IDisposable
{
    private readonly List<MemoryBlock> blocks = [];

    /// <summary>Elements of a row that has whole vectors of any width, and a rest.</summary>
    public const int Row = 83;

    /// <summary>Zeroed bytes. Large ones are the system's, which gives memory to what is written only: weights are read.</summary>
    public byte* Bytes(long count)
    {
        var block = MemoryBlock.Allocate(count + MemoryBlock.Alignment, zeroed: true);
        blocks.Add(block);
        return block.Pointer;
    }

    /// <summary>Zeros.</summary>
    public float* Floats(long count) => (float*)Bytes(count * sizeof(float));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var block in blocks) block.LetGo();
        blocks.Clear();
    }
}
