using AiOptix.Runtime;

namespace AiOptix.Cpu;

/// <summary>Runs some tasks of a kernel plan on the memory of a run.</summary>
internal unsafe delegate void TaskBody(nint* slots, int firstTask, int endTask, byte* scratch);

/// <summary>Says what values of a run contradict an operator's contract, or null.</summary>
internal unsafe delegate string? FaultCheck(nint* slots);

/// <summary>A step over one kernel plan that is made when shapes are known.</summary>
internal sealed class PlanStep(string name, IReadOnlyList<int> inputs, IReadOnlyList<int> outputs, Func<BindContext, BoundStep> bind) : KernelStep(name, inputs, outputs)
{
    /// <summary>Bytes of packed weights that the step owns.</summary>
    public long Weights { get; init; }

    public override long OwnedBytes => Weights;

    public override BoundStep Bind(BindContext context) => bind(context);
}

/// <summary>A bound step over a kernel plan.</summary>
internal sealed unsafe class PlanTasks(TaskBody body, FaultCheck? fault = null) : BoundStep
{
    public override void Run(nint* slots, int firstTask, int endTask, byte* scratch) => body(slots, firstTask, endTask, scratch);

    public override string? Fault(nint* slots) => fault?.Invoke(slots);
}
