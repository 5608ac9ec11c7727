using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>
/// Runs an operator with subgraphs: each is a program of its own, whose inputs are those of the subgraph and behind them the values that it captured. The programs run on the
/// threads of the run around them.
/// </summary>
public sealed class ControlFlowStep : ManagedStep
{
    private readonly ControlFlow op;
    private readonly int inputCount;
    private readonly int[][] captures;
    private readonly string title;

    /// <summary>Creates a step.</summary>
    /// <param name="name">The node's name.</param>
    /// <param name="op">The operator.</param>
    /// <param name="programs">A program for each of its subgraphs.</param>
    /// <param name="inputs">The slots of the node's inputs, -1 where one is left out.</param>
    /// <param name="captured">For each program the slots of the values that it captured.</param>
    /// <param name="outputs">The slots of the node's outputs.</param>
    public ControlFlowStep(string name, ControlFlow op, IReadOnlyList<Program> programs, IReadOnlyList<int> inputs, IReadOnlyList<IReadOnlyList<int>> captured, IReadOnlyList<int> outputs)
        : base(name, [.. inputs, .. captured.SelectMany(c => c)], outputs)
    {
        this.op = op;
        Programs = programs;
        title = $"{op.Name} '{name}'";
        inputCount = inputs.Count;
        captures = new int[captured.Count][];
        for (var (g, at) = (0, inputCount); g < captures.Length; at += captures[g++].Length) captures[g] = [.. Enumerable.Range(at, captured[g].Count)];
    }

    /// <summary>The programs of the subgraphs.</summary>
    public IReadOnlyList<Program> Programs { get; }

    /// <inheritdoc/>
    public override long OwnedBytes => Programs.Sum(p => p.OwnedBytes);

    /// <inheritdoc/>
    public override IReadOnlyList<RuntimeValue> Run(RuntimeValue?[] inputs, ManagedContext context)
    {
        RuntimeValue[]?[] arguments = new RuntimeValue[captures.Length][];
        return op.Run(new(title, new ArraySegment<RuntimeValue?>(inputs, 0, inputCount), RunSubgraph, context.Limits, context.Cancellation));

        IReadOnlyList<RuntimeValue> RunSubgraph(int graph, ReadOnlySpan<RuntimeValue> values)
        {
            var captured = captures[graph];
            if (arguments[graph] is not { } all)
            {
                arguments[graph] = all = new RuntimeValue[values.Length + captured.Length];
                for (var i = 0; i < captured.Length; i++) all[values.Length + i] = inputs[captured[i]]!;
            }
            values.CopyTo(all);
            return context.RunProgram(Programs[graph], all, context.Cancellation);
        }
    }
}
