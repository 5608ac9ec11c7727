using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>
/// MatMulInteger and ConvInteger with constant weights, whose argument may have a zero point that only a run tells. A Cast to float32, a product with a scale (that of the argument times those of the weights, or a
/// constant) and a constant bias behind it, as dynamic quantisation writes them, are done before a result is stored.
/// </summary>
internal static unsafe class IntegerProductRules
{
    public static bool MatMul(Lowering lowering, Node node)
    {
        var a = node.Inputs[0]!;
        if (node.Inputs[1]!.Constant is not { Shape.Rank: 2 } w || a.Shape!.Rank < 2 || !a.Shape[-1].Equals(w.Shape[0])) return false;
        var (terms, outputs) = (checked((int)w.Shape[0]), checked((int)w.Shape[1]));
        if (Weights(node, w, isFilterFirst: false, outputs, terms) is not { } weights) return false;
        var chain = Chain.Follow(lowering, node, outputs);
        ConvShape Describe(ReadOnlySpan<long> dims) => QuantizedShape.Product(checked((int)new Shape(dims).Product(0, dims.Length - 1)), terms, outputs, default).Conv;
        Emit(lowering, node, chain, weights, new(lowering.Slot(a), 0, 0), new(lowering.Slot(chain.Output), 0, 0), Describe([1, terms]), a.Shape, Describe);
        return true;
    }

    public static bool Conv(Lowering lowering, Node node, ConvInteger op)
    {
        var conv = op.Convolution;
        if (node.Inputs[1]!.Constant is not { Shape.Rank: >= 3 and <= 5 } w) return false;
        var outputs = checked((int)w.Shape[0]);
        if (Weights(node, w, isFilterFirst: true, outputs, (int)(w.Count / Math.Max(1, outputs))) is not { } weights) return false;
        var x = node.Inputs[0]!;
        var readsFirst = ConvRules.ReadsChannelsFirst(lowering, x, out var first);
        if (readsFirst) x = first!;
        var chain = Chain.Follow(lowering, node, outputs);
        var (geometry, group, extents) = (conv.Geometry(w.Shape.Dims[2..]), checked((int)conv.Group), x.Shape!);
        var (from, to) = (readsFirst ? new(lowering.Slot(x), 0, 0) : lowering.Read(x), lowering.Place(chain.Output));
        ConvShape Describe(ReadOnlySpan<long> dims)
        {
            var shape = ConvParts.Describe(geometry, group, outputs, dims, readsFirst);
            if (from.Pitch != 0) shape = shape with { XPitch = from.Pitch };
            return to.Pitch != 0 ? shape with { YPitch = to.Pitch } : shape;
        }
        Emit(lowering, node, chain, weights, from, to, Describe([.. extents.Select((d, i) => d.Constant ?? (i == 0 ? 1 : ConvRules.TypicalExtent))]), extents, Describe);
        return true;
    }

    private delegate ConvShape Description(ReadOnlySpan<long> dims);

    /// <summary>The weights with their zero points; null when these are not constant, or when a sum might leave int32.</summary>
    private static WeightBytes? Weights(Node node, Tensor w, bool isFilterFirst, int outputs, int terms)
    {
        if (node.Input(2) is { Shape: { } z } && !z.All(d => d.Constant == 1) || node.Input(3) is { IsConstant: false }) return null;
        var zeros = node.Input(3)?.Constant!.ToInt64() ?? [0L];
        return zeros.Length != 1 && zeros.Length != outputs || 255L * 255 * terms > int.MaxValue ? null : new(w, zeros, isFilterFirst, outputs, terms);
    }

