using AiOptix.Tensors;

namespace AiOptix.Passes;

/// <summary>How the passes are run.</summary>
public sealed record PassOptions
{
    /// <summary>Everything, with the limits of this machine.</summary>
    public static PassOptions Default { get; } = new();

    /// <summary>Stop once this many patches are applied; null runs to the end. A wrong rewrite is found by bisection over it.</summary>
    public int? StopAfterPatch { get; init; }

    /// <summary>Verify the whole graph around every patch instead of the patch's neighbourhood. Slow; for tests.</summary>
    public bool VerifyWholeGraph { get; init; }

    /// <summary>Bounds on what folding may allocate.</summary>
    public Limits Limits { get; init; } = Limits.Default;

    /// <summary>The groups of passes; null takes <see cref="Passes.Pipeline.Create"/>.</summary>
    public IReadOnlyList<PassGroup>? Pipeline { get; init; }

    /// <summary>Ends the work early, between two patches.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Told of every patch once it is applied and verified.</summary>
    public IProgress<AppliedPatch>? Progress { get; init; }
}

/// <summary>Passes that are run together until none of them finds anything.</summary>
/// <param name="Name">The name in reports.</param>
/// <param name="Passes">In the order in which they look at a node.</param>
public sealed record PassGroup(string Name, IReadOnlyList<IPass> Passes);

/// <summary>One rewrite that was done.</summary>
/// <param name="Index">Which one, from 1; what <see cref="PassOptions.StopAfterPatch"/> counts.</param>
/// <param name="Pass">The pass.</param>
/// <param name="Description">What it did, in a few words.</param>
/// <param name="Before">The names of the nodes that went away.</param>
/// <param name="After">The names of the nodes that came.</param>
/// <param name="NodesBefore">Nodes in the model before it, subgraphs included.</param>
/// <param name="NodesAfter">Nodes in the model after it.</param>
public sealed record AppliedPatch(int Index, string Pass, string Description, IReadOnlyList<string> Before, IReadOnlyList<string> After, int NodesBefore,
    int NodesAfter)
{
    /// <summary><c>3 GeluFusion: erf form ([Div 'a', …] -> [Gelu 'b'])</c></summary>
    public override string ToString() => $"{Index} {Pass}: {Description} ([{string.Join(", ", Before)}] -> [{string.Join(", ", After)}])";
}

/// <summary>What the passes did to a graph.</summary>
/// <param name="Applied">The patches in order.</param>
/// <param name="NodesBefore">Nodes in the model at first, subgraphs included.</param>
/// <param name="NodesAfter">Nodes in the model at the end.</param>
/// <param name="Visits">How often a node was looked at: the measure of the driver's own work.</param>
/// <param name="Stopped">True when <see cref="PassOptions.StopAfterPatch"/> ended it.</param>
public sealed record PassReport(IReadOnlyList<AppliedPatch> Applied, int NodesBefore, int NodesAfter, long Visits, bool Stopped);
