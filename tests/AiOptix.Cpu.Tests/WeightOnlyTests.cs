using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Products with stored weights of 4 and 8 bits, in the forms that files hold them in.</summary>
public class WeightOnlyTests
{
    private static readonly Dim N = Dim.Symbol("n");

    public static TheoryData<DType, long, bool, bool> Forms
    {
        get
        {
            var all = new TheoryData<DType, long, bool, bool>();
            foreach (var type in new[] { DType.Int8, DType.UInt8, DType.Int4, DType.UInt4 })
                foreach (var block in new long[] { 0, -1, 16, 20, 64, 1000 })
                    foreach (var isTransposed in new[] { false, true })
                        foreach (var hasZeros in new[] { false, true })
                            if (block >= 0 || !hasZeros) all.Add(type, block, isTransposed, hasZeros);
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Weights_stay_stored(DType type, long block, bool isTransposed, bool hasZeros)
    {
        const int k = 75, n = 37;
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 2, k));
        var shape = isTransposed ? new Shape(n, k) : new Shape(k, n);
        var blocks = block > 0 ? (k + block - 1) / block : 1;
        // One scale for all, one a column, or one a block of a column.
        var scaleShape = block == -1 ? Shape.Scalar : block == 0 ? new Shape(n) : isTransposed ? new Shape(n, blocks) : new Shape(blocks, n);
        var axis = block == 0 ? (isTransposed ? 0 : 1) : isTransposed ? 1 : 0;
        var q = Random(type, 1, shape);
        var scales = PlanCheck.Random(2, [.. scaleShape.Dims.ToArray()]);
        foreach (ref var s in scales.Span<float>()) s = MathF.Abs(s) * 0.01f + 0.001f;
        Value? zeros = hasZeros ? g.AddConstant(Random(type, 3, scaleShape)) : null;
        var weights = g.Add(new DequantizeLinear(axis, Math.Max(0, block)), g.AddConstant(q), g.AddConstant(scales), zeros);
        g.AddOutput(g.Add(new MatMul(), x, isTransposed ? g.Add(new Transpose([1, 0]), weights) : weights));
        var program = PlanCheck.Compile(g);
        Assert.Equal("MatMul", Assert.Single(program.Steps).Operation);
        Assert.True(program.Steps[0].OwnedBytes < k * n * sizeof(float));
        foreach (var rows in new long[] { 1, 3, 40 }) PlanCheck.Same(g, PlanCheck.Random((int)rows, rows, 2, k));
    }

    [Fact]
    public void One_row_is_taken_as_it_is()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(1, 64));
        g.AddOutput(g.Add(new MatMul(), x, g.Add(new DequantizeLinear(0, 32), g.AddConstant(Random(DType.UInt4, 1, new Shape(64, 50))), g.AddConstant(PlanCheck.Random(2, 2, 50)), g.AddConstant(Random(DType.UInt4, 3, new Shape(2, 50))))));
        PlanCheck.Same(g, PlanCheck.Random(5, 1, 64));
    }

    [Fact]
    public void Scales_along_the_terms_are_no_blocks()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 6));
        g.AddOutput(g.Add(new MatMul(), x, g.Add(new DequantizeLinear(0), g.AddConstant(Random(DType.Int8, 1, new Shape(6, 5))), g.AddConstant(PlanCheck.Random(2, 6)))));
        PlanCheck.Same(g, PlanCheck.Random(5, 3, 6));
    }

    private static Tensor Random(DType type, int seed, Shape shape)
    {
        var t = Tensor.Allocate(type, shape);
        new Random(seed).NextBytes(t.Bytes);
        return t;
    }
}
