using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>
/// MatMulInteger with constant weights, whose argument may have a zero point that only a run tells. A Cast to float32, a product with a scale (that of the argument times those of the weights, or a
/// constant) and a constant bias behind it, as dynamic quantisation writes them, are done before a result is stored.
/// </summary>
internal static unsafe class IntegerProductRules
{
    public static bool MatMul(Lowering lowering, Node node)
    {
        var a = node.Inputs[0]!;
        if (node.Inputs[1]!.Constant is not { Shape.Rank: 2 } w || a.Shape!.Rank < 2 || !a.Shape[-1].Equals(w.Shape[0])) return false;
        if (node.Input(2) is { Shape: { } z } && !z.All(d => d.Constant == 1) || node.Input(3) is { IsConstant: false }) return false;
        var (terms, outputs) = (checked((int)w.Shape[0]), checked((int)w.Shape[1]));
        var zeros = node.Input(3)?.Constant!.ToInt64() ?? [0L];
        if (zeros.Length != 1 && zeros.Length != outputs || 255L * 255 * terms > int.MaxValue) return false;
        var chain = Chain.Follow(lowering, node, outputs);
        var weights = new WeightBytes(w, zeros, IsFilterFirst: false, outputs, terms);
        QuantizedShape Describe(long rows) => QuantizedShape.Product(checked((int)rows), terms, outputs, chain.Factors is null ? QuantizedResult.Int32 : QuantizedResult.Float32) with
        {
            IsSigned = a.DType == DType.Int8, WeightParts = weights.Parts, IsDynamic = true, HasAddends = chain.Bias is not null,
        };
        var (form, target) = (Describe(1), lowering.Target);
        var kernel = QuantizedConvTable.Select(form, target);
        var packed = lowering.Pack($"{kernel.Name} {form} {weights.Digest([], chain.Factors ?? [], chain.Bias ?? [])}", kernel.Plan(form, target).PackedWeightBytes,
            to => weights.Pack(kernel.Plan(form, target), null, chain.Factors, chain.Bias, 0, to), w);
        lowering.Prepare($"{kernel.Name} {form}", () => kernel.Rehearse(form with { Conv = form.Conv with { Batch = 0 } }, false, target));
        var (x, y) = (lowering.Slot(a), lowering.Slot(chain.Output));
        var zero = node.Input(2) is { } zeroValue ? lowering.Slot(zeroValue) : -1;
        var scale = chain.Scale is { } scaleValue ? lowering.Slot(scaleValue) : -1;
        var isSigned = form.IsSigned;
        lowering.Emit(new PlanStep(chain.Nodes[^1].Name, [.. new[] { x, zero, scale }.Where(s => s >= 0)], [y], context =>
        {
            var dims = a.Shape.Select(context.Evaluate).ToArray();
            var plan = kernel.Plan(Describe(new Shape(dims).Product(0, dims.Length - 1)), target);
            return new PlanTasks((m, first, end, scratch) =>
            {
                var call = new QuantizedConvCall
                {
                    X = (byte*)m[x],
                    InputZero = zero < 0 ? 0 : isSigned ? *(sbyte*)m[zero] : *(byte*)m[zero],
                    InputScale = scale < 0 ? 1 : *(float*)m[scale],
                    PackedWeights = (byte*)packed.Pointer,
                    Y = (byte*)m[y],
                };
                plan.Run(call, first, end, scratch);
            })
            {
                Kernel = plan.KernelName,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        })
        {
            Operation = string.Join('+', chain.Nodes.Select(n => n.Operator.Name)),
            Origins = [.. chain.Nodes.SelectMany(n => n.Origins).Distinct(StringComparer.Ordinal)],
            Weights = packed.Length,
        }, chain.Nodes);
        return true;
    }

    /// <summary>What follows and is done in the same step.</summary>
    /// <param name="Nodes">The nodes, the product first.</param>
    /// <param name="Output">What the step writes.</param>
    /// <param name="Factors">One factor a column; null where the sums are the result.</param>
    /// <param name="Scale">A number that all factors are multiplied with, or null.</param>
    /// <param name="Bias">What is added to a column, or null.</param>
    private sealed record Chain(IReadOnlyList<Node> Nodes, Value Output, float[]? Factors, Value? Scale, float[]? Bias)
    {
        public static Chain Follow(Lowering lowering, Node node, int outputs)
        {
            var none = new Chain([node], node.Output, null, null, null);
            if (Next(lowering, node.Output) is not { Operator: Cast, Output.DType: DType.Float32 } cast || Next(lowering, cast.Output) is not { Operator: Mul } times) return none;
            if (!times.Output.Shape!.Equals(node.Output.Shape) || Other(times, cast.Output) is not { } factor) return none;
            Chain? scaled = null;
            if (Row(factor, outputs) is { } constants) scaled = new([node, cast, times], times.Output, constants, null, null);
            else if (factor.Producer is { Operator: Mul, Inputs: [{ } left, { } right] } && factor.Producer.Graph == lowering.Graph)
                foreach (var (number, row) in new[] { (left, right), (right, left) })
                    if (number is { DType: DType.Float32, Shape: { } s } && s.All(d => d.Constant == 1) && Row(row, outputs) is { } scales) scaled ??= new([node, cast, times], times.Output, scales, number, null);
            if (scaled is null) return none;
            if (Next(lowering, times.Output) is not { Operator: Add } plus || !plus.Output.Shape!.Equals(times.Output.Shape) || Other(plus, times.Output) is not { } addend || Row(addend, outputs) is not { } bias) return scaled;
            return scaled with { Nodes = [.. scaled.Nodes, plus], Output = plus.Output, Bias = bias };
        }

        private static Node? Next(Lowering lowering, Value value) => value.SoleUser is { } next && next.Graph == lowering.Graph && !lowering.IsClaimed(next) ? next : null;

        private static Value? Other(Node node, Value value) => node.Inputs[0] == node.Inputs[1] ? null : node.Inputs[0] == value ? node.Inputs[1] : node.Inputs[0];

        /// <summary>One constant for each column, or one for all.</summary>
        private static float[]? Row(Value value, int outputs)
        {
            if (value.Constant is not { DType: DType.Float32 } c || c.Count != 1 && (c.Count != outputs || c.Shape.Rank == 0 || c.Shape[-1] != outputs)) return null;
            var all = c.Span<float>().ToArray();
            GC.KeepAlive(c);
            return all.Length == outputs ? all : [.. Enumerable.Repeat(all[0], outputs)];
        }
    }
}
