using AiOptix.Graphs;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Labels and other strings found by position or by key.</summary>
internal static class LabelRules
{
    /// <summary>Of strings: classes by their positions.</summary>
    public static ValueBody? Features(Lowering lowering, Node node) => node.Output.DType != DType.String ? null : (inputs, _) =>
    {
        var (x, indices) = ((Tensor)inputs[0]!, ((Tensor)inputs[1]!).ToInt64());
        var n = x.Shape.Rank == 0 ? throw new InvalidInputException($"node {node}: input 0 must not be a scalar") : x.Shape[-1];
        foreach (var i in indices)
            if ((ulong)i >= (ulong)n) throw new InvalidInputException($"node {node}: index {i} is out of range for the last axis of shape {x.Shape}");
        var rows = x.Shape.Product(0, x.Shape.Rank - 1);
        var found = new string[checked((int)(rows * indices.Length))];
        for (var i = 0; i < found.Length; i++) found[i] = x.Strings[(int)(i / indices.Length * n + indices[i % indices.Length])];
        return [Tensor.FromStrings(found, x.Shape.Rank == 1 ? new Shape(1, indices.Length) : new Shape([.. x.Shape.Take(x.Shape.Rank - 1), indices.Length]))];
    };

    /// <summary>Of strings: one axis by positions, negative ones counted from the end.</summary>
    public static ValueBody? Gather(Lowering lowering, Node node) => node.Output.DType != DType.String ? null : (inputs, _) =>
    {
        var (x, places) = ((Tensor)inputs[0]!, (Tensor)inputs[1]!);
        var axis = MovementRules.Normal(((Graphs.Ops.Gather)node.Operator).Axis, x.Shape.Rank);
        if ((uint)axis >= (uint)x.Shape.Rank) throw new InvalidInputException($"node {node}: shape {x.Shape} has no axis {axis}");
        var (outer, n, inner, indices) = (x.Shape.Product(0, axis), x.Shape[axis], x.Shape.Product(axis + 1, x.Shape.Rank), places.ToInt64());
        foreach (ref var i in indices.AsSpan())
        {
            if (i < -n || i >= n) throw new InvalidInputException($"node {node}: index {i} is out of range; expected {-n} to {n - 1}");
            if (i < 0) i += n;
        }
        var found = new string[checked((int)(outer * indices.Length * inner))];
        for (var to = 0; to < found.Length; to++) found[to] = x.Strings[(int)((to / inner / indices.Length * n + indices[to / inner % indices.Length]) * inner + to % inner)];
        return [Tensor.FromStrings(found, new Shape([.. x.Shape.Take(axis), .. places.Shape, .. x.Shape.Skip(axis + 1)]))];
    };

    /// <summary>Elements replaced by what stands at their key's place, which a table made once finds.</summary>
    public static ValueBody? Encode(Lowering lowering, Node node)
    {
        var op = (LabelEncoder)node.Operator;
        return op.Keys.Tensor.DType switch
        {
            DType.String => Encode(op, op.Keys.Tensor.Strings, t => t.Strings),
            DType.Float32 or DType.Float64 => Encode(op, Numbers(op.Keys.Tensor), Numbers),
            _ => Encode(op, op.Keys.Tensor.ToInt64(), t => t.ToInt64()),
        };

        static double[] Numbers(Tensor t) => Graphs.Evaluate.ElementTypes.ToFloat64(t);
    }

    private static ValueBody? Encode<T>(LabelEncoder op, T[] keys, Func<Tensor, T[]> elements) where T : notnull
    {
        var (values, other) = (op.Values.Tensor, op.Default.Tensor);
        if (values.DType != DType.String && !MovementRules.IsBytes(values.DType)) return null;
        var places = new Dictionary<T, int>();
        for (var i = 0; i < keys.Length; i++) places[keys[i]] = i;
        return (inputs, _) =>
        {
            var x = (Tensor)inputs[0]!;
            var found = Array.ConvertAll(elements(x), e => places.GetValueOrDefault(e, -1));
            if (values.DType == DType.String) return [Tensor.FromStrings(Array.ConvertAll(found, i => i < 0 ? other.Strings[0] : values.Strings[i]), x.Shape)];
            var result = Tensor.Allocate(values.DType, x.Shape);
            var size = values.DType.Bits() / 8;
            var to = result.Bytes;
            for (var i = 0; i < found.Length; i++) (found[i] < 0 ? other.Bytes : values.Bytes.Slice(found[i] * size, size)).CopyTo(to[(i * size)..]);
            GC.KeepAlive(result);
            GC.KeepAlive(values);
            GC.KeepAlive(other);
            return [result];
        };
    }

    /// <summary>A 1 at the place of an element's category, which a table made once finds; the first of equal categories counts.</summary>
    public static ValueBody? OneHot(Lowering lowering, Node node)
    {
        var op = (OneHotEncoder)node.Operator;
        if (node.Inputs[0]!.DType == DType.String) return OneHot(node, op, op.Categories.Strings, t => t.Strings);
        return OneHot(node, op, op.Categories.Integers, t => t.DType.IsFloat() ? Array.ConvertAll(Graphs.Evaluate.ElementTypes.ToFloat64(t), v => (long)v) : t.ToInt64());
    }

    private static ValueBody OneHot<T>(Node node, OneHotEncoder op, ValueList<T> categories, Func<Tensor, T[]> elements) where T : notnull
    {
        var places = new Dictionary<T, int>();
        for (var i = 0; i < categories.Count; i++) places.TryAdd(categories[i], i);
        return (inputs, _) =>
        {
            var x = (Tensor)inputs[0]!;
            var result = Tensor.Allocate(DType.Float32, new Shape([.. x.Shape, op.Categories.Count]), zeroed: true);
            var at = 0;
            foreach (var e in elements(x))
            {
                if (places.TryGetValue(e, out var place)) result.Span<float>()[at + place] = 1;
                else if (!op.Zeros) throw new InvalidInputException($"node {node}: element {at / Math.Max(1, op.Categories.Count)} ({e}) is in no category");
                at += op.Categories.Count;
            }
            GC.KeepAlive(result);
            return [result];
        };
    }
}
