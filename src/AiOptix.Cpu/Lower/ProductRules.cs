using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>MatMul and Gemm in float32, with what follows them.</summary>
internal static class ProductRules
{
    /// <summary>Stands for an extent that is not known when a kernel is chosen.</summary>
    private const long TypicalExtent = 128;

    /// <summary>Longer extents are taken for this, and more products for <see cref="MostProducts"/>: a choice does not change beyond.</summary>
    private const long MostRows = 1 << 20;

    private const long MostProducts = 1 << 10;

    public static bool MatMul(Lowering lowering, Node node)
    {
        var (a, b) = (node.Inputs[0]!, node.Inputs[1]!);
        if (a.DType != DType.Float32 || a.Shape!.Rank == 0 || b.Shape!.Rank == 0) return false;
        var isMatrix = a.Shape.Rank > 1 && b.Shape.Rank > 1;
        var chain = EpilogueChain.Follow(lowering, node, -1, hasBias: !isMatrix);
        var (left, right) = (StridedOperand.Of(lowering, a), StridedOperand.Of(lowering, b));
        var w = isMatrix ? StridedOperand.Matrix(b) : null;
        var (kernel, isPacked) = Choose(lowering, node, right, w is not null);
        var parts = new MatMulParts(left, right, lowering.Slot(chain.Output)) { Kernel = kernel };
        if (isPacked) parts = parts with { PackedB = Pack(lowering, node, w!.Value.Matrix, kernel, w.Value.IsTurned) };
        Emit(lowering, node, chain, parts);
        return true;
    }

    public static bool Gemm(Lowering lowering, Node node)
    {
        var gemm = (Gemm)node.Operator;
        var (a, b, c) = (node.Inputs[0]!, node.Inputs[1]!, node.Input(2));
        if (a.DType != DType.Float32) return false;
        var bias = c is null ? null : Bias(c, node.Output.Shape!, gemm.Beta);
        if (c is not null && bias is null) return WithSum(lowering, node, gemm, c);
        var chain = EpilogueChain.Follow(lowering, node, -1, hasBias: c is not null);
        if (bias is { IsMatrix: true } && chain.Residual is not null) return false;
        var left = StridedOperand.Of(lowering, a);
        var right = StridedOperand.Of(lowering, b);
        if (gemm.TransB) right = right.Transposed(2);
        var (kernel, isPacked) = Choose(lowering, node, right, b.IsConstant);
        var parts = new MatMulParts(gemm.TransA ? left.Transposed(2) : left, right, lowering.Slot(chain.Output)) { Kernel = kernel, Alpha = gemm.Alpha };
        if (isPacked) parts = parts with { PackedB = Pack(lowering, node, b.Constant!, kernel, gemm.TransB) };
        if (bias is { Constant: { } k }) parts = parts with { ConstantBias = k };
        else if (bias is { IsMatrix: false }) parts = parts with { ColumnBias = lowering.Slot(c!) };
        else if (bias is not null) parts = parts with { Residual = lowering.Slot(c!) };
        Emit(lowering, node, chain, parts);
        return true;
    }

    /// <summary>A C of any shape, or with a factor: the product, then the sum.</summary>
    private static bool WithSum(Lowering lowering, Node node, Gemm gemm, Value c)
    {
        var product = lowering.Between(node, new(DType.Float32, node.Output.Shape!));
        var (left, right) = (StridedOperand.Of(lowering, node.Inputs[0]!), StridedOperand.Of(lowering, node.Inputs[1]!));
        if (gemm.TransB) right = right.Transposed(2);
        var (kernel, isPacked) = Choose(lowering, node, right, node.Inputs[1]!.IsConstant);
        var parts = new MatMulParts(gemm.TransA ? left.Transposed(2) : left, right, product) { Kernel = kernel, Alpha = gemm.Alpha };
        if (isPacked) parts = parts with { PackedB = Pack(lowering, node, node.Inputs[1]!.Constant!, kernel, gemm.TransB) };
        Prepare(lowering, node, parts);
        lowering.Emit(new MatMulStep(node.Name, parts, lowering.Target) { Operation = node.Operator.Name, Origins = [.. node.Origins] });
        ElementwiseRules.AddScaled(lowering, node, product, c, gemm.Beta);
        return true;
    }

    private static void Emit(Lowering lowering, Node node, EpilogueChain chain, MatMulParts parts)
    {
        if (chain.Bias is { } bias) parts = parts with { ConstantBias = bias };
        if (chain.Residual is { } residual) parts = parts with { Residual = lowering.Slot(residual) };
        parts = parts with { Activation = chain.Activation, Args = chain.Args };
        Prepare(lowering, node, parts);
        var step = new MatMulStep(chain.Nodes[^1].Name, parts, lowering.Target) { Operation = chain.Operation, Origins = [.. chain.Origins] };
        lowering.Emit(step, chain.Nodes);
    }

    private static void Prepare(Lowering lowering, Node node, MatMulParts parts)
    {
        var areMatrices = node.Inputs.Take(2).All(i => i!.Shape!.Rank > 1);
        var shape = new GemmShape(areMatrices ? Extent(node.Output, -2) : 0, areMatrices ? Extent(node.Output, -1) : 0, 0, PackedB: parts.PackedB is not null, CompactB: parts.PackedB is { IsCompact: true });
        var isPlain = parts is { Activation: Activation.None, ConstantBias: null, ColumnBias: < 0, Residual: < 0, Alpha: 1f };
        Activation? activation = isPlain ? null : parts.Activation;
        var (columnsOfA, columnsOfB) = (AreColumnsAdjacent(parts.A), AreColumnsAdjacent(parts.B));
        lowering.Prepare($"product {parts.Kernel.Name} {shape} {columnsOfA} {columnsOfB} {Activations.Label(activation)}", () => GemmPlan.Rehearse(shape, columnsOfA, columnsOfB, activation, lowering.Target, parts.Kernel));
    }

