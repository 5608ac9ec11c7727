namespace AiOptix.Kernels.Jit;

/// <summary>What names a generated kernel and knows how to make it; equal ones share their code.</summary>
internal interface IKernelCode
{
    /// <summary>The specification in short: operation, type, tile, instruction set and what else the code holds.</summary>
    string Name { get; }

    /// <summary>The generator, for one use.</summary>
    KernelGenerator Generator();
}

/// <summary>
/// Machine code in memory that may be run. Whoever runs it holds this object, whose memory is freed when nobody does any more: eviction from a cache never takes
/// code from under a run.
/// </summary>
internal sealed class GeneratedKernel
{
    private readonly CodeMemory memory;
    private readonly int length;

    private GeneratedKernel(string name, CodeMemory memory, int length)
    {
        Name = name;
        this.memory = memory;
        this.length = length;
    }

    /// <summary>The name of its code.</summary>
    public string Name { get; }

    /// <summary>Bytes of memory.</summary>
    public long Bytes => memory.Length;

    /// <summary>The function; call it as <c>delegate* unmanaged[SuppressGCTransition]</c> with a pointer to its arguments, and keep this object alive meanwhile.</summary>
    public nint Address => memory.Address;

    /// <summary>Makes the kernel.</summary>
    /// <exception cref="Tensors.LimitExceededException">The system grants no memory for it.</exception>
    public static GeneratedKernel Make(IKernelCode code)
    {
        var bytes = code.Generator().Generate(OperatingSystem.IsWindows());
        return new(code.Name, new CodeMemory(bytes), bytes.Length);
    }

    /// <summary>The machine code.</summary>
    public unsafe byte[] Code() => new Span<byte>((void*)memory.Address, length).ToArray();
}
