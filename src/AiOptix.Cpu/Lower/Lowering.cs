using AiOptix.Cpu.Bytes;
using AiOptix.Cpu.Layout;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels;
using AiOptix.Kernels.Choice;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Turns a graph into steps: node by node, in order. A rule may take later nodes into its step (epilogues); what no rule takes runs as a Reference step.</summary>
internal sealed class Lowering
{
    private static readonly Preparation rehearsal = new("lowering", Rehearse);

    private readonly List<Slot> slots = [];
    private readonly List<Step> steps = [];
    private readonly Dictionary<Value, int> slotOf = [];
    private readonly HashSet<string> known;
    private readonly DerivedSymbols derived;
    private readonly Dictionary<Node, Step?> claimed = [];
    private readonly Dictionary<Value, ChannelSlice> slices = [];

    // The nodes before the first one whose result has a shape that only a run can tell: their steps are bound together, so that one may write into a slot long before another completes it.
    private readonly HashSet<Node> beforeData;
    private readonly Dictionary<string, Preparation> preparations = new(StringComparer.Ordinal);
    private readonly PackedWeights weights;
    private readonly IKernelChooser? chooser;
    private bool? isIncremental;

    private Lowering(Graph graph, Target target, IKernelChooser? chooser, Limits limits, PackedWeights weights)
    {
        Graph = graph;
        Target = target;
        Limits = limits;
        this.chooser = chooser;
        this.weights = weights;
        known = new(graph.Inputs.SelectMany(i => i.Shape?.Symbols ?? []), StringComparer.Ordinal);
        derived = new(graph.Abbreviations);
        derived.Close(known);
        long bytes = 0;
        foreach (var c in graph.Constants) bytes += c.Constant!.DType.ByteLength(c.Constant.Count);
        WeightsOutgrowCaches = bytes > target.L3Bytes;
        beforeData = [.. graph.Nodes.TakeWhile(n => n.Outputs.All(o => o.Shape?.Symbols.All(known.Contains) == true))];
    }

    public Graph Graph { get; }

    /// <summary>True when a model is called again and again with a past that grows: one of its outputs is an input made longer.</summary>
    public bool IsIncremental => isIncremental ??= Graph.Outputs.Any(o => Graph.Inputs.Any(i => i.DType == o.DType && Grows(i.Shape, o.Shape)));

    /// <summary>True when the constants do not stay in the caches from one run to the next, so that each run reads them from memory.</summary>
    public bool WeightsOutgrowCaches { get; }

    public Target Target { get; }

    public Limits Limits { get; }

    /// <summary>Evaluates what is constant, gives every value its layout, and lowers every node. The session of a main graph makes ready what any of its programs packed.</summary>
    public static Program Compile(Graph graph, Target target, IKernelChooser? chooser, Limits limits, PackedWeights weights, bool isMain = true)
    {
        if (isMain) weights.Ahead?.Invoke(rehearsal);
        var laid = LayoutAssignment.Assign(weights.Constants(ByteRegions.Assign(WeightOnlyProduct.Assign(DeformedColumns.Assign(Compositions.Assign(graph))), limits), limits));
        return new Lowering(weights.Constants(laid, limits), target, chooser, limits, weights).Build(isMain);
    }

    /// <summary>
    /// Once a process, and only where there are helpers: makes and binds the program of a single node, so that the code which comes last on the way to a session is loaded while a first graph is still
    /// laid out.
    /// </summary>
    private static void Rehearse()
    {
        var graph = new Graph("rehearsal");
        graph.AddOutput(graph.Add(new Abs(), graph.AddInput("x", new TensorType(DType.Float32, new(Dim.Symbol("n"))))));
        Compile(graph, HostTarget.Current, null, Limits.Default, new PackedWeights(null)).Bind(0, new Dictionary<string, long>(StringComparer.Ordinal) { ["n"] = 1 });
    }

