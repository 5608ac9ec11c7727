using System.Collections.Immutable;
using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>One unit of a program: reads slots, writes slots. Holds whatever does not depend on concrete shapes (packed weights, attributes).</summary>
public abstract class Step
{
    /// <summary>Creates a step.</summary>
    protected Step(string name, IReadOnlyList<int> inputs, IReadOnlyList<int> outputs)
    {
        Name = name;
        Inputs = inputs;
        Outputs = outputs;
    }

    /// <summary>The name of the graph node that it came from (the last one, when several are fused).</summary>
    public string Name { get; }

    /// <summary>The slots that it reads.</summary>
    public IReadOnlyList<int> Inputs { get; }

    /// <summary>The slots that it writes.</summary>
    public IReadOnlyList<int> Outputs { get; }

    /// <summary>The names of the file's nodes that it covers.</summary>
    public ImmutableArray<string> Origins { get; init; } = [];

    /// <summary>What it computes, in the graph's words: <c>Conv+Add+Relu</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>Floating-point operations of one run, multiply and add counted apart; null when its operators do not tell.</summary>
    public Dim? Flops { get; set; }

    /// <summary>Bytes of packed weights and tables that it owns.</summary>
    public virtual long OwnedBytes => 0;

    /// <summary>Bytes of packed weights that a run reads.</summary>
    public virtual long ReadBytes => OwnedBytes;
}

/// <summary>A step that runs kernels on planned memory.</summary>
public abstract class KernelStep : Step
{
    /// <summary>Creates a step.</summary>
    protected KernelStep(string name, IReadOnlyList<int> inputs, IReadOnlyList<int> outputs) : base(name, inputs, outputs) { }

    /// <summary>Fixes sizes, kernels and the split of the work for one set of shapes. Cheap; packs nothing.</summary>
    public abstract BoundStep Bind(BindContext context);
}

/// <summary>A step that runs managed code: may allocate, may throw, and may make tensors whose shape nobody knew before.</summary>
public abstract class ManagedStep : Step
{
    /// <summary>Creates a step.</summary>
    protected ManagedStep(string name, IReadOnlyList<int> inputs, IReadOnlyList<int> outputs) : base(name, inputs, outputs) { }

    /// <summary>The kernel's name, where it runs one.</summary>
    public virtual string? Kernel => null;

    /// <summary>Computes the outputs.</summary>
    /// <param name="inputs">A value for each of <see cref="Step.Inputs"/>; null where the slot is -1.</param>
    /// <param name="context">What a run offers.</param>
    public abstract IReadOnlyList<RuntimeValue> Run(RuntimeValue?[] inputs, ManagedContext context);
}

/// <summary>Runs a program of a subgraph on the threads of the run.</summary>
/// <param name="program">The program.</param>
/// <param name="inputs">Its inputs, which stay the caller's.</param>
/// <param name="cancellation">Ends it early.</param>
/// <returns>Its outputs, which the caller owns.</returns>
public delegate RuntimeValue[] ProgramRunner(Program program, ReadOnlySpan<RuntimeValue> inputs, CancellationToken cancellation);

/// <summary>What a run offers a managed step.</summary>
/// <param name="Limits">Bounds on memory and loops.</param>
/// <param name="RunProgram">Runs a program of a subgraph.</param>
/// <param name="Cancellation">Ends it early.</param>
public readonly record struct ManagedContext(Limits Limits, ProgramRunner RunProgram, CancellationToken Cancellation);

/// <summary>A kernel step with its shapes: a number of tasks that any threads may run in any order. Has no state that a run changes.</summary>
public abstract unsafe class BoundStep
{
    /// <summary>The kernel's name; the name is the specification.</summary>
    public required string Kernel { get; init; }

    /// <summary>How many tasks there are. Depends on shapes only, never on threads.</summary>
    public required int Tasks { get; init; }

    /// <summary>
    /// True when its tasks are over before another thread would have begun to help: they stay on the calling thread. Follows from shapes alone, like <see cref="Tasks"/>.
    /// </summary>
    public bool IsShort { get; internal set; }

    /// <summary>True when its tasks take longer than FLOPs and bytes tell, as walks through trees do: each is worth another thread, however few those are.</summary>
    public bool HasLongTasks { get; init; }

    /// <summary>Scratch memory that each worker needs, bytes.</summary>
    public long ScratchBytes { get; init; }

    /// <summary>Runs some of the tasks. Starts no thread, allocates nothing, throws nothing.</summary>
    /// <param name="slots">The address of each slot's memory.</param>
    /// <param name="firstTask">The first task.</param>
    /// <param name="endTask">The task after the last.</param>
    /// <param name="scratch">This worker's scratch memory, 64-byte aligned.</param>
    public abstract void Run(nint* slots, int firstTask, int endTask, byte* scratch);

    /// <summary>A message when the values that this run saw contradict the operator's contract (an index out of range), otherwise null. Called once after all tasks.</summary>
    public virtual string? Fault(nint* slots) => null;
}

/// <summary>What binding a step may ask.</summary>
public sealed class BindContext
{
    private readonly IReadOnlyList<Slot> slots;

    internal BindContext(IReadOnlyList<Slot> slots, IReadOnlyDictionary<string, long> symbols)
    {
        this.slots = slots;
        Symbols = symbols;
    }

    /// <summary>The values of the symbols.</summary>
    public IReadOnlyDictionary<string, long> Symbols { get; }

    /// <summary>The concrete shape of a slot.</summary>
    public Shape Shape(int slot) => slots[slot].Shape!.Evaluate(Symbols);

    /// <summary>The element type of a slot.</summary>
    public DType DType(int slot) => slots[slot].DType;

    /// <summary>The value of an extent.</summary>
    public long Evaluate(Dim dim) => dim.Evaluate(Symbols);
}
