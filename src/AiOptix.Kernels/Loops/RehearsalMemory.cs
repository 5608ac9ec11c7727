using System.Runtime.InteropServices;

namespace AiOptix.Kernels.Loops;

/// <summary>
/// Zeroed memory for the rehearsal of a kernel. A rehearsal runs the code that a plan may run over a few elements that lead through every branch which calls
/// further code: whatever it compiled, no later run has to compile.
/// </summary>
internal sealed unsafe class RehearsalMemory : IDisposable
{
    private const int Alignment = 64;

    private readonly List<nint> blocks = [];

    /// <summary>Elements of a row that has whole vectors of any width, and a rest.</summary>
    public const int Row = 83;

    /// <summary>Zeroed bytes.</summary>
    public byte* Bytes(long count)
    {
        var block = NativeMemory.AlignedAlloc((nuint)count + Alignment, Alignment);
        NativeMemory.Clear(block, (nuint)count + Alignment);
        blocks.Add((nint)block);
        return (byte*)block;
    }

    /// <summary>Zeros.</summary>
    public float* Floats(long count) => (float*)Bytes(count * sizeof(float));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var block in blocks) NativeMemory.AlignedFree((void*)block);
        blocks.Clear();
    }
}