    private static bool Grows(SymbolicShape? from, SymbolicShape? to)
    {
        if (from is null || to is null || from.Rank != to.Rank) return false;
        var longer = 0;
        for (var i = 0; i < from.Rank; i++)
        {
            if (from[i].Equals(to[i])) continue;
            if (from[i].Constant is not null || !from[i].Symbols.All(to[i].Symbols.Contains)) return false;
            longer++;
        }
        return longer == 1;
    }

    private Program Build(bool isMain)
    {
        RefuseUnknown();
        var inputs = Slots(Graph.Inputs);
        foreach (var node in Graph.Nodes)
        {
            if (claimed.Remove(node, out var deferred))
            {
                if (deferred is not null) steps.Add(deferred);
                continue;
            }
            Lower(node);
        }
        var outputs = Queries.Each(Graph.Outputs.Count, OutputSlot);
        var program = new Program(Graph.Name, slots, inputs, outputs, steps, Graph.Constraints, Limits, derived)
        {
            Preparations = [.. isMain ? weights.Preparations() : [], .. preparations.Values],
            Packed = isMain ? weights.Asked : [],
        };
        weights.Read(program);
        return program;
    }

    /// <summary>The slot of a value; one that lies among the channels of another is brought there first.</summary>
    public int Slot(Value value)
    {
        if (slotOf.TryGetValue(value, out var index)) return index;
        index = slots.Count;
        if (slices.TryGetValue(value, out var slice)) Emit(MovementRules.Gather(this, value, slice, index));
        var kind = value.Constant is not null ? SlotKind.Constant : value.Producer is null ? SlotKind.Input
            : value.OutputUses > 0 && Graph.Outputs.Contains(value) ? SlotKind.Output : SlotKind.Intermediate;
        slots.Add(new(index, value.Name, value.Type, kind, value.Constant));
        slotOf[value] = index;
        return index;
    }

    /// <summary>A slot for what one step of a node hands to another.</summary>
    public int Between(Node node, TensorType type)
    {
        slots.Add(new(slots.Count, $"{node.Output.Name}/between", type, SlotKind.Intermediate));
        return slots.Count - 1;
    }

    /// <summary>The candidate for a problem: that of whoever chooses in place of the cost model, or the cost model's.</summary>
    public string Choose(KernelProblem problem) => chooser?.Choose(problem, Target) is { } chosen && problem.Candidates(Target).Contains(chosen) ? chosen : problem.Pick(Target);

    /// <summary>Has the code that a step may run made ready before the first run; steps that name the same code share it.</summary>
    public void Prepare(string name, Action rehearse)
    {
        var preparation = new Preparation(name, rehearse);
        if (preparations.TryAdd(name, preparation)) weights.Ahead?.Invoke(preparation);
    }

    /// <summary>
    /// Memory that holds constants in packed form, 64-byte aligned. Who asks for the same form of the same constants gets the same memory, and it may come from a saved
    /// program instead of <paramref name="pack"/>: only runs read it, and only <paramref name="pack"/> reads the constants' elements.
    /// </summary>
    /// <param name="form">Whatever decides the bytes besides the constants: what packs them, extents, groups, whether they are transposed.</param>
    /// <param name="bytes">How many bytes.</param>
    /// <param name="pack">Packs them. Runs at most once, before the first run, on any thread.</param>
    /// <param name="sources">The constants that it reads.</param>
    public MemoryBlock Pack(string form, long bytes, Packer pack, params ReadOnlySpan<Tensor> sources) => weights.Get(form, bytes, pack, sources);

    /// <summary>
    /// Where a step may write a value whose channels lie last: among the channels of a value that it is joined into, so that nothing is left to copy, or into a slot of its own.
    /// </summary>
    public ChannelSlice Place(Value value)
    {
        if (slotOf.ContainsKey(value) || value is not { DType: DType.Float32 or DType.Int8 or DType.UInt8, Shape: { Rank: >= 3 and var rank }, OutputUses: 0 }) return Read(value);
        foreach (var user in value.Users)
        {
            if (!beforeData.Contains(user) || user.Operator is not Concat concat || MovementRules.Normal(concat.Axis, rank) != rank - 1 || user.Output.Shape![-1].Constant is not (<= int.MaxValue and var pitch)) continue;
            Value[] before = [.. user.Inputs.TakeWhile(i => i != value)!];
            if (user.Inputs.Count(i => i == value) != 1 || before.Any(i => i.Shape?[-1].Constant is null)) continue;
            return slices[value] = new(Slot(user.Output), (int)before.Sum(i => i.Shape![-1].Constant!.Value), (int)pitch);
        }
        return Read(value);
    }