    private static void Emit(Lowering lowering, Node node, Chain chain, WeightBytes weights, ChannelSlice from, ChannelSlice to, ConvShape typical, SymbolicShape extents, Description describe)
    {
        // With everything known, the zero point is part of what is packed.
        var known = chain.Scale is not null ? null : node.Input(2) is { } z ? z.Constant?.ToInt64()[0] : 0;
        QuantizedShape Shape(ConvShape conv) => new(conv, chain.Factors is null ? QuantizedResult.Int32 : QuantizedResult.Float32)
        {
            IsSigned = node.Inputs[0]!.DType == DType.Int8, WeightParts = weights.Parts, IsDynamic = known is null, HasAddends = chain.Bias is not null,
        };
        var (form, target) = (Shape(typical), lowering.Target);
        var kernel = QuantizedConvTable.Named(lowering.Choose(new QuantizedProblem(form with { Conv = form.Conv.Dense() })));
        var packed = lowering.Pack($"{kernel.Name} {form} {weights.Digest([], chain.Factors ?? [], chain.Bias ?? [], (int)(known ?? 0))}", kernel.Plan(form, target).PackedWeightBytes,
            bytes => weights.Pack(kernel.Plan(form, target), null, chain.Factors, chain.Bias, (int)(known ?? 0), bytes), weights.Weights);
        var isKnown = extents.Skip(1).All(d => d.Constant is not null);
        var rehearsed = form with { Conv = form.Conv with { Batch = extents[0].Constant is null ? 0 : form.Conv.Batch } };
        lowering.Prepare($"{kernel.Name} {rehearsed} {isKnown}", () => kernel.Rehearse(rehearsed, isKnown, target));
        var zero = known is null && node.Input(2) is { } zeroValue ? lowering.Slot(zeroValue) : -1;
        var scale = chain.Scale is { } scaleValue ? lowering.Slot(scaleValue) : -1;
        var (isSigned, size) = (form.IsSigned, form.ResultBytes);
        lowering.Emit(new PlanStep(chain.Nodes[^1].Name, [.. new[] { from.Slot, zero, scale }.Where(s => s >= 0)], [to.Slot], context =>
        {
            var plan = kernel.Plan(Shape(describe([.. extents.Select(context.Evaluate)])), target);
            return new PlanTasks((m, first, end, scratch) =>
            {
                var call = new QuantizedConvCall
                {
                    X = (byte*)m[from.Slot] + from.Offset,
                    InputZero = zero < 0 ? (int)(known ?? 0) : isSigned ? *(sbyte*)m[zero] : *(byte*)m[zero],
                    InputScale = scale < 0 ? 1 : *(float*)m[scale],
                    PackedWeights = (byte*)packed.Pointer,
                    Y = (byte*)m[to.Slot] + (nint)to.Offset * size,
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
            else if (Before(factor, outputs) is { Producer: { Operator: Mul, Inputs: [{ } left, { } right] } product } && product.Graph == lowering.Graph)
                foreach (var (number, row) in new[] { (left, right), (right, left) })
                    if (number is { DType: DType.Float32, Shape: { } s } && s.All(d => d.Constant == 1) && Row(row, outputs, isTurned: product != factor.Producer) is { } scales) scaled ??= new([node, cast, times], times.Output, scales, number, null);
            if (scaled is null) return none;
            if (Next(lowering, times.Output) is not { Operator: Add } plus || !plus.Output.Shape!.Equals(times.Output.Shape) || Other(plus, times.Output) is not { } addend || Row(addend, outputs) is not { } bias) return scaled;
            return scaled with { Nodes = [.. scaled.Nodes, plus], Output = plus.Output, Bias = bias };
        }

        private static Node? Next(Lowering lowering, Value value) => value.SoleUser is { } next && next.Graph == lowering.Graph && !lowering.IsClaimed(next) ? next : null;

        private static Value? Other(Node node, Value value) => node.Inputs[0] == node.Inputs[1] ? null : node.Inputs[0] == value ? node.Inputs[1] : node.Inputs[0];

        /// <summary>What a row of factors is before its only axis that is not 1 is brought behind.</summary>
        private static Value Before(Value factor, int outputs) => factor is { Producer: { Operator: Transpose } turn, Shape: { } s } && s[-1].Constant == outputs && s.Count.Constant == outputs ? turn.Inputs[0]! : factor;

        /// <summary>One constant for each column, or one for all.</summary>
        private static float[]? Row(Value value, int outputs, bool isTurned = false)
        {
            if (value.Constant is not { DType: DType.Float32 } c || c.Count != 1 && (c.Count != outputs || c.Shape.Rank == 0 || c.Shape[-1] != outputs && !isTurned)) return null;
            var all = c.Span<float>().ToArray();
            GC.KeepAlive(c);
            return all.Length == outputs ? all : [.. Enumerable.Repeat(all[0], outputs)];
        }
    }
}
