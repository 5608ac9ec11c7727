using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>
/// What follows a product or convolution and can be done before its result is stored: a constant bias, a residual of the same shape, an activation, in that
/// order. Each value on the way must have one user.
/// </summary>
internal sealed class EpilogueChain
{
    private EpilogueChain(Node anchor)
    {
        Nodes = [anchor];
        Output = anchor.Output;
    }

    /// <summary>The nodes that the step stands for, the anchor first.</summary>
    public List<Node> Nodes { get; }

    /// <summary>The value that the step writes.</summary>
    public Value Output { get; private set; }

    /// <summary>The constant to add, one element a channel.</summary>
    public Tensor? Bias { get; private set; }

    /// <summary>The value to add, of the output's shape.</summary>
    public Value? Residual { get; private set; }

    public Activation Activation { get; private set; }

    public ActivationArgs Args { get; private set; }

    /// <summary><c>Conv+Add+Relu</c></summary>
    public string Operation => string.Join("+", Nodes.Select(n => n.Operator.Name));

    /// <summary>The names of the file's nodes.</summary>
    public IEnumerable<string> Origins => Nodes.SelectMany(n => n.Origins).Distinct(StringComparer.Ordinal);

    /// <summary>Nothing but the anchor.</summary>
    public static EpilogueChain Alone(Node anchor) => new(anchor);

    /// <summary>Follows the users of a node's output.</summary>
    /// <param name="lowering">Knows which nodes are taken.</param>
    /// <param name="anchor">The product or convolution.</param>
    /// <param name="channelAxis">The output's axis that the bias runs along, counted from the end (-1 for a product, -3 for a convolution in 2-D).</param>
    /// <param name="hasBias">The anchor has a bias of its own already.</param>
    /// <param name="takesResidual">A value of the output's shape can be added.</param>
    public static EpilogueChain Follow(Lowering lowering, Node anchor, int channelAxis, bool hasBias, bool takesResidual = true)
    {
        var chain = new EpilogueChain(anchor);
        while (chain.Output.SoleUser is { } next && next.Graph == lowering.Graph && !lowering.IsClaimed(next) && chain.Activation == Activation.None)
        {
            if (next.Operator is Add && !hasBias && chain.Bias is null && chain.Residual is null && chain.ChannelBias(next, channelAxis) is { } bias) chain.Bias = bias;
            else if (takesResidual && next.Operator is Add && chain.Residual is null && chain.SameShape(lowering, next) is { } residual) chain.Residual = residual;
            else if (Activations.Of(next) is { } a) (chain.Activation, chain.Args) = a;
            else break;
            chain.Nodes.Add(next);
            chain.Output = next.Output;
        }
        return chain;
    }

    private Tensor? ChannelBias(Node add, int channelAxis)
    {
        var other = add.Inputs[0] == Output ? add.Inputs[1]! : add.Inputs[0]!;
        if (other.Constant is not { DType: DType.Float32 } c || Output.Shape is not { } shape || add.Output.Shape is not { } sum || !sum.Equals(shape)) return null;
        if (shape[channelAxis].Constant != c.Count || c.Shape.Rank < -channelAxis) return null;
        for (var i = 1; i <= c.Shape.Rank; i++)
            if (c.Shape[-i] != (i == -channelAxis ? c.Count : 1)) return null;
        return c;
    }

    private Value? SameShape(Lowering lowering, Node add)
    {
        if (add.Inputs[0] == add.Inputs[1]) return null;
        var other = add.Inputs[0] == Output ? add.Inputs[1]! : add.Inputs[0]!;
        return other.DType == DType.Float32 && Output.Shape is { } s && other.Shape is { } o && s.Equals(o) && lowering.IsKnown(other) ? other : null;
    }
}