    /// <summary>Lets a value be some of the channels of another, which lie last in both.</summary>
    public void Slice(Value value, ChannelSlice slice) => slices[value] = slice;

    /// <summary>Where a step that reads channels among others finds a value.</summary>
    public ChannelSlice Read(Value value) => slotOf.TryGetValue(value, out var own) ? new(own, 0, 0) : slices.TryGetValue(value, out var slice) ? slice : new(Slot(value), 0, 0);

    /// <summary>Adds a step.</summary>
    public void Emit(Step step) => steps.Add(step);

    /// <summary>Adds the step of one node over a kernel plan that <paramref name="bind"/> makes when shapes are known.</summary>
    public void Emit(Node node, IEnumerable<int> inputs, Func<BindContext, BoundStep> bind) => Emit(node, inputs, Slots(node.Outputs), bind);

    /// <summary>The same, with slots that it writes in place of the outputs' own.</summary>
    public void Emit(Node node, IEnumerable<int> inputs, IEnumerable<int> outputs, Func<BindContext, BoundStep> bind) =>
        Emit(new PlanStep(node.Name, inputs.DistinctFew(), [.. outputs], bind) { Operation = node.Operator.Name, Origins = node.Origins });

    /// <summary>Adds a step that stands for several nodes, at the place of the last of them, when all that it reads exists.</summary>
    public void Emit(Step step, IReadOnlyList<Node> nodes)
    {
        step.Flops = Node.FlopsOf(nodes);
        if (nodes.Count == 1)
        {
            steps.Add(step);
            return;
        }
        foreach (var n in nodes.Skip(1)) claimed[n] = null;
        claimed[nodes[^1]] = step;
    }

    /// <summary>True when a step already stands for the node.</summary>
    public bool IsClaimed(Node node) => claimed.ContainsKey(node);

    /// <summary>True when the shape of a value follows from symbols that have values at this point.</summary>
    public bool IsKnown(Value value) => value.DType is not (DType.Undefined or DType.String) && value.Shape is { } s && s.Symbols.All(known.Contains);

    /// <summary>Lets a value share the memory of another with as many elements of the same type; copies where that cannot be.</summary>
    public void Alias(Node node, Value value, Value source)
    {
        var from = Root(Slot(source));
        var to = Slot(value);
        if (slots[to].Kind != SlotKind.Output) slots[to] = slots[to] with { AliasOf = Slot(source) };
        else if (slots[from].Kind == SlotKind.Intermediate && !IsManaged(from)) slots[from] = slots[from] with { AliasOf = to };
        else Emit(new CopyStep(node.Name, Slot(source), to) { Operation = node.Operator.Name, Origins = node.Origins });
    }

    // A managed step hands over a tensor of its own shape, which an output that is a view of it does not have.
    private bool IsManaged(int root) => steps.OfType<ManagedStep>().Any(s => s.Outputs.Any(o => o >= 0 && Root(o) == root));

    private int Root(int slot)
    {
        while (slots[slot].AliasOf >= 0) slot = slots[slot].AliasOf;
        return slot;
    }

    private void Lower(Node node)
    {
        if (node.Outputs.All(IsFollowed))
        {
            foreach (var o in node.Outputs)
                Emit(new ElementsStep(node.Name, Slot(o), o.Elements!, o.DType) { Operation = node.Operator.Name, Origins = node.Origins });
            return;
        }
        var isKnown = node.Outputs.All(IsKnown) && node.Inputs.All(i => i is null || IsKnown(i));
        var first = steps.Count;
        if (isKnown && LoweringRules.Find(node.Operator) is { } rule && Apply(rule, node))
        {
            if (steps.Count > first && steps.Skip(first).All(s => s.Flops is null)) steps[^1].Flops = Node.FlopsOf([node]);
            return;
        }
        Reference(node);
        foreach (var o in node.Outputs) known.UnionWith(o.Shape?.DefinedSymbols ?? []);
        derived.Close(known);
    }

