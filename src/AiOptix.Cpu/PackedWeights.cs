using System.Runtime.CompilerServices;
using AiOptix.Cpu.Lower;
using AiOptix.Graphs;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu;

/// <summary>Writes constants in packed form: every byte of it, whatever was there before. Reads nothing but those constants.</summary>
internal unsafe delegate void Packer(byte* to);

/// <summary>
/// The packed weights of one program. Programs of a process that ask for the same form of the same tensors share its memory as long as one of them lives; those of a saved
/// program lie in its file.
/// </summary>
internal sealed class PackedWeights(WeightSource? source)
{
    private static readonly ConditionalWeakTable<Tensor, List<WeakReference<PackedBlock>>> shared = [];
    private readonly List<PackedBlock> asked = [];
    private readonly HashSet<Tensor> expendable = [.. source?.Expendable ?? new HashSet<Tensor>()];

    private readonly List<Preparation> checks = Told(source?.Checks ?? [], source?.Ahead);

    /// <summary>Told of preparations as soon as they are known.</summary>
    public Action<Preparation>? Ahead => source?.Ahead;

    /// <summary>Every block in the order in which it was asked for.</summary>
    public IReadOnlyList<PackedBlock> Asked => asked;

    /// <summary>The graph with its compile-time constants evaluated; what that makes belongs to nobody else.</summary>
    public Graph Constants(Graph graph, Limits limits)
    {
        var evaluated = CompileTimeConstants.Evaluate(graph, limits);
        if (evaluated != graph) expendable.UnionWith(evaluated.Constants.Select(c => c.Constant!).Except(graph.Constants.Select(c => c.Constant!)));
        return evaluated;
    }

    /// <inheritdoc cref="Lowering.Pack"/>
    public unsafe MemoryBlock Get(string form, long bytes, Packer pack, ReadOnlySpan<Tensor> sources)
    {
        var block = source?.Saved is { } saved ? Next(saved, form, bytes) : Share(form, bytes, pack, sources);
        asked.Add(block);
        // The elements of expendable constants go while blocks are packed, so that memory does not hold both forms: when all blocks are known.
        if (!block.IsReady && !sources.ToArray().Any(expendable.Contains)) Ahead?.Invoke(new($"packed weights {form}", block.MakeReady));
        return block.Memory;
    }

    /// <summary>Notes which constants a program's steps read as they are.</summary>
    /// <exception cref="AbsentElementsException">The elements of one of them are not there.</exception>
    public unsafe void Read(Program program)
    {
        foreach (var step in program.Steps)
            foreach (var slot in step.Inputs)
                if (slot >= 0) Read(program.Slots[program.Root(slot)].Constant);
    }

    private unsafe void Read(Tensor? constant)
    {
        if (constant is null) return;
        if (constant.IsAbsent) _ = constant.Pointer;
        expendable.Remove(constant);
    }

    /// <summary>What makes the blocks ready. An expendable constant loses its elements with the last block that is made of it.</summary>
    public IEnumerable<Preparation> Preparations()
    {
        var waiting = new Dictionary<Tensor, int>();
        var blocks = asked.Where(b => !b.IsReady).Distinct().ToArray();
        foreach (var s in blocks.SelectMany(b => b.Sources)) waiting[s] = waiting.GetValueOrDefault(s) + 1;
        return [.. checks, .. blocks.Select(block => new Preparation($"packed weights {block.Form}", () =>
        {
            block.MakeReady();
            lock (waiting)
                foreach (var s in block.Sources)
                    if (--waiting[s] == 0 && expendable.Contains(s)) s.DropElements();
        }))];
    }

    private static List<Preparation> Told(IEnumerable<Preparation> preparations, Action<Preparation>? ahead)
    {
        List<Preparation> all = [.. preparations];
        if (ahead is not null) all.ForEach(ahead);
        return all;
    }

    private PackedBlock Next(IReadOnlyList<PackedBlock> saved, string form, long bytes)
    {
        if (asked.Count < saved.Count && saved[asked.Count] is var block && block.Form == form && block.Memory.Length == bytes) return block;
        throw new ModelFormatException($"the saved program has no packed weights of the form '{form}' in place {asked.Count}");
    }

    private static unsafe PackedBlock Share(string form, long bytes, Packer pack, ReadOnlySpan<Tensor> sources)
    {
        var blocks = shared.GetOrCreateValue(sources[0]);
        lock (blocks)
        {
            blocks.RemoveAll(b => !b.TryGetTarget(out _));
            foreach (var b in blocks)
                if (b.TryGetTarget(out var known) && known.Form == form && known.Memory.Length == bytes && sources.SequenceEqual([.. known.Sources])) return known;
            var memory = MemoryBlock.Allocate(bytes);
            var block = new PackedBlock(form, memory, () => pack(memory.Pointer), sources);
            blocks.Add(new(block));
            return block;
        }
    }
}
