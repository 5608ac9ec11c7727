using System.Runtime.InteropServices;
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

    /// <summary>
    /// Zeroed bytes. Large ones are the system's, which gives memory to what is written only: weights are read. The garbage collector is not told of them, for telling it may make it
    /// collect, and they are gone before it could.
    /// </summary>
    /// <exception cref="LimitExceededException">The machine has not that much.</exception>
    public byte* Bytes(long count)
    {
        try
        {
            var memory = (nint)NativeMemory.AllocZeroed((nuint)(count + 2 * MemoryBlock.Alignment));
            blocks.Add(MemoryBlock.Borrow((void*)memory, count, () => NativeMemory.Free((void*)memory)));
            return (byte*)((memory + MemoryBlock.Alignment - 1) / MemoryBlock.Alignment * MemoryBlock.Alignment);
        }
        catch (OutOfMemoryException e)
        {
            throw new LimitExceededException($"could not allocate {count} bytes to rehearse a kernel", e);
        }
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
