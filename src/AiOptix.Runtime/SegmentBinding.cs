using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>A segment with concrete shapes: bound steps, the shape of every slot, and where each intermediate lies in the arena. Shared by concurrent runs.</summary>
public sealed class SegmentBinding
{
    // A few microseconds of one core, about as long as another thread takes to begin.
    private const double ShortFlops = 200_000;
    private const long ShortBytes = 128 << 10;

    private readonly Shape?[] shapes;
    private readonly BindContext context;

    internal SegmentBinding(Program program, Segment segment, IReadOnlyDictionary<string, long> symbols)
    {
        Segment = segment;
        Key = new long[segment.Symbols.Count];
        for (var i = 0; i < Key.Length; i++)
        {
            if (!symbols.TryGetValue(segment.Symbols[i], out Key[i]))
                throw new InvalidInputException($"model '{program.Name}': the extents of its inputs leave the extent '{segment.Symbols[i]}' of a later value open, which an empty axis does");
        }
        shapes = new Shape?[program.Slots.Count];
        var known = segment.Symbols.ToHashSet(StringComparer.Ordinal);
        Check(program, known, symbols);
        foreach (var slot in program.Slots)
        {
            if (!Segment.IsKnown(slot, known)) continue;
            var shape = Guarded(() => slot.Shape!.Evaluate(symbols), () => $"model '{program.Name}', value '{slot.Name}' of shape {slot.Shape}");
            program.Limits.CheckTensor(slot.DType, shape, $"model '{program.Name}', value '{slot.Name}'");
            shapes[slot.Index] = shape;
        }
        foreach (var slot in program.Slots)
            if (slot.AliasOf >= 0 && shapes[slot.Index] is { } shape && shapes[program.Root(slot.Index)] is { } whole && shape.Count != whole.Count)
                throw new InvalidInputException($"model '{program.Name}', value '{slot.Name}': shape {shape} does not have the elements of {whole}, whose memory it shares");
        context = new BindContext(program.Slots, new Dictionary<string, long>(symbols, StringComparer.Ordinal));
        Steps = new BoundStep?[segment.EndStep - segment.FirstStep];
        for (var i = 0; i < Steps.Length; i++)
        {
            if (program.Steps[segment.FirstStep + i] is not KernelStep step) continue;
            var bound = Guarded(() => step.Bind(context), () => $"node '{step.Name}' ({step.Operation})");
            bound.IsShort = !bound.HasLongTasks && Cost(step) is { Flops: <= ShortFlops, Bytes: > 0 and <= ShortBytes };
            Steps[i] = bound;
            ScratchBytes = Math.Max(ScratchBytes, (bound.ScratchBytes + MemoryPlanner.Alignment - 1) / MemoryPlanner.Alignment * MemoryPlanner.Alignment);
        }
        (Placed, Offsets, ArenaBytes) = Place(program);
        if (ArenaBytes + ScratchBytes > program.Limits.MaxTotalBytes)
            throw new LimitExceededException($"a run of '{program.Name}' would need {ArenaBytes + ScratchBytes} bytes; the limit is {program.Limits.MaxTotalBytes} (Limits.MaxTotalBytes)");
    }

    /// <summary>The segment.</summary>
    public Segment Segment { get; }

    /// <summary>The values of <see cref="Segment.Symbols"/>.</summary>
    internal long[] Key { get; }

    /// <summary>The bound steps; null where a managed step runs.</summary>
    public BoundStep?[] Steps { get; }

    /// <summary>Scratch that each worker needs, bytes, a multiple of 64.</summary>
    public long ScratchBytes { get; }

    /// <summary>Bytes of intermediates.</summary>
    public long ArenaBytes { get; }

    /// <summary>The slots that lie in the arena.</summary>
    internal int[] Placed { get; }

    /// <summary>Where each of <see cref="Placed"/> lies in the arena.</summary>
    internal long[] Offsets { get; }

    /// <summary>The concrete shape of a slot, or null when nobody knows it when the segment begins.</summary>
    public Shape? Shape(int slot) => shapes[slot];

