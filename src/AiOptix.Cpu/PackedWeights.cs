using System.Runtime.CompilerServices;
using AiOptix.Tensors;

namespace AiOptix.Cpu;

/// <summary>Writes constants in packed form: every byte of it, whatever was there before. Reads nothing but those constants.</summary>
internal unsafe delegate void Packer(byte* to);

/// <summary>The packed forms of constants. Programs of one process that ask for the same form of the same tensors share its memory as long as one of them uses it.</summary>
internal sealed unsafe class PackedWeights
{
    private static readonly ConditionalWeakTable<Tensor, List<Form>> shared = [];

    /// <summary>Memory that holds <paramref name="sources"/> in a packed form, 64-byte aligned.</summary>
    /// <inheritdoc cref="Lower.Lowering.Pack"/>
    public MemoryBlock Get(string form, long bytes, Packer pack, ReadOnlySpan<Tensor> sources)
    {
        var forms = shared.GetOrCreateValue(sources[0]);
        lock (forms)
        {
            forms.RemoveAll(f => !f.Block.TryGetTarget(out _));
            foreach (var f in forms)
                if (f.Name == form && f.Block.TryGetTarget(out var known) && known.Length == bytes && f.Others.AsSpan().SequenceEqual(sources[1..])) return known;
            var block = MemoryBlock.Allocate(bytes);
            pack(block.Pointer);
            GC.KeepAlive(sources[0]);
            forms.Add(new(form, sources[1..].ToArray(), new(block)));
            return block;
        }
    }

    private sealed record Form(string Name, Tensor[] Others, WeakReference<MemoryBlock> Block);
}
