using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Bytes;
using AiOptix.Kernels.Elementwise;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Bytes;

/// <summary>
/// Keeps bytes between quantised operators: what stands between DequantizeLinear and QuantizeLinear becomes one operator on bytes, with the same bytes as its result. A function of one value is a table
/// of its 256 results, by the reference evaluation; a sum, difference or product of two is computed in float32 as before, but never stored so.
/// </summary>
internal static class ByteRegions
{
    private const int MostNodes = 16;
    private const float MostScale = 1e30f, LeastScale = 1e-30f;

    /// <summary>A graph that computes the same, element-wise functions of bytes in one operator each: a copy, or the graph itself when there are none. A pure function.</summary>
    public static Graph Assign(Graph graph, Limits limits)
    {
        if (!graph.Nodes.Any(n => n.Operator is QuantizeLinear && Match(graph, n, limits) is not null)) return graph;
        var copy = graph.Clone();
        foreach (var node in copy.Nodes.ToArray())
        {
            if (node.Operator is not QuantizeLinear || copy.Values.GetValueOrDefault(node.Output.Name) != node.Output || Match(copy, node, limits) is not var (op, inputs)) continue;
            var patch = new Patch(copy, $"{node} on bytes");
            var bytes = patch.AddNode(op, inputs, 1, node).Output;
            if (Patch.CanReplace(node.Output, bytes)) patch.Replace(node.Output, bytes).Apply();
            else patch.Discard();
        }
        return copy;
    }

    private static (Operator Operator, Value[] Inputs)? Match(Graph graph, Node node, Limits limits)
    {
        if (Behind(node) is not { } y || node.Input(0) is not { } value) return null;
        var (low, high) = (y.Least, y.Greatest);
        for (var inner = value; inner is not null;)
        {
            if (inner.Producer is not { } producer || producer.Graph != graph) break;
            if (KindOf(producer.Operator) is { } kind && producer.Inputs is [{ } left, { } right] && Before(left) is var (a, aNumbers) && Before(right) is var (b, bNumbers))
                return a == b && aNumbers == bNumbers ? null : (new BytesBinary(new(kind, aNumbers, bNumbers, y, low, high)), [a, b]);
            if (Bounds(producer) is not var (least, greatest)) break;
            // Rounding keeps the order, so a bound on the number is one on its byte.
            low = Math.Max(low, Math.Min(Step(least, y), high));
            high = Math.Min(high, Math.Max(Step(greatest, y), low));
            inner = producer.Input(0);
        }
        return Leaf(graph, value) is { } leaf && leaf.Shape!.Equals(node.Output.Shape) && Table(node, leaf, limits) is { } table ? (new BytesTable(table, node.Output.DType), [leaf]) : null;
    }

    private static BinaryKind? KindOf(Operator op) => op switch
    {
        Add => BinaryKind.Add,
        Sub => BinaryKind.Sub,
        Mul => BinaryKind.Mul,
        _ => null,
    };

    private static (float Least, float Greatest)? Bounds(Node node) => node.Operator switch
    {
        Relu => (0, float.PositiveInfinity),
        Clip when Bound(node.Input(1), float.NegativeInfinity) is { } least && Bound(node.Input(2), float.PositiveInfinity) is { } greatest && least <= greatest => (least, greatest),
        _ => null,
    };

    private static float? Bound(Value? value, float otherwise) => value is null ? otherwise : value.Constant is { DType: DType.Float32, Count: 1 } c ? Number(c) : null;

    private static int Step(float number, ByteNumbers y) => (int)Math.Clamp(Math.Round(number / y.Scale, MidpointRounding.ToEven) + y.Zero, y.Least, y.Greatest);

    private static float Number(Tensor constant)
    {
        var number = constant.Span<float>()[0];
        GC.KeepAlive(constant);
        return number;
    }

    /// <summary>What a QuantizeLinear with one constant scale for all makes.</summary>
    private static ByteNumbers? Behind(Node node) =>
        node.Operator is QuantizeLinear { BlockSize: 0, Precision: null or DType.Float32 } && node.Input(0)?.DType == DType.Float32 ? Numbers(node, node.Output.DType) : null;

    /// <summary>What bytes a value is made from by a DequantizeLinear with one constant scale for all.</summary>
    private static (Value Bytes, ByteNumbers Numbers)? Before(Value value) =>
        value.Producer is { Operator: DequantizeLinear { BlockSize: 0, To: null or DType.Float32 } } node && node.Inputs[0] is { Shape: not null } bytes && Numbers(node, bytes.DType) is { } numbers ? (bytes, numbers) : null;

    private static ByteNumbers? Numbers(Node node, DType type)
    {
        if (type is not (DType.Int8 or DType.UInt8) || node.Input(1)?.Constant is not { DType: DType.Float32, Count: 1 } scale || node.Input(2) is { } z && z.Constant is not { Count: 1 }) return null;
        return Number(scale) is >= LeastScale and <= MostScale and var s ? new(s, (int)(node.Input(2)?.Constant!.ToInt64()[0] ?? 0), type == DType.Int8) : null;
    }

    /// <summary>The bytes that a value is a function of, element by element; null when there are several, or other operators on the way.</summary>
    private static Value? Leaf(Graph graph, Value value)
    {
        Value? leaf = null;
        var left = MostNodes;
        return Visit(value) ? leaf : null;
        bool Visit(Value? v)
        {
            if (v is null || v.Constant is { Count: 1 }) return true;
            if (left-- == 0 || v.Producer is not { } node || node.Graph != graph || v.OutputIndex != 0) return false;
            if (Before(v) is var (bytes, _))
            {
                if (leaf is not null && leaf != bytes || bytes.IsConstant) return false;
                leaf = bytes;
                return true;
            }
            return node.Operator is UnaryFloat or Clip or BinaryNumeric or Pow && node.Output.DType == DType.Float32 && node.Inputs.All(Visit);
        }
    }

    /// <summary>The result of every byte.</summary>
    private static ValueList<byte>? Table(Node node, Value leaf, Limits limits)
    {
        var all = Tensor.Allocate(leaf.DType, new Shape(256));
        for (var i = 0; i < 256; i++) all.Bytes[i] = (byte)i;
        var known = new Dictionary<Value, Tensor> { [leaf] = all };
        var results = Evaluate(node.Output);
        var table = new ValueList<byte>(results.Bytes);
        GC.KeepAlive(results);
        return table;

        Tensor Evaluate(Value value)
        {
            if (known.TryGetValue(value, out var there)) return there;
            if (value.Constant is { } c) return c.Count == 1 ? c.Reshape(Shape.Scalar) : c;
            var context = new EvaluationContext(value.Producer!, [.. value.Producer!.Inputs.Select(i => i is null ? null : (RuntimeValue)Evaluate(i))], limits);
            value.Producer.Operator.Evaluate(context);
            return known[value] = (Tensor)context.Outputs[0]!;
        }
    }
}
