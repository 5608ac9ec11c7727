using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Quantize;

/// <summary>
/// Writes a graph quantised as a plan says, in standard ONNX. Static products and what follows them stand between DequantizeLinear and QuantizeLinear, one pair
/// behind every value that they hand on, so that every engine that knows the pattern computes them in integers; weights are symmetric int8 with a scale for each channel,
/// the bias is int32 in steps of both scales' product. A Relu or Clip that only a product feeds shares its range. Values that only move share one scale.
/// </summary>
public sealed class QuantizationWriter
{
    private readonly Graph graph;
    private readonly QuantizationPlan plan;
    private readonly HashSet<Value> ours = [];
    private readonly Dictionary<Value, Value> converted = [];
    private Dictionary<Value, ActivationRange> ranges = [];

    private QuantizationWriter(Graph graph, QuantizationPlan plan) => (this.graph, this.plan) = (graph, plan);

    /// <summary>Writes a graph as a plan says. The given graph is not changed.</summary>
    /// <param name="graph">The graph, rewritten by the passes as it was when the plan was made.</param>
    /// <param name="plan">The plan.</param>
    /// <exception cref="InvalidGraphException">The plan names a product that the graph does not have: it was made for another model.</exception>
    public static Graph Write(Graph graph, QuantizationPlan plan)
    {
        var copy = graph.Clone();
        Smoothing.Apply(copy, plan.Smoothing);
        new QuantizationWriter(copy, plan).Write();
        Verifier.Verify(copy);
        return copy;
    }

    private void Write()
    {
        var products = Quantizable.Products(graph).ToDictionary(p => p.Name, StringComparer.Ordinal);
        foreach (var name in plan.Nodes.Keys)
            if (!products.ContainsKey(name)) throw new InvalidGraphException($"the plan quantises '{name}', but graph '{graph.Name}' has no such product; it was made for another model");
        // Names move when outputs are replaced: everything is looked up before the first patch.
        var region = QuantizedRegion.Of(graph, plan);
        ranges = region.Ranges;
        var means = plan.Means.Where(m => graph.Values.ContainsKey(m.Key)).ToDictionary(m => graph.Values[m.Key], m => m.Value);
        var work = graph.Nodes.Select(n => (Node: n, Product: Quantizable.Product(n))).Where(w => w.Product is not null || region.Followers.Contains(w.Node))
            .Select(w => (w.Node, w.Product, Form: w.Product is { } p ? plan.Nodes.GetValueOrDefault(p.Name) : QuantizedForm.Static, Means: w.Node.Input(0) is { } x ? means.GetValueOrDefault(x) : null)).ToArray();
        foreach (var (node, product, form, mean) in work)
        {
            if (product is null) Follow(node);
            else if (form == QuantizedForm.Static && region.Products.Contains(node)) Static(product, mean, region.Bytes.Contains(Quantizable.End(node).Output));
            else if (form == QuantizedForm.Dynamic && product.IsMatrix) Dynamic(product);
            else if (form is QuantizedForm.Weights8 or QuantizedForm.Weights4 && product.IsMatrix) Blocks(product, form == QuantizedForm.Weights8 ? 8 : 4);
        }
    }

    private void Static(QuantizableProduct product, double[]? means, bool givesBytes)
    {
        var node = product.Node;
        var end = Quantizable.End(node);
        var patch = new Patch(graph, $"{node} static");
        var x = Numbers(patch, node.Inputs[0]!);
        var scale = x.Producer!.Inputs[1]!.Constant!.Span<float>()[0];
        var bias = product.Bias?.Span<float>().ToArray().Select(b => (double)b).ToArray();
        var (integers, scales, steps) = QuantizedWeights.PerChannel(product.Weights, product.Axis, bias, scale);
        if (means is not null)
        {
            var shift = QuantizedWeights.MeanShift(product.Weights, integers, scales, product.Axis, product.IsMatrix, (node.Operator as Conv)?.Group ?? 1, means);
            if (node.Operator is not MatMul || bias is not null) (integers, scales, steps) = QuantizedWeights.PerChannel(product.Weights, product.Axis, [.. shift.Select((s, c) => (bias?[c] ?? 0) - s)], scale);
        }
        var w = Dequantize(patch, integers, scales, DType.Int8, product.Axis, node.Inputs[1]!.Name);
        var sum = product.Sum;
        var addends = steps is null ? null : Dequantize(patch, steps, [.. scales.Select(s => s * scale)], DType.Int32, 0, node.Input(2)?.Name ?? node.Name + ".bias");
        var made = patch.AddNode(node.Operator, addends is null || sum != node ? [x, w] : [x, w, addends], 1, node).Output;
        if (sum != node) made = patch.AddNode(sum.Operator, [made, addends], 1, sum).Output;
        if (end != sum) made = patch.AddNode(end.Operator, [made, .. end.Inputs.Skip(1)], 1, end).Output;
        Replace(patch, end.Output, givesBytes ? Bytes(patch, made, ranges[end.Output]) : made);
    }

    private void Follow(Node node)
    {
        var patch = new Patch(graph, $"{node} in bytes");
        var numbers = Quantizable.Numbers(node).ToHashSet();
        var inputs = node.Inputs.Select((v, i) => v is null || !numbers.Contains(i) ? v : v.IsConstant ? Constant(patch, v) : Numbers(patch, v)).ToArray();
        var end = Quantizable.End(node);
        var made = patch.AddNode(node.Operator, inputs, node.Outputs.Count, node);
        if (end != node)
        {
            Replace(patch, end.Output, Bytes(patch, patch.AddNode(end.Operator, [made.Output, .. end.Inputs.Skip(1)], 1, end).Output, ranges[end.Output]));
            return;
        }
        var replaced = node.Outputs.Select((o, i) => (Old: o, New: Bytes(patch, made.Outputs[i], ranges[o]))).ToArray();
        foreach (var (old, value) in replaced) patch.Replace(old, value);
        Apply(patch);
    }

