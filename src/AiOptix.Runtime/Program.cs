using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>
/// A compiled model for one machine: slots, steps, packed weights; symbolic dimensions are still open and no thread count is known. Where a shape depends on data, a
/// segment ends: its last step defines further symbols, and the next segment is bound when they have values.
/// </summary>
public sealed class Program
{
    private readonly SegmentBindings[] bindings;
    private readonly int[] roots;

    /// <summary>Creates a program from the steps of a lowered graph, in an order in which they can run. Steps whose results nobody reads are left out.</summary>
    public Program(string name, IReadOnlyList<Slot> slots, IReadOnlyList<int> inputs, IReadOnlyList<int> outputs, IReadOnlyList<Step> steps,
        IReadOnlyCollection<DimConstraint> constraints, Limits limits, DerivedSymbols? derived = null)
    {
        Derived = derived ?? new([]);
        Constraints = constraints;
        Name = name;
        SlotTable = [.. slots];
        InputTable = Queries.Each(inputs.Count, i => inputs[i]);
        OutputTable = Queries.Each(outputs.Count, i => outputs[i]);
        roots = Queries.Each(SlotTable.Length, FollowAliases);
        Limits = limits;
        var symbols = new List<string>();
        foreach (var i in inputs)
            foreach (var symbol in slots[i].Shape?.Symbols ?? [])
                if (!symbols.Contains(symbol)) symbols.Add(symbol);
        InputSymbols = symbols;
        StepTable = RemoveUnread(outputs, steps);
        Segments = Segment.Split(this);
        var held = new List<int>([.. inputs, .. outputs]);
        foreach (var segment in Segments)
            foreach (var carried in segment.Carried) held.Add(carried);
        foreach (var step in StepTable)
            if (step is ManagedStep)
                foreach (var output in step.Outputs) held.Add(Root(output));
        var isHeld = new bool[SlotTable.Length];
        Held = [.. held.FindAll(s => SlotTable[s].Constant is null && !isHeld[s] && (isHeld[s] = true))];
        bindings = [.. Segments.Select(s => new SegmentBindings(this, s))];
    }

    /// <summary>The model's name.</summary>
    public string Name { get; }

    /// <summary>All slots.</summary>
    public IReadOnlyList<Slot> Slots => SlotTable;

    /// <summary>The slots of the model's inputs, in order.</summary>
    public IReadOnlyList<int> Inputs => InputTable;

    /// <summary>The slots of the model's outputs, in order.</summary>
    public IReadOnlyList<int> Outputs => OutputTable;

    /// <summary>The steps.</summary>
    public IReadOnlyList<Step> Steps => StepTable;

    // What a run goes through many times, without interfaces in between.
    internal Slot[] SlotTable { get; }

    internal int[] InputTable { get; }

    internal int[] OutputTable { get; }

    internal Step[] StepTable { get; }

    /// <summary>The slots whose values a frame holds on to during a run: all that are not planned, constants aside.</summary>
    internal int[] Held { get; }

    /// <summary>The steps, those of the programs of subgraphs included.</summary>
    public IEnumerable<Step> AllSteps => Steps.SelectMany(s => s is ControlFlowStep c ? c.Programs.SelectMany(p => p.AllSteps).Prepend(s) : [s]);

    /// <summary>Stretches of steps whose shapes are known together.</summary>
    public IReadOnlyList<Segment> Segments { get; }

    /// <summary>The symbols that the shapes of the inputs define.</summary>
    public IReadOnlyList<string> InputSymbols { get; }

    /// <summary>The symbols that stand for expressions over others.</summary>
    internal DerivedSymbols Derived { get; }

    /// <summary>What must hold between extents; every binding is held against them.</summary>
    public IReadOnlyCollection<DimConstraint> Constraints { get; }

    /// <summary>Bounds on what a run may ask for.</summary>
    public Limits Limits { get; }

    /// <summary>What makes the code of the chosen kernels ready; a session has it done before its first run.</summary>
    public IReadOnlyCollection<Preparation> Preparations { get; init; } = [];

    /// <summary>The packed weights in the order in which lowering asked for them; one that it asked for twice is there twice.</summary>
    public IReadOnlyList<PackedBlock> Packed { get; init; } = [];

    /// <summary>Bytes of packed weights that the steps own.</summary>
    public long OwnedBytes => Steps.Sum(s => s.OwnedBytes);

    /// <summary>The slot at the end of a chain of aliases.</summary>
    public int Root(int slot) => roots[slot];

    /// <summary>The binding of a segment for the given symbol values; made when it is new, kept in a bounded number.</summary>
    public SegmentBinding Bind(int segment, IReadOnlyDictionary<string, long> symbols) => bindings[segment].Get(Derived.Completed(symbols));

    /// <summary>
    /// Binds the first segment with every extent that the inputs leave open taken as 1: what a first run often asks for, and where it does not, it finds the code of binding warm.
    /// </summary>
    internal void BindOnes()
    {
        var ones = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var symbol in InputSymbols) ones[symbol] = 1;
        try
        {
            _ = Bind(0, ones);
        }
        catch (AiOptixException)
        {
            // The model has no use for such extents; a run will say what is wrong with its own.
        }
    }

    private int FollowAliases(int slot)
    {
        while (SlotTable[slot].AliasOf >= 0) slot = SlotTable[slot].AliasOf;
        return slot;
    }

    /// <summary>Leaves out steps whose results nobody reads; those that give a symbol its value stay, since binding the steps behind them asks for it.</summary>
    private Step[] RemoveUnread(IReadOnlyList<int> outputs, IReadOnlyList<Step> steps)
    {
        var known = InputSymbols.ToHashSet(StringComparer.Ordinal);
        Derived.Close(known);
        var defining = new HashSet<Step>();
        foreach (var step in steps)
        {
            foreach (var o in step.Outputs)
                foreach (var symbol in Slots[o].Shape?.DefinedSymbols ?? [])
                    if (known.Add(symbol)) defining.Add(step);
            if (defining.Contains(step)) Derived.Close(known);
        }
        var read = new bool[Slots.Count];
        foreach (var o in outputs) read[Root(o)] = true;
        var kept = new Stack<Step>();
        foreach (var step in steps.Reverse())
        {
            if (!defining.Contains(step) && !step.Outputs.Any(o => read[Root(o)])) continue;
            kept.Push(step);
            foreach (var i in step.Inputs)
                if (i >= 0) read[Root(i)] = true;
        }
        return [.. kept];
    }
}
