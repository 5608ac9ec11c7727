using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Attention as decoders and encoders ask for it, compiled, against the reference evaluation.</summary>
public class AttentionTests
{
    private static readonly Dim N = Dim.Symbol("n");
    private static readonly Dim Past = Dim.Symbol("past");

    public static TheoryData<string> Masks => ["none", "addends", "booleans", "short", "windows", "causal and booleans"];

    [Theory]
    [MemberData(nameof(Masks))]
    public void APastIsCopiedOnceAndAttendedInPlace(string mask)
    {
        foreach (var length in new[] { 1, 3 })
        {
            var g = new Graph("g");
            var q = g.AddInput("q", PlanCheck.F32(2, 6, N, 5));
            var k = g.AddInput("k", PlanCheck.F32(2, 3, N, 5));
            var v = g.AddInput("v", PlanCheck.F32(2, 3, N, 7));
            var (pastKeys, pastValues) = (g.AddInput("pk", PlanCheck.F32(2, 3, Past, 5)), g.AddInput("pv", PlanCheck.F32(2, 3, Past, 7)));
            const int past = 4;
            var node = g.Add(Operator(mask, softcap: 1.5f), [q, k, v, Mask(g, mask, length, past + length), pastKeys, pastValues], [null, null, null]);
            foreach (var o in node.Outputs) g.AddOutput(o);
            NoReference(g);
            PlanCheck.Same(g, PlanCheck.Random(1, 2, 6, length, 5), PlanCheck.Random(2, 2, 3, length, 5), PlanCheck.Random(3, 2, 3, length, 7), PlanCheck.Random(4, 2, 3, past, 5), PlanCheck.Random(5, 2, 3, past, 7));
        }
    }

    [Theory]
    [MemberData(nameof(Masks))]
    [InlineData("valid")]
    public void ThreeAxesAndMasks(string mask)
    {
        foreach (var length in new[] { 1, 9 })
        {
            var g = new Graph("g");
            var q = g.AddInput("q", PlanCheck.F32(2, N, 20));
            var k = g.AddInput("k", PlanCheck.F32(2, 9, 10));
            var v = g.AddInput("v", PlanCheck.F32(2, 9, 14));
            var valid = mask == "valid" ? g.AddConstant(Tensor.Vector<long>(3, 9)) : null;
            g.AddOutput(g.Add(Operator(mask, softcap: 0) with { QueryHeads = 4, KeyHeads = 2 }, [q, k, v, Mask(g, mask, length, 9), null, null, valid], [null]).Output);
            NoReference(g);
            PlanCheck.Same(g, PlanCheck.Random(1, 2, length, 20), PlanCheck.Random(2, 2, 9, 10), PlanCheck.Random(3, 2, 9, 14));
        }
    }

    [Fact]
    public void PresentKeysWithoutAPast()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(2, 5, 12));
        var node = g.Add(new Attention(QueryHeads: 3, KeyHeads: 3), [x, x, x], [null, null, null]);
        foreach (var o in node.Outputs) g.AddOutput(o);
        NoReference(g);
        PlanCheck.Same(g, PlanCheck.Random(1, 2, 5, 12));
    }

    public static TheoryData<string> Parts => ["split", "gather", "slice"];

    [Theory]
    [MemberData(nameof(Parts))]
    public void PartsOfAFusedProductAreReadInPlace(string how)
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 5, 8));
        var all = g.Add(new MatMul(), x, g.AddConstant(PlanCheck.Random(3, 8, 36)));
        Value[] parts;
        if (how == "gather")
        {
            var five = g.Add(new Transpose([2, 0, 3, 1, 4]), g.Add(new Reshape(), all, Ints(g, 0, 5, 3, 2, 6)));
            parts = [.. Enumerable.Range(0, 3).Select(i => g.Add(new Gather(0), five, g.AddConstant(Tensor.Scalar((long)i))))];
        }
        else
        {
            Value[] cut = how == "split"
                ? [.. g.Add(new Split(2), [all, Ints(g, 12, 12, 12)], [null, null, null]).Outputs]
                : [.. Enumerable.Range(0, 3).Select(i => g.Add(new Slice(), all, Ints(g, 12 * i), Ints(g, 12 * i + 12), Ints(g, -1)))];
            parts = [.. cut.Select(p => g.Add(new Transpose([0, 2, 1, 3]), g.Add(new Reshape(), p, Ints(g, 0, 5, 2, 6))))];
        }
        g.AddOutput(g.Add(new Transpose([0, 2, 1, 3]), g.Add(new Attention(), parts)));
        Assert.Equal(["MatMul", "Attention+Transpose"], PlanCheck.Compile(g).Steps.Select(s => s.Operation));
        PlanCheck.Same(g, PlanCheck.Random(1, 3, 5, 8));
    }

    private static Attention Operator(string mask, float softcap) => mask switch
    {
        "windows" => new(IsCausal: false, LeftWindow: 2, RightWindow: 1, Softcap: softcap),
        "causal and booleans" => new(IsCausal: true, Softcap: softcap),
        _ => new(Scale: 0.4f, Softcap: softcap),
    };

    private static Value? Mask(Graph g, string mask, int queries, int keys) => mask switch
    {
        "addends" => g.AddConstant(PlanCheck.Random(8, 2, 1, queries, keys)),
        "short" => g.AddConstant(PlanCheck.Random(8, queries, keys - 1)),
        "booleans" or "causal and booleans" => g.AddConstant(Tensor.From<bool>([.. Enumerable.Range(0, queries * keys).Select(i => i % 5 != 1)], new Shape(queries, keys))),
        _ => null,
    };

    private static void NoReference(Graph g) => Assert.DoesNotContain(PlanCheck.Compile(g).Steps, s => s is ReferenceStep);

    private static Value Ints(Graph g, params long[] values) => g.AddConstant(Tensor.Vector<long>(values));
}
