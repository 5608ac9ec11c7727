using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX Loop: runs a body until its trip count is reached or its condition is false. Inputs: trip count (optional), condition (optional), carried values. The body
/// takes (iteration, condition, carried values) and gives (condition, carried values, scan values). Outputs: the carried values, then each scan value of all
/// iterations stacked along a new first axis.
/// </summary>
/// <param name="Body">The body.</param>
public sealed record Loop(Graph Body) : ControlFlow
{
    private const int MostRounds = 1000;

    /// <inheritdoc/>
    public override IReadOnlyList<Graph> Subgraphs => [Body];

    /// <inheritdoc/>
    public override Operator WithSubgraphs(IReadOnlyList<Graph> subgraphs) => new Loop(subgraphs[0]);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var carried = Math.Max(0, context.InputCount - 2);
        if (Body.Inputs.Count != carried + 2) throw context.Error($"body '{Body.Name}' takes {Body.Inputs.Count} values; expected {carried + 2}: iteration, condition, {carried} carried");
        var scans = Body.Outputs.Count - 1 - carried;
        if (scans < 0) throw context.Error($"body '{Body.Name}' gives {Body.Outputs.Count} values; expected at least {carried + 1}: condition, {carried} carried");
        var initial = Enumerable.Range(2, carried).Select(context.Type).ToArray();
        var types = Settle(context, Body, [new TensorType(DType.Int64, new()), new TensorType(DType.Bool, new()), .. initial], inputOffset: 2, outputOffset: 1, carried);
        var shared = SharedSymbols(Body);
        shared.UnionWith(initial.OfType<TensorType>().SelectMany(t => t.Shape?.Symbols ?? []));
        for (var i = 0; i < carried && i < context.OutputCount; i++)
        {
            // A value that begins as an empty optional and that every iteration fills is what the body makes it.
            var type = types[i] is OptionalType && Body.Outputs[1 + i].Type is { } made and not OptionalType ? made : types[i];
            context.Set(i, Join(context, type, type, shared, $"output {i}")!);
        }
        var trips = context.OutputCount > carried ? context.Fresh() : Dim.Zero;
        for (var i = 0; i < scans && carried + i < context.OutputCount; i++)
        {
            if (Body.Outputs[1 + carried + i].Type is not { } type) continue;
            if (Join(context, type, type, shared, $"output {carried + i}") is not TensorType t) throw context.Error($"output {carried + i} stacks values of type {type}; only tensors can be stacked");
            context.Set(carried + i, t.DType, t.Shape is { } s ? new SymbolicShape([trips, .. s]) : null);
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<RuntimeValue> Run(ControlFlowRun run)
    {
        var trips = run.Inputs.Count > 0 && run.Inputs[0] is Tensor m ? m.ToInt64()[0] : long.MaxValue;
        var condition = run.Inputs.Count < 2 || run.Inputs[1] is not Tensor c || IsTrue(c, run);
        RuntimeValue[] arguments = [null!, Tensor.Scalar(true), .. run.Inputs.Skip(2).Select(v => v!.Share())];
        var carried = arguments.AsSpan(2);
        var stacks = Enumerable.Range(0, Body.Outputs.Count + 1 - arguments.Length).Select(_ => new List<Tensor>()).ToArray();
        long held = 0;
        for (long i = 0; i < trips && condition; i++)
        {
            run.Cancellation.ThrowIfCancellationRequested();
            if (i >= run.Limits.MaxLoopTrips) throw new LimitExceededException($"node {run.Node}: more than {run.Limits.MaxLoopTrips} trips (Limits.MaxLoopTrips)");
            arguments[0] = Tensor.Scalar(i);
            var results = run.RunSubgraph(0, arguments);
            arguments[0].Dispose();
            condition = IsTrue(results[0] as Tensor ?? throw run.Error($"a condition must be one bool, found {results[0]}"), run);
            results[0].Dispose();
            for (var k = 0; k < carried.Length; k++)
            {
                carried[k].Dispose();
                carried[k] = results[1 + k];
            }
            for (var k = 0; k < stacks.Length; k++) held = run.Keep(results[1 + carried.Length + k], stacks[k], held);
        }
        arguments[1].Dispose();
        return [.. carried, .. stacks.Select((s, k) => Stacking.Stack(s, 0, reversed: false, Body.Outputs[arguments.Length - 1 + k], run))];
    }

    /// <summary>The value of a condition: one boolean.</summary>
    internal static bool IsTrue(Tensor condition, ControlFlowRun run)
    {
        if (condition.DType != DType.Bool || condition.Count != 1) throw run.Error($"a condition must be one bool, found {condition}");
        var value = condition.Span<byte>()[0] != 0;
        GC.KeepAlive(condition);
        return value;
    }

    /// <summary>
    /// Finds types of carried values that hold before and after every iteration: begins with those of the initial values and widens what the body changes, until nothing
    /// changes any more. Sets the types of the body's inputs.
    /// </summary>
    /// <returns>The types of the carried values.</returns>
    internal static GraphType[] Settle(InferenceContext context, Graph body, GraphType?[] inputs, int inputOffset, int outputOffset, int carried)
    {
        for (var i = 0; i < inputs.Length; i++)
            if (inputs[i] is { } type) body.Inputs[i].Type = type;
        bool changed;
        var rounds = 0;
        do
        {
            if (rounds++ > MostRounds) throw context.Error($"the types of the values that body '{body.Name}' carries do not settle");
            body.InferAll();
            changed = false;
            for (var k = 0; k < carried; k++)
            {
                var (before, after) = (body.Inputs[inputOffset + k], body.Outputs[outputOffset + k]);
                if (after.Type is null || Equals(after.Type, before.Type)) continue;
                var wider = Join(context, before.Type, after.Type, null, $"carried value {k}");
                if (SameKnowledge(wider, before.Type)) continue;
                before.Type = wider;
                changed = true;
            }
        }
        while (changed);
        return [.. Enumerable.Range(0, carried).Select(k => body.Inputs[inputOffset + k].Type ?? throw context.Error($"nothing says what type carried value {k} has"))];
    }

    // An extent that was widened once stays as it is: another fresh symbol in its place says no more and no less.
    private static bool SameKnowledge(GraphType? wider, GraphType? before) => (wider, before) switch
    {
        (TensorType { Shape: { } a } x, TensorType { Shape: { } b } y) => x.DType == y.DType && a.Rank == b.Rank && a.Zip(b).All(p => p.First.Equals(p.Second) || (Graph.IsFresh(p.First) && Graph.IsFresh(p.Second))),
        (SequenceType a, SequenceType b) => SameKnowledge(a.Element, b.Element),
        (OptionalType a, OptionalType b) => SameKnowledge(a.Element, b.Element),
        _ => Equals(wider, before),
    };
}
