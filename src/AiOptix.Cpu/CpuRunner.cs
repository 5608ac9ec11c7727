using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using AiOptix.Runtime;
using AiOptix.Threading;

namespace AiOptix.Cpu;

/// <summary>Runs steps on a team of threads.</summary>
internal sealed unsafe class CpuRunner : IStepRunner
{
    private readonly ThreadTeam team;

    public CpuRunner(int threads) => team = ThreadTeam.Shared(threads == 0 ? CpuBudget.Current.DefaultThreads : threads);

    public int Workers => team.Threads;

    public void Prepare(IReadOnlyCollection<Preparation> preparations)
    {
        var left = new List<Preparation>();
        foreach (var p in preparations)
            if (!p.IsDone) left.Add(p);
        if (left.Count == 0) return;
        var state = new PreparationState { Preparations = left.ToArray() };
        team.Run(left.Count, &PrepareSome, Unsafe.AsPointer(ref state));
        if (state.Error is { } error) ExceptionDispatchInfo.Throw(error);
    }

    public void Run(BoundStep step, nint* slots, byte* scratch, long scratchStride)
    {
        if (step.Tasks == 1 || step.IsShort || team.Threads == 1)
        {
            step.Run(slots, 0, step.Tasks, scratch);
            return;
        }
        var state = new RunState { Step = step, Slots = slots, Scratch = scratch, Stride = scratchStride };
        team.Run(step.Tasks, &Body, Unsafe.AsPointer(ref state));
    }

    public void Dispose() => team.Dispose();

    private static void Body(void* pointer, int first, int end, int worker)
    {
        // The state lives on the stack of the caller, who waits: its reference is a root and does not move.
        ref var state = ref Unsafe.AsRef<RunState>(pointer);
        state.Step.Run(state.Slots, first, end, state.Scratch + worker * state.Stride);
    }

    private static void PrepareSome(void* pointer, int first, int end, int worker)
    {
        ref var state = ref Unsafe.AsRef<PreparationState>(pointer);
        try
        {
            for (var i = first; i < end; i++) state.Preparations[i].Run();
        }
        catch (Exception e)
        {
            state.Error = e;
        }
    }

    private struct PreparationState
    {
        public Preparation[] Preparations;
        public Exception? Error;
    }

    private struct RunState
    {
        public BoundStep Step;
        public nint* Slots;
        public byte* Scratch;
        public long Stride;
    }
}
