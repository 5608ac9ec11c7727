namespace AiOptix.Kernels.Jit;

/// <summary>The generated kernels of the process, shared by all plans: bounded, the longest unused one goes first.</summary>
internal sealed class CodeCache(long mostBytes)
{
    private readonly Dictionary<IKernelCode, LinkedListNode<(IKernelCode Code, GeneratedKernel Kernel)>> entries = [];
    private readonly LinkedList<(IKernelCode Code, GeneratedKernel Kernel)> byUse = [];
    private readonly Lock access = new();
    private long bytes;

    /// <summary>The cache of the process.</summary>
    public static CodeCache Shared { get; } = new(32 << 20);

    /// <summary>Bytes of memory that it holds.</summary>
    public long Bytes
    {
        get
        {
            lock (access) return bytes;
        }
    }

    /// <summary>The kernel of that code, made if it is not there.</summary>
    /// <exception cref="Tensors.LimitExceededException">The system grants no memory for it.</exception>
    public GeneratedKernel Get(IKernelCode code)
    {
        lock (access)
        {
            if (entries.TryGetValue(code, out var node))
            {
                byUse.Remove(node);
                byUse.AddFirst(node);
                return node.Value.Kernel;
            }
            var kernel = GeneratedKernel.Make(code);
            entries.Add(code, byUse.AddFirst((code, kernel)));
            bytes += kernel.Bytes;
            while (bytes > mostBytes && byUse.Last is { } oldest && oldest.Value.Kernel != kernel)
            {
                byUse.RemoveLast();
                entries.Remove(oldest.Value.Code);
                bytes -= oldest.Value.Kernel.Bytes;
            }
            return kernel;
        }
    }

    /// <summary>The kernels that it holds, by name.</summary>
    public IReadOnlyList<GeneratedKernel> Kernels()
    {
        lock (access) return [.. byUse.Select(e => e.Kernel).OrderBy(k => k.Name, StringComparer.Ordinal)];
    }
}
