using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Compiled recurrent layers against the reference evaluation: every cell, direction, layout and input.</summary>
public class RecurrentTests
{
    public static TheoryData<string> Layers => ["RNN", "RNN softsign", "GRU", "GRU reset first", "LSTM", "LSTM coupled", "LSTM hard"];

    [Theory]
    [MemberData(nameof(Layers))]
    public void EveryForm(string layer)
    {
        foreach (var direction in Enum.GetValues<RecurrentDirection>())
            foreach (var batchFirst in new[] { false, true })
                foreach (var (length, batch, width, hidden) in new[] { (6, 15, 5, 19), (1, 1, 7, 32), (9, 1, 3, 40), (0, 2, 3, 4) })
                {
                    var op = Make(layer, direction, batchFirst);
                    var g = new Graph("g");
                    var x = g.AddInput("x", batchFirst ? PlanCheck.F32(batch, Dim.Symbol("t"), width) : PlanCheck.F32(Dim.Symbol("t"), batch, width));
                    var h = g.AddInput("h", batchFirst ? PlanCheck.F32(batch, op.Directions, hidden) : PlanCheck.F32(op.Directions, batch, hidden));
                    var lengths = g.AddInput("n", new TensorType(DType.Int32, new(batch)));
                    var node = Node(g, op, x, width, hidden, h, lengths);
                    foreach (var o in node.Outputs) g.AddOutput(o);
                    Assert.DoesNotContain(PlanCheck.Compile(g).Steps, s => s is ReferenceStep);
                    var xs = batchFirst ? PlanCheck.Random(8, batch, length, width) : PlanCheck.Random(8, length, batch, width);
                    var hs = batchFirst ? PlanCheck.Random(9, batch, op.Directions, hidden) : PlanCheck.Random(9, op.Directions, batch, hidden);
                    PlanCheck.Same(g, xs, hs, Tensor.Vector<int>([.. Enumerable.Range(0, batch).Select(b => (b * 5 + 4) % (length + 1))]));
                }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void WithoutAnythingOptional(string layer)
    {
        var op = Make(layer, RecurrentDirection.Bidirectional, batchFirst: false) with { Clip = null };
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(Dim.Symbol("t"), Dim.Symbol("b"), 6));
        g.AddOutput(g.Add(op, x, Weights(g, 1, op.Directions, op.Gates * 17, 6), Weights(g, 2, op.Directions, op.Gates * 17, 17)));
        Assert.DoesNotContain(PlanCheck.Compile(g).Steps, s => s is ReferenceStep);
        PlanCheck.Same(g, PlanCheck.Random(3, 5, 3, 6));
        PlanCheck.Same(g, PlanCheck.Random(4, 2, 30, 6));
    }

    [Fact]
    public void ALengthOutOfRangeIsRefused()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(4, 2, 3));
        var lengths = g.AddInput("n", new TensorType(DType.Int32, new(2)));
        g.AddOutput(g.Add(new GRU(), x, Weights(g, 1, 1, 6, 3), Weights(g, 2, 1, 6, 2), null, lengths));
        using var session = PlanCheck.Open(g);
        Assert.Contains("sequence_lens", Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(3, 4, 2, 3), Tensor.Vector(3, 5)])).Message);
    }

    [Fact]
    public void WhatHasNoKernelIsEvaluated()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(4, 2, 3));
        g.AddOutput(g.Add(new RNN(Activations: [new(RecurrentFunction.ScaledTanh, 2, 0.5f)]), x, Weights(g, 1, 1, 2, 3), Weights(g, 2, 1, 2, 2)));
        g.AddOutput(g.Add(new RNN(), x, g.AddInput("w", PlanCheck.F32(1, 2, 3)), Weights(g, 2, 1, 2, 2)));
        Assert.Equal(2, PlanCheck.Compile(g).Steps.OfType<ReferenceStep>().Count());
        PlanCheck.Same(g, PlanCheck.Random(3, 4, 2, 3), PlanCheck.Random(4, 1, 2, 3));
    }

    /// <summary>A layer with random weights, and a state to begin with; its first output.</summary>
    public static Value Layer(Graph g, Recurrent op, Value x, int width, int hidden) => Node(g, op, x, width, hidden, null, null).Output;

    private static Node Node(Graph g, Recurrent op, Value x, int width, int hidden, Value? state, Value? lengths)
    {
        var (d, n) = (op.Directions, op.Gates * hidden);
        Value?[] inputs = [x, Weights(g, 1, d, n, width), Weights(g, 2, d, n, hidden), Weights(g, 3, d, 2 * n), lengths, state];
        return op is LSTM ? g.Add(op, [.. inputs, state, Weights(g, 4, d, 3 * hidden)], [null, null, null]) : g.Add(op, inputs, [null, null]);
    }

    // Small, so that states forget: rounding would grow from step to step otherwise.
    private static Value Weights(Graph g, int seed, params long[] shape)
    {
        var t = PlanCheck.Random(seed, shape);
        foreach (ref var v in t.Span<float>()) v /= 6;
        GC.KeepAlive(t);
        return g.AddConstant(t);
    }

    private static Recurrent Make(string layer, RecurrentDirection direction, bool batchFirst)
    {
        Recurrent op = layer switch
        {
            "RNN" => new RNN(direction),
            "RNN softsign" => new RNN(direction) { Activations = Twice(direction, new RecurrentActivation(RecurrentFunction.Softsign)) },
            "GRU" => new GRU(direction, LinearBeforeReset: true),
            "GRU reset first" => new GRU(direction),
            "LSTM" => new LSTM(direction),
            "LSTM coupled" => new LSTM(direction, InputForget: true),
            _ => new LSTM(direction) { Activations = Twice(direction, new(RecurrentFunction.HardSigmoid, 0.2f, 0.5f), new(RecurrentFunction.Elu, 0.7f), RecurrentActivation.Tanh) },
        };
        return op with { BatchFirst = batchFirst, Clip = 1.5f };
    }

    private static ValueList<RecurrentActivation> Twice(RecurrentDirection direction, params RecurrentActivation[] functions) =>
        direction == RecurrentDirection.Bidirectional ? [.. functions, .. functions] : [.. functions];
}
