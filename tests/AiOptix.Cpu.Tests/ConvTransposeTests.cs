using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Transposed convolutions whose stride is as long as their kernel, as decoders have them: no output is met by two taps.</summary>
public class ConvTransposeTests
{
    [Theory]
    [InlineData(1, 6, 1)]
    [InlineData(1, 6, 24)]
    [InlineData(2, 6, 1)]
    [InlineData(2, 6, 3)]
    [InlineData(1, 17, 40)]
    public void WithABiasAndAnActivationBehindIt(int groups, int channels, int filters)
    {
        foreach (var kernel in new long[][] { [3], [2, 2], [1, 4], [2, 1, 3] })
        {
            foreach (var bias in new[] { false, true })
            {
                var g = new Graph("decoder");
                var x = g.AddInput("x", PlanCheck.F32([Dim.Symbol("n"), channels, .. kernel.Select((_, i) => i == 0 ? Dim.Symbol("h") : 5)]));
                var w = g.AddConstant(PlanCheck.Random(1, [channels, filters, .. kernel]));
                var y = g.Add(new ConvTranspose([.. kernel], Group: groups), x, w, bias ? g.AddConstant(PlanCheck.Random(2, filters * groups)) : null);
                g.AddOutput(g.Add(new Relu(), y));
                PlanCheck.Same(g, PlanCheck.Random(9, [2, channels, .. kernel.Select((_, i) => i == 0 ? 3L : 5)]));
                var steps = PlanCheck.Compile(g).Steps.Select(s => s.Operation).Where(o => o.Contains("ConvTranspose", StringComparison.Ordinal)).ToArray();
                Assert.Equal(["ConvTranspose", filters * groups * kernel.Aggregate(1L, (a, k) => a * k) < 16 ? "ConvTranspose" : "ConvTranspose+Relu"], steps);
            }
        }
    }

    /// <summary>What is added behind it is not in the order of the columns.</summary>
    [Fact]
    public void WithAResidualBehindIt()
    {
        var g = new Graph("decoder");
        var x = g.AddInput("x", PlanCheck.F32(1, 8, 5, 6));
        var y = g.Add(new ConvTranspose([2, 2]), x, g.AddConstant(PlanCheck.Random(1, 8, 4, 2, 2)));
        var r = g.Add(new Conv(), g.AddInput("r", PlanCheck.F32(1, 3, 10, 12)), g.AddConstant(PlanCheck.Random(3, 4, 3, 1, 1)));
        g.AddOutput(g.Add(new Sigmoid(), g.Add(new Add(), y, r)));
        PlanCheck.Same(g, PlanCheck.Random(9, 1, 8, 5, 6), PlanCheck.Random(10, 1, 3, 10, 12));
    }

    /// <summary>A part of a value that the next step reads as a whole is written to its place.</summary>
    [Fact]
    public void IntoItsPlaceAmongTheChannelsOfAnother()
    {
        var g = new Graph("skip");
        var x = g.AddInput("x", PlanCheck.F32(1, 8, 5, 6));
        var y = g.Add(new LeakyRelu(0.1f), g.Add(new ConvTranspose([2, 2]), x, g.AddConstant(PlanCheck.Random(1, 8, 4, 2, 2)), g.AddConstant(PlanCheck.Random(2, 4))));
        var r = g.Add(new Conv(), g.AddInput("r", PlanCheck.F32(1, 3, 10, 12)), g.AddConstant(PlanCheck.Random(3, 5, 3, 1, 1)));
        g.AddOutput(g.Add(new Conv(), g.Add(new Concat(1), r, y), g.AddConstant(PlanCheck.Random(4, 3, 9, 1, 1))));
        PlanCheck.Same(g, PlanCheck.Random(9, 1, 8, 5, 6), PlanCheck.Random(10, 1, 3, 10, 12));
    }
}