    /// <summary>
    /// The kernel of a product, and whether B is packed, which only a constant matrix may be. Where the number of rows is open, such a matrix is packed, and the product is taken for one of many rows;
    /// other open extents are taken for typical ones.
    /// </summary>
    private static (GemmKernel Kernel, bool IsPacked) Choose(Lowering lowering, Node node, StridedOperand b, bool isConstant)
    {
        var (left, right, output) = (node.Inputs[0]!.Shape!, node.Inputs[1]!.Shape!, node.Output.Shape!);
        var n = right.Rank == 1 ? 1 : output[-1].Constant ?? TypicalExtent;
        var k = right[right.Rank == 1 || node.Operator is Gemm { TransB: true } ? -1 : -2].Constant ?? TypicalExtent;
        var isTurned = !AreColumnsAdjacent(b);
        var rows = left.Rank > 1 && output.Rank > (right.Rank == 1 ? 0 : 1) ? output[right.Rank == 1 ? -1 : -2] : Dim.One;
        var batches = output.Rank > 2 ? Queries.Each(output.Rank - 2, i => output[i].Constant) : [];
        if (!isConstant)
        {
            var batch = batches.Aggregate(1L, (all, d) => Math.Min(MostProducts, all * Math.Max(1, d ?? 1)));
            return GemmProblem.Form(lowering.Choose(new GemmProblem(Few(rows.Constant ?? TypicalExtent), Few(n), Few(k), (int)batch, GemmOperand.InPlace, isTurned)));
        }
        var isOpen = rows.Constant is null || Array.Exists(batches, d => d is null);
        var m = isOpen ? TypicalExtent : batches.Aggregate(rows.Constant!.Value, (all, d) => Math.Min(MostRows, all * d!.Value));
        return GemmProblem.Form(lowering.Choose(new GemmProblem(Few(m), Few(n), Few(k), B: isOpen ? GemmOperand.Packed : GemmOperand.Either, IsTurned: isTurned)));
    }

    private static int Few(long extent) => (int)Math.Min(extent, MostRows);

    /// <summary>The extent of an axis that a product keeps; 0 when it is not known, or when other axes may join it.</summary>
    private static int Extent(Value output, int axis) =>
        axis == -1 || output.Shape!.Rank == 2 ? checked((int)(output.Shape![axis].Constant ?? 0)) : 0;

    private static bool AreColumnsAdjacent(StridedOperand operand) => operand.Perm is not { } perm || perm[^1] == perm.Length - 1;

    /// <summary>
    /// Whether weights are packed compactly: where a single row reads all of them from memory. So it is when the product has one row, and when the rows are open in a model that is called with a past: it
    /// is called for one more row most of the time.
    /// </summary>
    private static bool IsCompact(Lowering lowering, Node node, GemmKernel kernel, int k)
    {
        if (!kernel.CanCompact(k) || !lowering.WeightsOutgrowCaches) return false;
        var rows = node.Output.Shape!.SkipLast(1);
        return rows.All(d => d.Constant == 1) || (lowering.IsIncremental && rows.Any(d => d.Constant is null));
    }

    /// <summary>Packs a constant matrix: [K,N], or [N,K] when it is transposed.</summary>
    private static unsafe (MemoryBlock, int K, int N, bool IsCompact) Pack(Lowering lowering, Node node, Tensor w, GemmKernel kernel, bool transposed)
    {
        var (k, n) = transposed ? (w.Shape[1], w.Shape[0]) : (w.Shape[0], w.Shape[1]);
        var plan = new GemmPlan(new GemmShape(2, checked((int)n), checked((int)k), PackedB: true, CompactB: IsCompact(lowering, node, kernel, (int)k)), lowering.Target, kernel);
        var block = lowering.Pack($"{plan.Kernel.Name} {plan.Shape} {transposed}", plan.PackedBBytes,
            to => plan.PackB((float*)w.Pointer, transposed ? 1 : (nint)n, transposed ? (nint)k : 1, (float*)to), w);
        return (block, (int)k, (int)n, plan.Shape.CompactB);
    }

    /// <summary>How Gemm's C can be added: as a row of constants, as a row, or as a whole matrix; null when none of them does.</summary>
    private static GemmBias? Bias(Value c, SymbolicShape output, float beta)
    {
        if (c.Shape is not { } s) return null;
        var isRow = s.Rank > 0 && s[-1].Equals(output[1]) && (s.Rank == 1 || s[0].Constant == 1);
        if (c.Constant is { } k && output[1].Constant is { } n && (isRow || k.Count == 1)) return new(Scaled(k, n, beta), false);
        if (beta != 1) return null;
        return isRow ? new(null, false) : s.Equals(output) ? new(null, true) : null;
    }

    private static Tensor Scaled(Tensor c, long n, float beta)
    {
        if (beta == 1 && c.Count == n) return c;
        var result = Tensor.Allocate(DType.Float32, new Shape(n));
        var from = c.Span<float>();
        var to = result.Span<float>();
        for (var i = 0; i < to.Length; i++) to[i] = beta * from[from.Length == 1 ? 0 : i];
        GC.KeepAlive(c);
        return result;
    }

    private sealed record GemmBias(Tensor? Constant, bool IsMatrix);
}
