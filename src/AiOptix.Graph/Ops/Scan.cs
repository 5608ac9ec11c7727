using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX Scan (opset 9 and up): runs a body once for each slice of its scan inputs. Inputs: state values, then scan inputs. The body takes (state values, slices) and gives
/// (state values, scan values). Outputs: the final state values, then each scan value of all iterations stacked along an axis.
/// </summary>
/// <param name="Body">The body.</param>
/// <param name="ScanInputs">How many of the inputs are sliced: the last ones.</param>
/// <param name="InputAxes">The axis of each scan input.</param>
/// <param name="InputReversed">Whether each scan input is read from the end.</param>
/// <param name="OutputAxes">The axis of each stacked output.</param>
/// <param name="OutputReversed">Whether each stacked output is written from the end.</param>
public sealed record Scan(Graph Body, int ScanInputs, ValueList<long> InputAxes, ValueList<bool> InputReversed, ValueList<long> OutputAxes, ValueList<bool> OutputReversed) : ControlFlow
{
    /// <inheritdoc/>
    public override IReadOnlyList<Graph> Subgraphs => [Body];

    /// <inheritdoc/>
    public override Operator WithSubgraphs(IReadOnlyList<Graph> subgraphs) => this with { Body = subgraphs[0] };

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var states = context.InputCount - ScanInputs;
        if (ScanInputs < 1 || states < 0) throw context.Error($"num_scan_inputs is {ScanInputs}, but there are {context.InputCount} inputs");
        if (Body.Inputs.Count != context.InputCount) throw context.Error($"body '{Body.Name}' takes {Body.Inputs.Count} values; expected {context.InputCount}");
        if (Body.Outputs.Count < states) throw context.Error($"body '{Body.Name}' gives {Body.Outputs.Count} values; expected at least {states}");
        if (InputAxes.Count != ScanInputs || InputReversed.Count != ScanInputs) throw context.Error($"axes and directions of {ScanInputs} scan inputs are needed");
        var scans = Body.Outputs.Count - states;
        if (OutputAxes.Count != scans || OutputReversed.Count != scans) throw context.Error($"axes and directions of {scans} scan outputs are needed");
        Dim? length = null;
        var types = new GraphType?[context.InputCount];
        for (var i = 0; i < types.Length; i++) types[i] = i < states ? context.Type(i) : SliceType(context, i, i - states, ref length);
        var settled = Loop.Settle(context, Body, types, inputOffset: 0, outputOffset: 0, states);
        var shared = SharedSymbols(Body);
        shared.UnionWith(types.OfType<TensorType>().SelectMany(t => t.Shape?.Symbols ?? []));
        for (var i = 0; i < states && i < context.OutputCount; i++) context.Set(i, Join(context, settled[i], settled[i], shared, $"output {i}")!);
        for (var i = 0; i < scans && states + i < context.OutputCount; i++)
        {
            if (Body.Outputs[states + i].Type is not { } type) continue;
            if (Join(context, type, type, shared, $"output {states + i}") is not TensorType t) throw context.Error($"output {states + i} stacks values of type {type}; only tensors can be stacked");
            if (t.Shape is not { } s)
            {
                context.Set(states + i, t.DType, null);
                continue;
            }
            var axis = context.Axis(OutputAxes[i], s.Rank + 1);
            context.Set(states + i, t.DType, new SymbolicShape([.. s.Take(axis), length ?? context.Fresh(), .. s.Skip(axis)]));
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<RuntimeValue> Run(ControlFlowRun run)
    {
        var states = run.Inputs.Count - ScanInputs;
        var carried = run.Inputs.Take(states).Select(v => v!.Share()).ToArray();
        var inputs = Enumerable.Range(0, ScanInputs).Select(i => run.Tensor(states + i)).ToArray();
        var axes = inputs.Select((t, i) => (int)(InputAxes[i] < 0 ? InputAxes[i] + t.Shape.Rank : InputAxes[i])).ToArray();
        for (var i = 0; i < inputs.Length; i++)
            if (axes[i] < 0 || axes[i] >= inputs[i].Shape.Rank) throw run.Error($"axis {InputAxes[i]} is out of range for scan input {inputs[i]}");
        var length = inputs[0].Shape[axes[0]];
        for (var i = 1; i < inputs.Length; i++)
            if (inputs[i].Shape[axes[i]] != length) throw run.Error($"scan inputs have {length} and {inputs[i].Shape[axes[i]]} slices; they must have as many");
        if (length > run.Limits.MaxLoopTrips) throw new LimitExceededException($"node {run.Node}: {length} trips; the limit is {run.Limits.MaxLoopTrips} (Limits.MaxLoopTrips)");
        var stacks = Enumerable.Range(0, Body.Outputs.Count - states).Select(_ => new List<Tensor>()).ToArray();
        long held = 0;
        for (long t = 0; t < length; t++)
        {
            run.Cancellation.ThrowIfCancellationRequested();
            var slices = inputs.Select((s, i) => Stacking.Slice(s, axes[i], InputReversed[i] ? length - 1 - t : t)).ToArray();
            var results = run.RunSubgraph(0, [.. carried, .. slices]);
            foreach (var slice in slices) slice.Dispose();
            for (var k = 0; k < states; k++)
            {
                carried[k].Dispose();
                carried[k] = results[k];
            }
            for (var k = 0; k < stacks.Length; k++) held = run.Keep(results[states + k], stacks[k], held);
        }
        return [.. carried, .. stacks.Select((s, k) => Stacking.Stack(s, OutputAxes[k], OutputReversed[k], Body.Outputs[states + k], run))];
    }

    private TensorType SliceType(InferenceContext context, int input, int scan, ref Dim? length)
    {
        var type = context.Tensor(input);
        if (type.Shape is not { } shape) return new(type.DType, null);
        var axis = context.Axis(InputAxes[scan], shape.Rank);
        if (length is null) length = shape[axis];
        else context.AssumeEqual(length, shape[axis], "scan inputs must have as many slices");
        return new(type.DType, new([.. shape.Take(axis), .. shape.Skip(axis + 1)]));
    }
}