    /// <summary>A rule reckons with whatever a graph holds: what goes wrong names the node.</summary>
    private bool Apply(LoweringRule rule, Node node)
    {
        try
        {
            return rule(this, node);
        }
        catch (Exception e) when (e is not AiOptixException)
        {
            throw new InvalidGraphException($"node {node}: it cannot be lowered: {e.Message}", e);
        }
    }

    private bool IsFollowed(Value value) =>
        value.Elements is { } e && value.DType is DType.Int64 or DType.Int32 && IsKnown(value) && value.Elements!.SelectMany(d => d.Symbols).All(known.Contains);

    private void Reference(Node node) => Emit(node.Operator is ControlFlow op && node.Contradiction is null
        ? WithPrograms(node, op)
        : node.Contradiction is null && DataRules.Step(this, node, InputSlots(node), Slots(node.Outputs)) is { } step ? step
        : new ReferenceStep(node, InputSlots(node), Slots(node.Outputs)) { Operation = node.Operator.Name, Origins = node.Origins });

    private ControlFlowStep WithPrograms(Node node, ControlFlow op)
    {
        var outlined = op.Subgraphs.Select(g => g.Outline()).ToArray();
        var programs = outlined.Select(o => Compile(o.Graph, Target, chooser, Limits, weights, isMain: false)).ToArray();
        var captured = outlined.Select(o => (IReadOnlyList<int>)[.. o.Captured.Select(Slot)]).ToArray();
        return new(node.Name, op, programs, InputSlots(node), captured, Slots(node.Outputs)) { Operation = op.Name, Origins = node.Origins };
    }

    /// <summary>The slots of values.</summary>
    public int[] Slots(IReadOnlyList<Value> values) => Queries.Each(values.Count, i => Slot(values[i]));

    private int[] InputSlots(Node node) => Queries.Each(node.Inputs.Count, i => node.Inputs[i] is { } input ? Slot(input) : -1);

    /// <summary>The slot of an output: its value's own, unless that is an input or a constant or was handed out before; then a copy.</summary>
    private int OutputSlot(int output)
    {
        var value = Graph.Outputs[output];
        var slot = Slot(value);
        var first = Graph.Outputs.Take(output).All(o => o != value);
        if (first && slots[slot].Kind == SlotKind.Output) return slot;
        var copy = slots.Count;
        slots.Add(new(copy, value.Name, value.Type, SlotKind.Output));
        Emit(IsKnown(value)
            ? new CopyStep(value.Name, slot, copy) { Operation = "Identity" }
            : new HandThroughStep(value.Name, slot, copy) { Operation = "Identity" });
        return copy;
    }

    private void RefuseUnknown()
    {
        var unknown = Graph.AllNodes.Where(n => !n.Operator.IsKnown).GroupBy(n => n.Operator.Name, StringComparer.Ordinal).ToArray();
        if (unknown.Length == 0) return;
        var list = string.Join(", ", unknown.Select(g => $"{g.Key} ({g.Count()}×, first in node '{g.First().Name}')"));
        throw new UnsupportedModelException($"model '{Graph.Name}' uses operators that are not supported: {list}");
    }
}

/// <summary>Some of the channels of a slot whose channels lie last.</summary>
/// <param name="Slot">The slot.</param>
/// <param name="Offset">The first channel.</param>
/// <param name="Pitch">The slot's channels; 0 when the slice is all of it.</param>
internal readonly record struct ChannelSlice(int Slot, int Offset, int Pitch)
{
    /// <summary>Elements from an index of each axis to the next, for a slice of a shape.</summary>
    public long[] Strides(Shape shape)
    {
        var strides = shape.Strides();
        for (var axis = 0; Pitch != 0 && axis < shape.Rank - 1; axis++) strides[axis] = shape.Product(axis + 1, shape.Rank - 1) * Pitch;
        return strides;
    }
}
