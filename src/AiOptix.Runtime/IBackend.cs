using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>A kind of machine that programs can be compiled for.</summary>
public interface IBackend
{
    /// <summary>A short name: <c>cpu</c>.</summary>
    string Name { get; }

    /// <summary>Lowers a graph to steps. The graph is read, not changed, and must stay alive and unchanged as long as the program.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="limits">Bounds on what a run may ask for.</param>
    /// <param name="weights">Where packed weights come from, and whose constants may go once they are packed.</param>
    /// <exception cref="UnsupportedModelException">Operators that nobody knows; all are named.</exception>
    /// <exception cref="AbsentElementsException">The elements of a constant are not there, and neither is the packed form that is asked for.</exception>
    Program Compile(Graph graph, Limits limits, WeightSource? weights = null);

    /// <summary>Makes what runs steps on a number of threads; 0 takes the machine's default.</summary>
    IStepRunner CreateRunner(int threads);
}

/// <summary>Runs bound steps on threads.</summary>
public unsafe interface IStepRunner : IDisposable
{
    /// <summary>How many workers run tasks at the same time, the calling thread included.</summary>
    int Workers { get; }

    /// <summary>Makes code ready on all workers, and returns when that is done.</summary>
    void Prepare(IReadOnlyCollection<Preparation> preparations);

    /// <summary>Runs all tasks of a step and returns when they are done. Several threads may call it at once.</summary>
    /// <param name="step">The step.</param>
    /// <param name="slots">The address of each slot's memory.</param>
    /// <param name="scratch">Scratch memory of worker 0; that of worker w begins w × <paramref name="scratchStride"/> bytes later.</param>
    /// <param name="scratchStride">Bytes.</param>
    void Run(BoundStep step, nint* slots, byte* scratch, long scratchStride);
}
