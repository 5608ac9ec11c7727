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
/// Machine code in memory that may be run. Whoever runs it holds this object, which frees the memory when nobody does any more: eviction from a cache never takes
/// code from under a run.
/// </summary>
internal sealed class GeneratedKernel
{
    private static long liveBytes;

    private readonly CodeMemory memory;
    private readonly int length;

    public GeneratedKernel(IKernelCode code)
    {
        Name = code.Name;
        var bytes = code.Generator().Generate(OperatingSystem.IsWindows());
        length = bytes.Length;
        memory = new(bytes);
        GC.AddMemoryPressure(memory.Length);
        Interlocked.Add(ref liveBytes, memory.Length);
    }

    /// <summary>Frees what nobody holds.</summary>
    ~GeneratedKernel()
    {
        if (memory is null) return;
        memory.Dispose();
        GC.RemoveMemoryPressure(memory.Length);
        Interlocked.Add(ref liveBytes, -memory.Length);
    }

    /// <summary>Bytes of memory that generated kernels hold, in all.</summary>
    public static long LiveBytes => Interlocked.Read(ref liveBytes);

    /// <summary>The name of its code.</summary>
    public string Name { get; }

    /// <summary>Bytes of memory.</summary>
    public long Bytes => memory.Length;

    /// <summary>The function; call it as <c>delegate* unmanaged[SuppressGCTransition]</c> with a pointer to its arguments, and keep this object alive meanwhile.</summary>
    public nint Address => memory.Address;

    /// <summary>The machine code.</summary>
    public unsafe byte[] Code() => new Span<byte>((void*)memory.Address, length).ToArray();
}
