using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests;

public class PatchTests
{
    private static readonly TensorType vector = new(DType.Float32, new SymbolicShape(4));

    private readonly Graph graph = new("g");
    private readonly Value input;
    private readonly Value middle;
    private readonly Value output;

    public PatchTests()
    {
        input = graph.AddInput("x", vector);
        middle = graph.Add(new Neg(), [input], ["middle"], "first").Output;
        output = graph.Add(new Neg(), [middle], ["y"], "second").Output;
        middle.Producer!.SetOrigin("first");
        output.Producer!.SetOrigin("second");
        graph.AddOutput(output);
    }

    [Fact]
    public void A_copy_can_be_patched_like_the_original()
    {
        var copy = graph.Clone();
        var patch = new Patch(copy, "one for the second");
        patch.Replace(copy.Outputs[0], patch.Add(new Identity(), copy.Nodes[0].Output));
        patch.Apply();
        Verifier.Verify(copy);
        Assert.Equal(["Neg", "Identity"], copy.Nodes.Select(n => n.Operator.Name));
        Assert.Equal(["Neg", "Neg"], graph.Nodes.Select(n => n.Operator.Name));
    }

    [Fact]
    public void Applying_redirects_uses_and_removes_what_is_unused()
    {
        var patch = new Patch(graph, "negate twice");
        var replacement = patch.Add(new Identity(), input);
        patch.Replace(output, replacement);
        var removed = patch.Apply();
        Verifier.Verify(patch);
        Verifier.Verify(graph);
        Assert.Equal(2, removed.Count);
        Assert.Equal(["Identity"], graph.Nodes.Select(n => n.Operator.Name));
        Assert.Equal("y", graph.Outputs[0].Name);
        Assert.Equal(["first", "second"], graph.Nodes[0].Origins.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Discarding_leaves_no_trace()
    {
        var before = Printer.Print(graph);
        var patch = new Patch(graph, "test");
        var a = patch.Add(new Exp(), middle);
        patch.Add(new Add(), a, patch.Constant(Tensor.Scalar(2f)));
        patch.Discard();
        Assert.Equal(before, Printer.Print(graph));
        Assert.Single(middle.Users);
        Verifier.Verify(graph);
    }

    [Fact]
    public void A_patch_is_applied_once()
    {
        var patch = new Patch(graph, "test").Replace(middle, input);
        patch.Apply();
        Assert.Throws<InvalidOperationException>(patch.Apply);
        Assert.Same(input, output.Producer!.Input(0));
    }

    [Fact]
    public void New_nodes_stand_where_they_can_run()
    {
        var tail = graph.Add(new Exp(), output);
        graph.AddOutput(tail);
        var patch = new Patch(graph, "uses a later value");
        var joined = patch.Add(new Add(), input, middle);
        patch.Replace(tail, joined);
        patch.Apply();
        Verifier.Verify(graph);
        Assert.Equal("Add", graph.Outputs[1].Producer!.Operator.Name);
    }

    [Fact]
    public void Another_type_is_refused()
    {
        var patch = new Patch(graph, "test");
        patch.Replace(output, patch.Add(new Cast(DType.Float64), middle));
        Assert.Throws<InvalidGraphException>(patch.Apply);
        patch.Discard();
        Verifier.Verify(graph);
    }

    [Fact]
    public void An_input_cannot_stand_in_for_an_output()
    {
        Assert.False(Patch.CanReplace(output, input));
        Assert.True(Patch.CanReplace(middle, input));
        var patch = new Patch(graph, "test").Replace(output, input);
        Assert.Throws<InvalidGraphException>(patch.Apply);
    }
}
