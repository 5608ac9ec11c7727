using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>Where a program's packed weights come from, and what becomes of the constants that they are made of.</summary>
public sealed record WeightSource
{
    /// <summary>Blocks of a saved program, in the order in which lowering asks for them; null has constants packed.</summary>
    public IReadOnlyList<PackedBlock>? Saved { get; init; }

    /// <summary>What else a session does before its first run: it holds the file of a saved program against its checksums.</summary>
    public IEnumerable<Preparation> Checks { get; init; } = [];

    /// <summary>Told of what a session does before its first run as soon as lowering knows it: whoever is told may do it meanwhile.</summary>
    public Action<Preparation>? Ahead { get; init; }

    /// <summary>Constants that nobody but the graph knows: once packed, those that no step reads lose their elements, so that memory does not hold both forms.</summary>
    public IReadOnlySet<Tensor> Expendable { get; init; } = new HashSet<Tensor>();
}

/// <summary>Constants in the form that kernels read. Made ready by the preparation of the session that comes first; shared by programs that ask for the same.</summary>
/// <param name="form">Whatever decides the bytes besides the constants.</param>
/// <param name="block">The memory.</param>
/// <param name="pack">Writes it; null when it is ready.</param>
/// <param name="sources">The constants.</param>
public sealed class PackedBlock(string form, MemoryBlock block, Action? pack = null, params ReadOnlySpan<Tensor> sources)
{
    private readonly Lock gate = new();
    private readonly Tensor[] sources = sources.ToArray();
    private volatile Action? pack = pack;

    /// <summary>Whatever decides the bytes besides the constants.</summary>
    public string Form => form;

    /// <summary>The memory.</summary>
    public MemoryBlock Memory => block;

    /// <summary>The constants.</summary>
    public IReadOnlyList<Tensor> Sources => sources;

    /// <summary>False as long as nobody packed it.</summary>
    public bool IsReady => pack is null;

    /// <summary>Packs the constants unless that is done; their mapped pages leave memory.</summary>
    public void MakeReady()
    {
        if (IsReady) return;
        lock (gate)
        {
            pack?.Invoke();
            pack = null;
            foreach (var s in sources) s.Evict();
        }
    }
}
