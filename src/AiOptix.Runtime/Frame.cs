using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>The memory of one run in flight: the table of slot addresses, the arena, the workers' scratch, carried values. Frames are pooled by the session.</summary>
internal sealed unsafe class Frame
{
    private readonly Program program;
    private readonly MemoryBlock table;
    private readonly int[] aliases;
    private MemoryBlock? arena;
    private MemoryBlock? scratch;
    private SegmentBinding? placed;

    public Frame(Program program)
    {
        this.program = program;
        table = MemoryBlock.Allocate((long)program.Slots.Count * sizeof(nint), zeroed: true);
        Values = new RuntimeValue?[program.Slots.Count];
        InputShapes = new Shape[program.Inputs.Count];
        // Loops: the first run makes a frame, and queries over numbers are left to the JIT.
        var shared = new List<int>();
        foreach (var slot in program.Slots)
            if (slot.AliasOf >= 0) shared.Add(slot.Index);
        aliases = shared.ToArray();
        foreach (var slot in program.Slots)
            if (slot.Constant is { } c)
            {
                if (slot.IsRaw && !c.IsAbsent) Slots[slot.Index] = (nint)c.Pointer;
                Values[slot.Index] = c;
            }
    }

    /// <summary>The address of each slot's memory.</summary>
    public nint* Slots => (nint*)table.Pointer;

    /// <summary>Values that are not planned: carried tensors, strings, sequences; also inputs and constants.</summary>
    public RuntimeValue?[] Values { get; }

    /// <summary>The input shapes of the last run, and the symbols and binding that follow from them.</summary>
    public Shape[] InputShapes { get; }

    public Dictionary<string, long> Symbols { get; } = new(StringComparer.Ordinal);

    /// <summary>How many symbols the shapes of the inputs gave values.</summary>
    public int InputSymbols { get; set; }

    public SegmentBinding? FirstBinding { get; set; }

    /// <summary>Bytes that managed steps of the run made.</summary>
    public long Held { get; set; }

    public byte* Scratch => scratch is null ? null : scratch.Pointer;

    public long ScratchStride { get; private set; }

    /// <summary>Makes room for a binding and points its slots at their places.</summary>
    public void Place(SegmentBinding binding, int workers)
    {
        if (placed != binding)
        {
            Reserve(ref arena, binding.ArenaBytes);
            Reserve(ref scratch, binding.ScratchBytes * workers);
            ScratchStride = binding.ScratchBytes;
            for (var i = 0; i < binding.Placed.Length; i++) Slots[binding.Placed[i]] = (nint)(arena!.Pointer + binding.Offsets[i]);
            placed = binding;
        }
    }

    /// <summary>Points every alias at the memory that it shares.</summary>
    public void PointAliases()
    {
        foreach (var a in aliases) Slots[a] = Slots[program.Root(a)];
    }

    /// <summary>What a slot holds, as a value of its own shape.</summary>
    public RuntimeValue Read(int slot, SegmentBinding binding)
    {
        var root = program.Root(slot);
        if (Values[root] is { } v) return v is Tensor t && root != slot && binding.Shape(slot) is { } s ? t.Reshape(s) : v;
        return Tensor.Borrow((void*)Slots[slot], program.SlotTable[slot].DType, binding.Shape(slot)!.Value);
    }

    /// <summary>True when a tensor lies in the memory of intermediates.</summary>
    public bool Holds(Tensor tensor) => arena is not null && tensor.Pointer >= arena.Pointer && tensor.Pointer < arena.Pointer + arena.Length;

    /// <summary>Lets go of what belongs to one run.</summary>
    public void Clear()
    {
        foreach (var slot in program.Held)
        {
            if (Values[slot] is not { } value) continue;
            if (program.SlotTable[slot].Kind == SlotKind.Intermediate) value.Dispose();
            Values[slot] = null;
        }
        foreach (var output in program.OutputTable) Slots[output] = 0;
        Held = 0;
    }

    public void Free()
    {
        table.LetGo();
        arena?.LetGo();
        scratch?.LetGo();
    }

    private static void Reserve(ref MemoryBlock? block, long bytes)
    {
        if (block is not null && block.Length >= bytes) return;
        block?.LetGo();
        block = MemoryBlock.Allocate(bytes);
    }
}
