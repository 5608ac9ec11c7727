using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Passes;

/// <summary>
/// Applies passes to a graph and its subgraphs, in place. The groups are taken from top to bottom; each runs, together with those above it, until nothing
/// matches. After a patch only its neighbourhood is looked at again; once that is quiet the whole graph is, until a round over it finds nothing.
/// </summary>
public sealed class PassDriver
{
    private const int PatchesPerNode = 16;
    private const int PatchesAtLeast = 256;

    private readonly Graph graph;
    private readonly PassOptions options;
    private readonly List<AppliedPatch> applied = [];
    private readonly Queue<Node> queue = new();
    private readonly HashSet<Node> queued = [];
    private readonly HashSet<Node> gone = [];
    private readonly int nodesBefore;
    private int nodes;
    private long visits;

    private PassDriver(Graph graph, PassOptions options)
    {
        this.graph = graph;
        this.options = options;
        nodes = nodesBefore = graph.AllNodes.Count();
    }

    private bool Stopped => applied.Count >= options.StopAfterPatch;

    /// <summary>Rewrites a graph.</summary>
    /// <param name="graph">The graph; changed in place.</param>
    /// <param name="options">How; null takes <see cref="PassOptions.Default"/>.</param>
    /// <exception cref="InvalidGraphException">A pass made a wrong patch, or the graph was not valid.</exception>
    /// <exception cref="AiOptixException">The passes do not come to an end; the message names the one that goes on.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the graph holds the patches applied so far.</exception>
    public static PassReport Run(Graph graph, PassOptions? options = null) => new PassDriver(graph, options ?? PassOptions.Default).Run();

    private PassReport Run()
    {
        var active = new List<IPass>();
        foreach (var group in options.Pipeline ?? Pipeline.Create(options.Limits))
        {
            active.AddRange(group.Passes);
            RunToFixpoint(active);
        }
        Verifier.Verify(graph);
        return new(applied, nodesBefore, nodes, visits, Stopped);
    }

    private void RunToFixpoint(List<IPass> passes)
    {
        int found;
        do
        {
            found = applied.Count;
            foreach (var node in graph.AllNodes) Enqueue(node);
            while (!Stopped && queue.TryDequeue(out var node))
            {
                queued.Remove(node);
                if (!gone.Contains(node)) Visit(node, passes);
            }
        }
        while (!Stopped && applied.Count > found);
        queue.Clear();
        queued.Clear();
    }

    private void Visit(Node node, List<IPass> passes)
    {
        options.Cancellation.ThrowIfCancellationRequested();
        visits++;
        // What cannot run is left to the run, if it comes there.
        if (node.Contradiction is not null) return;
        foreach (var pass in passes)
        {
            if (Match(pass, node) is not { } patch) continue;
            Apply(pass, patch);
            if (!gone.Contains(node)) Enqueue(node);
            return;
        }
    }

    /// <summary>A pass reckons with whatever a file holds: what goes wrong names the node.</summary>
    private static Patch? Match(IPass pass, Node node)
    {
        try
        {
            return pass.Match(node.Graph, node);
        }
        catch (Exception e) when (e is not (AiOptixException or OperationCanceledException))
        {
            throw new InvalidGraphException($"node {node}: {pass.Name} cannot deal with it: {e.Message}", e);
        }
    }

    private void Apply(IPass pass, Patch patch)
    {
        var bound = Math.Max(PatchesAtLeast, (long)nodesBefore * PatchesPerNode);
        if (applied.Count >= bound)
            throw new AiOptixException($"the passes do not come to an end: after {applied.Count} patches on {nodesBefore} nodes {pass.Name} still finds something to do "
                + $"({patch.Description}); most patches are of {applied.CountBy(a => a.Pass).MaxBy(p => p.Value).Key}");
        IReadOnlyList<Node> removed;
        try
        {
            removed = patch.Apply();
            if (options.VerifyWholeGraph) Verifier.Verify(graph);
            Verifier.Verify(patch);
        }
        catch (InvalidGraphException e)
        {
            throw new InvalidGraphException($"patch {applied.Count + 1} ({pass.Name}: {patch.Description}) broke the graph: {e.Message}", e);
        }
        var before = nodes;
        nodes += patch.Added.Sum(CountOf) - removed.Sum(CountOf);
        foreach (var n in removed) Forget(n);
        var record = new AppliedPatch(applied.Count + 1, pass.Name, patch.Description, [.. removed.Select(n => n.ToString())],
            [.. patch.Added.Where(n => !gone.Contains(n)).Select(n => n.ToString())], before, nodes);
        applied.Add(record);
        EnqueueAround(patch);
        options.Progress?.Report(record);
    }

    private static int CountOf(Node node) => 1 + node.Operator.Subgraphs.Sum(g => g.AllNodes.Count());

    private void Forget(Node node)
    {
        gone.Add(node);
        foreach (var inner in node.Operator.Subgraphs.SelectMany(g => g.AllNodes)) gone.Add(inner);
    }

    private void EnqueueAround(Patch patch)
    {
        foreach (var node in patch.Added)
        {
            Enqueue(node);
            foreach (var input in node.Inputs) EnqueueProducer(input);
            foreach (var output in node.Outputs) EnqueueUsers(output);
        }
        foreach (var (_, value) in patch.Replaced)
        {
            EnqueueProducer(value);
            EnqueueUsers(value);
        }
        foreach (var value in patch.Released)
        {
            EnqueueProducer(value);
            if (value.SoleUser is { } user) Enqueue(user);
        }
    }

    private void EnqueueProducer(Value? value)
    {
        if (value?.Producer is { } node) Enqueue(node);
    }

    /// <summary>The users of a value that many read, a shared constant say, are left to the next round.</summary>
    private void EnqueueUsers(Value value)
    {
        if (value.Users.Count > 16) return;
        foreach (var user in value.Users) Enqueue(user);
    }

    private void Enqueue(Node node)
    {
        if (!gone.Contains(node) && queued.Add(node)) queue.Enqueue(node);
    }
}
