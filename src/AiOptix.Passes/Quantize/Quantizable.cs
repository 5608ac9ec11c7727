using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Quantize;

/// <summary>A product of an activation and constant weights.</summary>
/// <param name="Node">Conv, ConvTranspose, Gemm or MatMul.</param>
/// <param name="Weights">The weights.</param>
/// <param name="Axis">The axis of the weights that runs over the results' channels.</param>
/// <param name="Bias">A number for each channel; null when there is none.</param>
/// <param name="Channels">The axis of the input that the weights sum over.</param>
public sealed record QuantizableProduct(Node Node, Tensor Weights, int Axis, Tensor? Bias, int Channels)
{
    /// <summary>The node that adds the bias: the product itself, or of a MatMul the Add behind it.</summary>
    public Node Sum { get; init; } = Node;

    /// <summary>What plans call it.</summary>
    public string Name => Node.Output.Name;

    /// <summary>How many results there are for each place.</summary>
    public int Outputs => (int)Weights.Shape[Axis];

    /// <summary>Whether the weights are a matrix.</summary>
    public bool IsMatrix => Node.Operator is not (Conv or ConvTranspose);
}

/// <summary>What a graph has to quantise.</summary>
public static class Quantizable
{
    /// <summary>The products of a graph that can be quantised, in order; those of subgraphs are left alone.</summary>
    public static IReadOnlyList<QuantizableProduct> Products(Graph graph) => [.. graph.Nodes.Select(Product).OfType<QuantizableProduct>()];

    /// <summary>The product that a node is, or null.</summary>
    public static QuantizableProduct? Product(Node node)
    {
        if (node.Operator is not (Conv or ConvTranspose or Gemm or MatMul) || node.Input(0) is not { DType: DType.Float32, IsConstant: false, Shape: { } shape }) return null;
        if (node.Input(1)?.Constant is not { DType: DType.Float32, Count: > 0 } weights || weights.IsAbsent) return null;
        return node.Operator switch
        {
            Conv => Of(node, weights, 0, 1),
            ConvTranspose transpose when IsUpscaling(transpose, weights.Shape) => Of(node, weights, 1, 1),
            Gemm { Alpha: 1, TransA: false } gemm when node.Input(2) is null || gemm.Beta == 1 => Of(node, weights, gemm.TransB ? 0 : 1, 1),
            MatMul when weights.Shape.Rank == 2 && shape.Rank >= 2 => WithSum(Of(node, weights, 1, shape.Rank - 1)),
            _ => null,
        };
    }

    /// <summary>Whether a transposed convolution gives each pixel a square block of its own: a product with its channels, and movement.</summary>
    internal static bool IsUpscaling(ConvTranspose op, Shape weights) => op.Group == 1 && weights.Rank == 4 && weights[2] == weights[3] && op.IsDisjoint(weights);

    /// <summary>The values whose ranges a plan may want, in order: what goes into products and what comes out of them and of all that stands between.</summary>
    public static IReadOnlyList<Value> Watched(Graph graph)
    {
        var found = new HashSet<Value>();
        var order = new List<Value>();
        void Add(Value? value)
        {
            if (value is { DType: DType.Float32, IsConstant: false, Shape: not null } && value.Graph == graph && found.Add(value)) order.Add(value);
        }
        foreach (var node in graph.Nodes)
        {
            if (Product(node) is { } product)
            {
                Add(node.Input(0));
                Add(End(product.Node).Output);
            }
            else if (Follows(node))
            {
                foreach (var input in node.Inputs) Add(input);
                foreach (var output in node.Outputs) Add(output);
                Add(End(node).Output);
            }
        }
        return order;
    }

    /// <summary>The last node of a product, its bias included, or sum with the Relu or Clip that only it feeds: their result has one range.</summary>
    internal static Node End(Node node)
    {
        var product = Product(node);
        var sum = product?.Sum ?? node;
        return sum.Output.SoleUser is { } user && user.Graph == node.Graph && (user.Operator is Relu || IsClipped(user)) && user.Inputs[0] == sum.Output && (product is not null || node.Operator is Add) ? user : sum;
    }

    /// <summary>Whether a node can work on bytes when all that it reads are bytes.</summary>
    internal static bool Follows(Node node) => node.Graph.Parent is null && (Moves(node) || IsCurve(node) || node.Operator is Add or Mul or GlobalAveragePool or AveragePool
        || node.Operator is ReduceMean && node.Input(1)?.Constant is not null);

    /// <summary>Whether a node is a function of one element: of bytes, a table of 256 results.</summary>
    private static bool IsCurve(Node node) => node.Operator is Sigmoid or Swish or HardSigmoid or HardSwish or Gelu or Tanh or LeakyRelu or Elu or Mish or Softplus;

    /// <summary>Whether a node gives out what it reads, so that all has one scale.</summary>
    internal static bool Moves(Node node) => node.Operator switch
    {
        Reshape or Flatten or Squeeze or Unsqueeze or Transpose or Concat or Slice or Split or DepthToSpace => true,
        MaxPool => node.Outputs.Count == 1,
        Resize resize => resize.Mode == ResizeMode.Nearest,
        _ => false,
    };

    /// <summary>The inputs of a follower that hold its numbers; the others are shapes and axes.</summary>
    internal static IEnumerable<int> Numbers(Node node) => node.Operator is Concat or Add or Mul ? Enumerable.Range(0, node.Inputs.Count) : [0];

    private static bool IsClipped(Node node) => node.Operator is Clip && node.Input(1).Number() is 0 && (node.Input(2) is null || node.Input(2).Number() > 0);

    /// <summary>A MatMul with the constants that an Add, its only reader, adds to its columns.</summary>
    private static QuantizableProduct? WithSum(QuantizableProduct? product)
    {
        if (product?.Node.Output.SoleUser is not { Operator: Add } sum || sum.Graph != product.Node.Graph || !sum.Output.Shape!.Equals(product.Node.Output.Shape)) return product;
        foreach (var (first, second) in sum.Orders())
            if (first == product.Node.Output && second.Constant is { DType: DType.Float32 } given && given.Count == product.Outputs && given.Shape.Rank > 0 && given.Shape[-1] == product.Outputs)
                return product with { Bias = given.Reshape(new Shape(product.Outputs)), Sum = sum };
        return product;
    }

    private static QuantizableProduct? Of(Node node, Tensor weights, int axis, int channels)
    {
        if (node.Input(2) is not { } bias) return new(node, weights, axis, null, channels);
        var outputs = weights.Shape[axis];
        if (bias.Constant is not { DType: DType.Float32 } given || given.Count != outputs || given.Shape[-1] != outputs) return null;
        return new(node, weights, axis, given.Reshape(new Shape(outputs)), channels);
    }
}
