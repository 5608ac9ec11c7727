using AiOptix.Graphs;
using AiOptix.Passes;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>
/// Sessions of rewritten graphs. Where the rank of a tensor depends on extents (a branch drops an axis whose extent is 1), nothing behind it can be lowered before a run: such a graph
/// is rewritten and compiled again for the extents of its inputs, when they are known.
/// </summary>
public static class Settling
{
    /// <summary>Opens a session of a graph that the passes have rewritten.</summary>
    /// <param name="graph">The graph; it must stay unchanged as long as the session.</param>
    /// <param name="backend">The machine.</param>
    /// <param name="limits">Bounds on what the model may ask for.</param>
    /// <param name="threads">Threads that take part in a run; 0 takes the machine's default.</param>
    public static Session Open(Graph graph, IBackend backend, Limits limits, int threads) =>
        new(backend.Compile(graph, limits), backend.CreateRunner(threads), Of(graph, backend, limits));

    /// <summary>What makes a program of a graph for known extents, which reads the graph's constants then; null for a graph that does not need it.</summary>
    public static Func<IReadOnlyDictionary<string, long>, Program?>? Of(Graph graph, IBackend backend, Limits limits) =>
        graph.HasOpenRanks && graph.Inputs.Any(i => i.Shape?.Symbols.Any() == true) ? extents => Settle(graph, backend, limits, extents) : null;

    private static Program? Settle(Graph graph, IBackend backend, Limits limits, IReadOnlyDictionary<string, long> extents)
    {
        try
        {
            var settled = graph.Settle(extents);
            PassDriver.Run(settled, new PassOptions { Limits = limits });
            return backend.Compile(settled, limits);
        }
        catch (InvalidGraphException)
        {
            // A part that these extents contradict may never run: the general program tells.
            return null;
        }
    }
}
