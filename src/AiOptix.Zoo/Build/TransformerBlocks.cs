using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>The layers of transformers, decomposed the way PyTorch exports them to operator sets before 17.</summary>
internal static class TransformerBlocks
{
    /// <summary>A weight matrix that is already transposed, a product, and a bias that is added from the left.</summary>
    public static Value Linear(this Module module, Value x, int from, int to, double gain = 1)
    {
        var weight = module.Weight("weight", new Shape(from, to), gain / Math.Sqrt(from));
        var bias = module.Weight("bias", new Shape(to), 0.05);
        return module.Add(new Add(), bias, module.Add(new MatMul(), x, weight));
    }

    /// <summary>Normalisation over the last axis: mean, deviation, scale and shift one by one; <paramref name="output"/> makes the result an output of the model.</summary>
    public static Value LayerNorm(this Module module, Value x, int width, float epsilon, string? output = null)
    {
        var centred = module.Add(new Sub(), x, module.Mean(x));
        var variance = module.Mean(module.Add(new Pow(), centred, module.Number(2)));
        var deviation = module.Add(new Sqrt(), module.Add(new Add(), variance, module.Number(epsilon)));
        var scaled = module.Add(new Mul(), module.Add(new Div(), centred, deviation), module.Weight("weight", new Shape(width), 0.1, mean: 1));
        return module.Output(output, new Add(), scaled, module.Weight("bias", new Shape(width), 0.05));
    }

    /// <summary>The exact Gaussian error linear unit: x · (1 + erf(x / √2)) · 0.5.</summary>
    public static Value Gelu(this Module module, Value x)
    {
        var erf = module.Add(new Erf(), module.Add(new Div(), x, module.Number(MathF.Sqrt(2))));
        return module.Add(new Mul(), module.Add(new Mul(), x, module.Add(new Add(), erf, module.Number(1))), module.Number(0.5f));
    }

    /// <summary>One extent of a value, as a vector of one element: Shape, Gather, Unsqueeze.</summary>
    public static Value Extent(this Module module, Value x, int axis) =>
        module.Add(new Unsqueeze(), module.Add(new Gather(0), module.Add(new ShapeOf(), x), module.Integer(axis)), module.Integers(0));

    /// <summary>The same elements as [batch, sequence, ...], batch and sequence read from the value.</summary>
    public static Value View(this Module module, Value x, params ReadOnlySpan<long> rest)
    {
        var batch = module.Extent(x, 0);
        var sequence = module.Extent(x, 1);
        Value[] parts = [batch, sequence, .. rest.ToArray().Select(r => module.Integers(r))];
        return module.Add(new Reshape(), x, module.Add(new Concat(0), parts));
    }

    /// <summary>
    /// Attention of <paramref name="heads"/> heads over projected queries, keys and values of <paramref name="width"/> columns: scores divided by the root
    /// of a head's width, an added mask, softmax, weighted sum.
    /// </summary>
    public static Value Attention(this Module module, Value query, Value key, Value value, Value mask, int heads, int width)
    {
        long each = width / heads;
        var k = module.Add(new Transpose([0, 2, 3, 1]), module.View(key, heads, each));
        var v = module.Add(new Transpose([0, 2, 1, 3]), module.View(value, heads, each));
        var q = module.Add(new Transpose([0, 2, 1, 3]), module.View(query, heads, each));
        var scores = module.Add(new Div(), module.Add(new MatMul(), q, k), module.Number(MathF.Sqrt(each)));
        var weights = module.Add(new Softmax(-1), module.Add(new Add(), scores, mask));
        var mixed = module.Add(new Transpose([0, 2, 1, 3]), module.Add(new MatMul(), weights, v));
        return module.View(mixed, width);
    }

    private static Value Mean(this Module module, Value x) => module.Add(new ReduceMean(true), x, module.Integers(-1));
}