    /// <summary>y = (x' - zero) W' · (scale of x · scales of W), the form that ONNX names dynamic quantisation.</summary>
    private void Dynamic(QuantizableProduct product)
    {
        var node = product.Node;
        var patch = new Patch(graph, $"{node} dynamic");
        var dynamic = patch.AddNode(new DynamicQuantizeLinear(), [node.Inputs[0]], 3);
        var matrix = Matrix(product);
        var (integers, scales, _) = QuantizedWeights.PerChannel(matrix, 1, null, 1);
        var sums = patch.AddNode(new MatMulInteger(), [dynamic.Outputs[0], patch.Constant(integers, node.Inputs[1]!.Name), dynamic.Outputs[2]], 1, node).Output;
        var scale = patch.Add(new Mul(), dynamic.Outputs[1], patch.Constant(Tensor.Vector<float>(scales), node.Name + ".scales"));
        var y = patch.Add(new Mul(), patch.Add(new Cast(DType.Float32), sums), scale);
        Replace(patch, product.Sum.Output, Raised(patch, product, y));
    }

    private void Blocks(QuantizableProduct product, int bits)
    {
        var node = product.Node;
        var patch = new Patch(graph, $"{node} weights in {bits} bits");
        var (integers, scales) = QuantizedWeights.InBlocks(Matrix(product), plan.BlockSize, bits);
        var w = patch.Add(new DequantizeLinear(0, plan.BlockSize), patch.Constant(integers, node.Inputs[1]!.Name), patch.Constant(scales, node.Name + ".scales"));
        var y = patch.AddNode(new MatMul(), [node.Inputs[0], w], 1, node).Output;
        Replace(patch, product.Sum.Output, Raised(patch, product, y));
    }

    /// <summary>A product with its bias.</summary>
    private static Value Raised(Patch patch, QuantizableProduct product, Value y) =>
        product.Bias is { } bias ? patch.AddNode(new Add(), [y, patch.Constant(bias, product.Node.Output.Name + ".bias")], 1, product.Sum).Output : y;

    /// <summary>The weights of a Gemm or MatMul as [terms, results].</summary>
    private static Tensor Matrix(QuantizableProduct product)
    {
        if (product.Axis == 1) return product.Weights;
        var (rows, columns) = ((int)product.Weights.Shape[0], (int)product.Weights.Shape[1]);
        var result = Tensor.Allocate(DType.Float32, new Shape(columns, rows));
        var from = product.Weights.Span<float>();
        var to = result.Span<float>();
        for (var r = 0; r < rows; r++)
            for (var c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c];
        GC.KeepAlive(product.Weights);
        return result;
    }

    /// <summary>A value as dequantised bytes: what was made so already, or converted once for all that read it so.</summary>
    private Value Numbers(Patch patch, Value value)
    {
        if (ours.Contains(value)) return value;
        if (!converted.TryGetValue(value, out var numbers)) converted[value] = numbers = Bytes(patch, value, ranges[value]);
        return numbers;
    }

    private Value Bytes(Patch patch, Value value, ActivationRange range)
    {
        var (scale, zero) = range.ToBytes();
        var (s, z) = (patch.Constant(Tensor.Scalar(scale), value.Name + ".scale"), patch.Constant(Tensor.Scalar(zero), value.Name + ".zero"));
        var numbers = patch.Add(new DequantizeLinear(), patch.Add(new QuantizeLinear(), value, s, z), s, z);
        ours.Add(numbers);
        return numbers;
    }

    /// <summary>A constant of a sum or product of bytes, with its own range.</summary>
    private Value Constant(Patch patch, Value value)
    {
        if (!converted.TryGetValue(value, out var numbers))
        {
            var tensor = value.Constant!;
            var values = tensor.Span<float>();
            var range = new ActivationRange(0, 0);
            foreach (var v in values) range = range.Join(new(v, v));
            var (scale, zero) = range.ToBytes();
            var bytes = Tensor.Allocate(DType.UInt8, tensor.Shape);
            var to = bytes.Bytes;
            for (var i = 0; i < values.Length; i++) to[i] = (byte)Math.Clamp(MathF.Round(values[i] / scale, MidpointRounding.ToEven) + zero, 0f, 255f);
            GC.KeepAlive(tensor);
            converted[value] = numbers = patch.Add(new DequantizeLinear(), patch.Constant(bytes, value.Name), patch.Constant(Tensor.Scalar(scale)), patch.Constant(Tensor.Scalar(zero)));
        }
        return numbers;
    }

    private static Value Dequantize(Patch patch, Tensor integers, float[] scales, DType type, int axis, string name) => patch.Add(new DequantizeLinear(axis), patch.Constant(integers, name),
        patch.Constant(Tensor.Vector<float>(scales), name + ".scale"), patch.Constant(Tensor.Allocate(type, new Shape(scales.Length), zeroed: true), name + ".zero"));

    private void Replace(Patch patch, Value old, Value value)
    {
        patch.Replace(old, value);
        Apply(patch);
    }

    private static void Apply(Patch patch)
    {
        patch.Apply();
        Verifier.Verify(patch);
    }
}