    /// <summary>What a step of the segment has to do.</summary>
    internal StepCost Cost(Step step)
    {
        var flops = step.Flops is { } f && f.Symbols.All(context.Symbols.ContainsKey) ? f.Evaluate(context.Symbols) : 0;
        var bytes = step.ReadBytes;
        int[] slots = [.. step.Inputs, .. step.Outputs];
        for (var i = 0; i < slots.Length; i++)
        {
            if (slots[i] < 0 || Array.IndexOf(slots, slots[i]) < i) continue;
            if (shapes[slots[i]] is not { } shape) return new(flops, 0);
            bytes += context.DType(slots[i]).ByteLength(shape.Count);
        }
        return new(flops, bytes);
    }

    /// <summary>Shapes follow from what the caller and the data gave: what goes wrong with them names the value or the node.</summary>
    private static T Guarded<T>(Func<T> call, Func<string> what)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is not LimitExceededException)
        {
            throw new InvalidInputException($"{what()}: the shapes of this run do not fit: {e.Message}", e);
        }
    }

    private static void Check(Program program, HashSet<string> known, IReadOnlyDictionary<string, long> symbols)
    {
        foreach (var c in program.Constraints)
        {
            if (!c.Left.Symbols.Concat(c.Right.Symbols).All(known.Contains)) continue;
            var (a, b) = Guarded(() => (c.Left.Evaluate(symbols), c.Right.Evaluate(symbols)), () => c.What);
            if (a != b) throw new InvalidInputException($"{c.What}: extents {c.Left} = {a} and {c.Right} = {b} must be equal; check the shapes of the inputs");
        }
    }

    // Runs before the first run of a shape: plain arrays, because collections and queries over structs are compiled when they are first met.
    private (int[] Placed, long[] Offsets, long Bytes) Place(Program program)
    {
        var (first, last) = (new int[program.Slots.Count], new int[program.Slots.Count]);
        Array.Fill(first, -1);
        var placed = new List<int>();
        for (var s = Segment.FirstStep; s < Segment.EndStep; s++)
        {
            foreach (var o in program.Steps[s].Outputs)
            {
                if (o < 0) continue;
                var root = program.Root(o);
                last[root] = s;
                if (first[root] >= 0) continue;
                first[root] = s;
                if (program.Slots[root].Kind == SlotKind.Intermediate && !Segment.Carried.Contains(root) && shapes[root] is not null) placed.Add(root);
            }
            foreach (var i in program.Steps[s].Inputs)
                if (i >= 0) last[program.Root(i)] = s;
        }
        var lives = new BufferLife[placed.Count];
        for (var i = 0; i < lives.Length; i++)
        {
            var root = placed[i];
            lives[i] = new(program.Slots[root].DType.ByteLength(shapes[root]!.Value.Count), first[root], last[root]);
        }
        var (offsets, bytes) = MemoryPlanner.Plan(lives);
        return ([.. placed], offsets, bytes);
    }
}

/// <summary>The bindings of one segment: a bounded number, the least recently used one goes first.</summary>
internal sealed class SegmentBindings(Program program, Segment segment)
{
    private const int Capacity = 16;

    private readonly LinkedList<SegmentBinding> recent = [];

    public SegmentBinding Get(IReadOnlyDictionary<string, long> symbols)
    {
        lock (recent)
        {
            for (var n = recent.First; n is not null; n = n.Next)
            {
                if (!Matches(n.Value, symbols)) continue;
                if (n != recent.First)
                {
                    recent.Remove(n);
                    recent.AddFirst(n);
                }
                return n.Value;
            }
        }
        var binding = new SegmentBinding(program, segment, symbols);
        lock (recent)
        {
            recent.AddFirst(binding);
            if (recent.Count > Capacity) recent.RemoveLast();
        }
        return binding;
    }

    private bool Matches(SegmentBinding binding, IReadOnlyDictionary<string, long> symbols)
    {
        for (var i = 0; i < segment.Symbols.Count; i++)
            if (symbols[segment.Symbols[i]] != binding.Key[i]) return false;
        return true;
    }
}
