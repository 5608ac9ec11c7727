using AiOptix.Graphs;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cli;

/// <summary>An operator of a model and how often it stands there.</summary>
/// <param name="Name">The operator.</param>
/// <param name="Count">Nodes, those of subgraphs included.</param>
/// <param name="IsKnown">False when it is not supported.</param>
internal sealed record OperatorCount(string Name, int Count, bool IsKnown);

/// <summary>What a model is and what becomes of it on this machine.</summary>
/// <param name="Operators">The operators, most frequent first.</param>
/// <param name="Parameters">Elements of all constants.</param>
/// <param name="ParameterBytes">Their bytes.</param>
/// <param name="Flops">Floating-point operations of one run, as far as operators tell; subgraphs are not counted.</param>
/// <param name="Plan">What it compiles to; null when it has operators that are not supported.</param>
internal sealed record Inspection(IReadOnlyList<OperatorCount> Operators, long Parameters, long ParameterBytes, Dim Flops, InspectedPlan? Plan)
{
    /// <summary>Looks at a model; compiles it unless it has operators that are not supported.</summary>
    /// <param name="model">The model.</param>
    /// <param name="dims">Values of symbolic dimensions.</param>
    public static Inspection Of(Model model, IReadOnlyDictionary<string, long> dims)
    {
        var nodes = model.Graph.AllNodes.ToArray();
        OperatorCount[] operators =
        [
            .. nodes.GroupBy(n => n.Operator.Name, StringComparer.Ordinal).Select(g => new OperatorCount(g.Key, g.Count(), g.All(n => n.Operator.IsKnown)))
                .OrderByDescending(o => o.Count).ThenBy(o => o.Name, StringComparer.Ordinal),
        ];
        Tensor[] constants = [.. nodes.Select(n => n.Graph).Append(model.Graph).Distinct().SelectMany(g => g.Constants).Select(c => c.Constant!)];
        var flops = (Node.FlopsOf(model.Graph.Nodes.Where(n => n.Operator.IsKnown)) ?? Dim.Zero)
            .Substitute(dims.ToDictionary(d => d.Key, d => (Dim)d.Value, StringComparer.Ordinal));
        var plan = Array.TrueForAll(operators, o => o.IsKnown) ? InspectedPlan.Of(model, dims) : null;
        return new(operators, constants.Sum(c => c.Count), constants.Sum(c => c.ByteLength), flops, plan);
    }
}

/// <summary>What a model compiles to.</summary>
/// <param name="Steps">How many steps there are.</param>
/// <param name="ReferenceSteps">Operators that run as Reference steps, without a kernel, and how often.</param>
/// <param name="PackedBytes">Bytes of packed weights.</param>
/// <param name="ArenaBytes">Bytes of intermediate results of one run; null while dimensions are open.</param>
internal sealed record InspectedPlan(int Steps, IReadOnlyList<OperatorCount> ReferenceSteps, long PackedBytes, long? ArenaBytes)
{
    /// <summary>Compiles a model.</summary>
    public static InspectedPlan Of(Model model, IReadOnlyDictionary<string, long> dims)
    {
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        var program = session.Program;
        OperatorCount[] reference =
        [
            .. program.AllSteps.OfType<ReferenceStep>().GroupBy(s => s.Node.Operator.Name, StringComparer.Ordinal).Select(g => new OperatorCount(g.Key, g.Count(), true))
                .OrderByDescending(o => o.Count).ThenBy(o => o.Name, StringComparer.Ordinal),
        ];
        long? arena = program.Segments.Count == 1 && program.InputSymbols.All(dims.ContainsKey) ? program.Bind(0, dims).ArenaBytes : null;
        return new(program.Steps.Count, reference, program.OwnedBytes, arena);
    }
}
