using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.LinearAttention;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>LinearAttention in float32.</summary>
internal static unsafe class LinearAttentionRules
{
    public static bool LinearAttention(Lowering lowering, Node node)
    {
        var op = (LinearAttention)node.Operator;
        if (node.Inputs.Concat(node.Outputs).Any(v => v is { DType: not DType.Float32 } or { Shape: null })) return false;
        int SlotOf(int input) => node.Input(input) is { } v ? lowering.Slot(v) : -1;
        var (q, k, v, past, y, target) = (SlotOf(0), SlotOf(1), SlotOf(2), SlotOf(3), lowering.Slot(node.Outputs[0]), lowering.Target);
        var (decay, rate) = (op.Gated ? SlotOf(4) : -1, op.Delta ? SlotOf(5) : -1);
        var present = node.Outputs.Count > 1 ? lowering.Slot(node.Outputs[1]) : -1;
        var row = LinearAttentionTable.Select(target);
        lowering.Prepare(row.Name, () => LinearAttentionPlan.Rehearse(row));
        lowering.Emit(node, new[] { q, k, v, past, decay, rate }.Where(s => s >= 0), context =>
        {
            var (queries, values) = (context.Shape(q), context.Shape(v));
            var (tokens, keySize, valueSize) = (queries[0] * queries[1], queries[2] / op.QueryHeads, values[2] / op.KeyHeads);
            long Each(int slot) => slot < 0 ? 0 : tokens == 0 ? op.KeyHeads : context.Shape(slot).Count / tokens;
            var (decays, rates) = (Each(decay), Each(rate));
            if (queries[2] != keySize * op.QueryHeads || context.Shape(k) != new Shape(queries[0], queries[1], keySize * op.KeyHeads) || values != new Shape(queries[0], queries[1], valueSize * op.KeyHeads))
                throw new InvalidInputException($"node {node}: queries of shape {queries}, keys of shape {context.Shape(k)} and values of shape {values} do not fit {op.QueryHeads} and {op.KeyHeads} heads");
            if (past >= 0 && context.Shape(past).Count != queries[0] * op.KeyHeads * keySize * valueSize || decay >= 0 && decays != op.KeyHeads && decays != op.KeyHeads * keySize || rate >= 0 && rates != 1 && rates != op.KeyHeads)
                throw new InvalidInputException($"node {node}: the past state, the decay or the update rate has the wrong size");
            var scale = op.Scale == 0 ? (float)(1 / Math.Sqrt(keySize)) : op.Scale;
            var plan = new LinearAttentionPlan(new(queries[0], queries[1], checked((int)op.QueryHeads), checked((int)op.KeyHeads), checked((int)keySize), checked((int)valueSize), decays, rates, scale), target, row);
            return new PlanTasks((s, from, to, scratch) => plan.Run(new LinearAttentionCall
            {
                Queries = (float*)s[q],
                Keys = (float*)s[k],
                Values = (float*)s[v],
                Past = past < 0 ? null : (float*)s[past],
                Decays = decay < 0 ? null : (float*)s[decay],
                Rates = rate < 0 ? null : (float*)s[rate],
                Y = (float*)s[y],
                Present = present < 0 ? null : (float*)s[present],
            }, from, to, scratch))
            {
                Kernel = row.Name,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        });
        return true;
    }
}
