using System.Globalization;
using AiOptix.Onnx.Proto;
using Google.Protobuf;
using Type = AiOptix.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace AiOptix.Mutation.Tests;

/// <summary>Changes a decoded model: attributes, shapes, types, edges, operators, constants. What it makes still parses; whether it makes sense is chance.</summary>
internal sealed class Structure
{
    private static readonly long[] integers =
        [0, 1, -1, 2, 3, -2, 4, 5, 7, 8, 16, 17, 64, 255, 256, 1000, 65_536, int.MaxValue, (long)int.MaxValue + 1, int.MinValue, 1L << 32, 1L << 40, 1L << 62, long.MaxValue, long.MinValue, long.MinValue + 1];

    private static readonly float[] floats = [0, -0f, 1, -1, 0.5f, 1e-30f, 1e30f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 3, 1e9f, -1e9f];

    private static readonly string[] texts = ["", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "linear", "nearest", "cubic", "constant", "reflect", "edge", "wrap", "add", "mul", "max", "ij,jk->ik", "i->", "...i,...i->...", "Relu", "reverse", "bidirectional", "../../secret", "NCHW", "\u0000"];

    private static readonly string[] operators =
        ["Add", "Mul", "MatMul", "Gemm", "Conv", "Relu", "Reshape", "Transpose", "Concat", "Split", "Slice", "Gather", "GatherND", "ScatterND", "ScatterElements", "Expand", "Tile", "Pad", "Resize", "Squeeze",
         "Unsqueeze", "ReduceSum", "ArgMax", "TopK", "Softmax", "LayerNormalization", "BatchNormalization", "MaxPool", "AveragePool", "GlobalAveragePool", "ConvTranspose", "LSTM", "GRU", "RNN", "If", "Loop", "Scan",
         "Where", "Cast", "Shape", "Size", "ConstantOfShape", "Range", "OneHot", "NonZero", "Einsum", "QuantizeLinear", "DequantizeLinear", "QLinearConv", "MatMulInteger", "CumSum", "Flatten", "Identity",
         "SequenceConstruct", "SequenceAt", "ConcatFromSequence", "DepthToSpace", "EyeLike", "Trilu", "Attention", "RotaryEmbedding", "DFT", "STFT", "GridSample", "RoiAlign", "NonMaxSuppression", "Col2Im", "Compress",
         "StringConcat", "Dropout", "InstanceNormalization", "LRN", "Clip", "Pow", "Mod", "BitShift", "Nonsense"];

    private readonly ModelProto model;
    private readonly Seed seed;
    private readonly Random random;
    private readonly List<GraphProto> graphs = [];

    public Structure(ModelProto model, Seed seed, Random random)
    {
        this.model = model;
        this.seed = seed;
        this.random = random;
        if (model.Graph is not null) Collect(model.Graph);
    }

    private IEnumerable<NodeProto> Nodes => graphs.SelectMany(g => g.Node).Concat(model.Functions.SelectMany(f => f.Node));

    /// <summary>Makes one change.</summary>
    /// <returns>What it was; null when the model has nothing to change in the way that was drawn.</returns>
    public string? Change()
    {
        var node = Pick(Nodes);
        return random.Next(20) switch
        {
            0 or 1 or 2 => node is null ? null : ChangeAttribute(node),
            3 or 4 => ChangeShape(),
            5 => ChangeInputType(),
            6 or 7 => ChangeInitializer(),
            8 or 9 => ChangeElements(),
            10 or 11 => node is null ? null : ChangeEdge(node),
            12 => node is null ? null : ChangeOutput(node),
            13 => node is null ? null : ChangeOperator(node),
            14 or 15 => MakeConstant(),
            16 => ChangeVersion(),
            17 => ChangeOutputs(),
            18 => ChangeNodes(),
            _ => node is null ? null : ChangeSubgraph(node),
        };
    }

    private void Collect(GraphProto graph)
    {
        graphs.Add(graph);
        foreach (var sub in graph.Node.SelectMany(n => n.Attribute).SelectMany(a => a.Graphs.Concat(a.G is null ? [] : [a.G]))) Collect(sub);
    }

    private string? ChangeAttribute(NodeProto node)
    {
        if (random.Next(6) == 0)
        {
            var added = new AttributeProto { Name = Pick(["axis", "axes", "perm", "pads", "strides", "kernel_shape", "to", "group", "mode", "dilations", "keepdims", "value", "blocksize", "direction"])! };
            (added.Type, added.I, added.F) = (Pick([Type.Int, Type.Float, Type.Ints, Type.Tensor, Type.Graph])!, Integer(), Real());
            added.Ints.Add([.. Enumerable.Range(0, random.Next(5)).Select(_ => Integer())]);
            node.Attribute.Add(added);
            return $"{node.OpType}: attribute {added.Name} added ({added.Type}, {added.I}, {added.Ints})";
        }
        if (Pick(node.Attribute) is not { } a) return null;
        var label = $"{node.OpType}: attribute {a.Name}";
        switch (random.Next(8))
        {
            case 0:
                node.Attribute.Remove(a);
                return $"{label} removed";
            case 1:
                a.Type = (Type)random.Next(0, 15);
                return $"{label} called {a.Type}";
            case 2:
                node.Attribute.Add(a.Clone());
                return $"{label} twice";
            default:
                return ChangeValue(a) ? $"{label} changed: {Short(a)}" : null;
        }
    }

    private bool ChangeValue(AttributeProto a)
    {
        switch (a.Type)
        {
            case Type.Int: a.I = random.Next(3) == 0 ? a.I + random.Next(-2, 3) : Integer(); return true;
            case Type.Float: a.F = Real(); return true;
            case Type.String: a.S = ByteString.CopyFromUtf8(Text()); return true;
            case Type.Ints: Edit(a.Ints, Integer); return true;
            case Type.Floats: Edit(a.Floats, Real); return true;
            case Type.Strings: Edit(a.Strings, () => ByteString.CopyFromUtf8(Text())); return true;
            case Type.Tensor when a.T is not null: return ChangeTensor(a.T) is not null;
            default: return false;
        }
    }

    private string? ChangeShape()
    {
        var shapes = graphs.SelectMany(g => g.Input.Concat(g.Output).Concat(g.ValueInfo)).Where(v => v.Type?.TensorType?.Shape is not null);
        if (Pick(shapes) is not { } info) return null;
        var dims = info.Type.TensorType.Shape.Dim;
        if (random.Next(10) == 0)
        {
            info.Type.TensorType.Shape = null;
            return $"'{info.Name}' without a shape";
        }
        Edit(dims, Extent);
        return $"'{info.Name}' has shape {string.Join(",", dims.Select(d => d.HasDimParam ? d.DimParam : d.DimValue.ToString(CultureInfo.InvariantCulture)))}";
    }

    private TensorShapeProto.Types.Dimension Extent() => random.Next(4) switch
    {
        0 => new() { DimParam = Pick(["n", "m", "batch", "", "?", "n+1", "_d0", "-1"])! },
        1 => new(),
        _ => new() { DimValue = random.Next(2) == 0 ? random.Next(0, 9) : Integer() },
    };

    private string? ChangeInputType()
    {
        if (Pick(graphs.SelectMany(g => g.Input.Concat(g.ValueInfo))) is not { Type: { } type } info) return null;
        if (random.Next(6) == 0)
        {
            info.Type = new() { SequenceType = new() { ElemType = type.Clone() } };
            return $"'{info.Name}' is a sequence";
        }
        if (type.TensorType is null) return null;
        type.TensorType.ElemType = ElementType();
        return $"'{info.Name}' has element type {type.TensorType.ElemType}";
    }

    private string? ChangeInitializer() => Pick(AllTensors()) is { } t ? ChangeTensor(t) : null;

    /// <summary>Changes shape or element type, and mostly has the data fit.</summary>
    private string ChangeTensor(TensorProto t)
    {
        if (random.Next(12) == 0)
        {
            t.DataLocation = TensorProto.Types.DataLocation.External;
            t.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = Text() });
            t.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = Integer().ToString(CultureInfo.InvariantCulture) });
            return $"'{t.Name}' is external";
        }
        if (random.Next(3) == 0) t.DataType = ElementType();
        else Edit(t.Dims, () => random.Next(3) == 0 ? Integer() : random.Next(0, 9));
        var label = $"'{t.Name}' is {t.DataType} [{string.Join(",", t.Dims)}]";
        if (random.Next(5) == 0) return label;
        var bits = Tensor.Bits(t.DataType);
        Int128 count = 1;
        foreach (var d in t.Dims) count = d < 0 || count > 1 << 20 ? Int128.MaxValue >> 40 : count * d;
        if (bits == 0 || count > 1 << 16) return label;
        Refill(t, (int)((((long)count * bits) + 7) / 8));
        return label + ", filled";
    }

    private void Refill(TensorProto t, int bytes)
    {
        var data = new byte[bytes];
        if (random.Next(2) == 0) random.NextBytes(data);
        else
            for (var i = 0; i < data.Length; i += Math.Max(1, Tensor.Bits(t.DataType) / 8)) data[i] = (byte)random.Next(4);
        Clear(t);
        t.RawData = ByteString.CopyFrom(data);
    }

    /// <summary>Changes single elements of integer constants: shapes, axes, indices, counts.</summary>
    private string? ChangeElements()
    {
        if (Pick(AllTensors().Where(t => t.DataType is 7 or 6 && t.Dims.All(d => d is >= 0 and < 1 << 16))) is not { } t) return null;
        var width = t.DataType == 7 ? 8 : 4;
        var data = t.RawData.Length > 0 ? t.RawData.ToByteArray() : width == 8 ? [.. t.Int64Data.SelectMany(BitConverter.GetBytes)] : (byte[])[.. t.Int32Data.SelectMany(BitConverter.GetBytes)];
        if (data.Length < width) return null;
        var at = random.Next(data.Length / width);
        var value = Integer();
        if (width == 8) BitConverter.TryWriteBytes(data.AsSpan(at * 8), value);
        else BitConverter.TryWriteBytes(data.AsSpan(at * 4), unchecked((int)value));
        Clear(t);
        t.RawData = ByteString.CopyFrom(data);
        return $"element {at} of '{t.Name}' is {value}";
    }

    private static void Clear(TensorProto t)
    {
        t.FloatData.Clear();
        t.Int32Data.Clear();
        t.Int64Data.Clear();
        t.DoubleData.Clear();
        t.Uint64Data.Clear();
        t.StringData.Clear();
    }

    private string ChangeEdge(NodeProto node)
    {
        var names = Names().ToArray();
        var label = $"{node.OpType}: inputs ";
        switch (random.Next(6))
        {
            case 0 when node.Input.Count > 0:
                node.Input.RemoveAt(random.Next(node.Input.Count));
                break;
            case 1:
                node.Input.Insert(random.Next(node.Input.Count + 1), Pick(names) ?? "");
                break;
            case 2 when node.Input.Count > 0:
                node.Input[random.Next(node.Input.Count)] = random.Next(2) == 0 ? "" : "dangling";
                break;
            default:
                if (node.Input.Count == 0) node.Input.Add(Pick(names) ?? "");
                else node.Input[random.Next(node.Input.Count)] = Pick(names) ?? "";
                break;
        }
        return label + string.Join(",", node.Input);
    }

    private string ChangeOutput(NodeProto node)
    {
        switch (random.Next(4))
        {
            case 0 when node.Output.Count > 1:
                node.Output.RemoveAt(node.Output.Count - 1);
                break;
            case 1 when node.Output.Count > 0:
                node.Output[random.Next(node.Output.Count)] = random.Next(2) == 0 ? "" : Pick(Names()) ?? "";
                break;
            default:
                node.Output.Add("added" + random.Next(1000).ToString(CultureInfo.InvariantCulture));
                break;
        }
        return $"{node.OpType}: outputs {string.Join(",", node.Output)}";
    }

    private string ChangeOperator(NodeProto node)
    {
        var old = node.OpType;
        if (random.Next(8) == 0) node.Domain = Pick(["ai.onnx.ml", "com.microsoft", "", "ai.onnx"])!;
        else node.OpType = Pick(operators)!;
        if (random.Next(2) == 0) node.Attribute.Clear();
        return $"{old} is {node.Domain}::{node.OpType}";
    }

    /// <summary>An input of the model becomes a constant with what was recorded for it, sometimes with one element changed.</summary>
    private string? MakeConstant()
    {
        if (model.Graph is not { Input.Count: > 0 } g) return null;
        var index = random.Next(g.Input.Count);
        if (index >= seed.Inputs.Length || seed.Inputs[index] is not { } t || t.DType == Tensors.DType.String || t.ByteLength > 1 << 16) return null;
        var input = g.Input[index];
        if (g.Initializer.Any(i => i.Name == input.Name)) return null;
        var made = new TensorProto { Name = input.Name, DataType = (int)t.DType, RawData = ByteString.CopyFrom(t.Bytes) };
        made.Dims.Add(t.Shape.Dims.ToArray());
        g.Initializer.Add(made);
        return $"input '{input.Name}' is a constant";
    }

    private string? ChangeVersion()
    {
        if (random.Next(3) == 0)
        {
            model.IrVersion = Integer();
            return $"IR version {model.IrVersion}";
        }
        if (Pick(model.OpsetImport) is not { } import) return null;
        import.Version = random.Next(3) == 0 ? Integer() : random.Next(1, 28);
        return $"opset {import.Domain} {import.Version}";
    }

    private string? ChangeOutputs()
    {
        if (Pick(graphs) is not { } g) return null;
        switch (random.Next(4))
        {
            case 0 when g.Output.Count > 0:
                g.Output.RemoveAt(random.Next(g.Output.Count));
                return "an output left out";
            case 1 when g.Output.Count > 0:
                g.Output.Add(g.Output[random.Next(g.Output.Count)].Clone());
                return "an output twice";
            default:
                var name = Pick(Names()) ?? "";
                g.Output.Add(new ValueInfoProto { Name = name });
                return $"'{name}' is an output too";
        }
    }

    private string? ChangeNodes()
    {
        if (Pick(graphs.Where(g => g.Node.Count > 0)) is not { } g) return null;
        var at = random.Next(g.Node.Count);
        var node = g.Node[at];
        switch (random.Next(4))
        {
            case 0:
                g.Node.RemoveAt(at);
                return $"{node.OpType} left out";
            case 1:
                g.Node.Insert(random.Next(g.Node.Count + 1), node.Clone());
                return $"{node.OpType} twice";
            case 2:
                g.Node.RemoveAt(at);
                g.Node.Insert(random.Next(g.Node.Count + 1), node);
                return $"{node.OpType} moved";
            default:
                var added = new NodeProto { OpType = Pick(operators)!, Name = "added" };
                for (var i = random.Next(1, 4); i > 0; i--) added.Input.Add(Pick(Names()) ?? "");
                added.Output.Add("added_output");
                g.Node.Add(added);
                g.Output.Add(new ValueInfoProto { Name = "added_output" });
                return $"{added.OpType}({string.Join(",", added.Input)}) added";
        }
    }

    private string? ChangeSubgraph(NodeProto node)
    {
        if (model.Graph is null) return null;
        if (Pick(node.Attribute.Where(a => a.G is not null)) is not { } a)
        {
            if (random.Next(4) > 0) return null;
            node.Attribute.Add(new AttributeProto { Name = Pick(["body", "then_branch", "else_branch"])!, Type = Type.Graph, G = model.Graph.Clone() });
            return $"{node.OpType}: has the whole graph as a subgraph";
        }
        var g = a.G;
        switch (random.Next(4))
        {
            case 0 when g.Input.Count > 0:
                g.Input.RemoveAt(random.Next(g.Input.Count));
                break;
            case 1:
                g.Input.Add(new ValueInfoProto { Name = "added_input" });
                break;
            case 2 when g.Output.Count > 1:
                (g.Output[0], g.Output[^1]) = (g.Output[^1].Clone(), g.Output[0].Clone());
                break;
            default:
                var deeper = random.Next(1, 80);
                for (var i = 0; i < deeper; i++)
                {
                    var inner = new GraphProto { Name = "deeper" };
                    inner.Node.Add(new NodeProto { OpType = "If", Input = { g.Output.FirstOrDefault()?.Name ?? "" }, Output = { "deep" }, Attribute = { new AttributeProto { Name = "then_branch", Type = Type.Graph, G = g }, new AttributeProto { Name = "else_branch", Type = Type.Graph, G = new GraphProto { Name = "e" } } } });
                    inner.Output.Add(new ValueInfoProto { Name = "deep" });
                    g = inner;
                }
                a.G = g;
                return $"{node.OpType}: subgraph {deeper} deeper";
        }
        return $"{node.OpType}: subgraph takes {g.Input.Count} and gives {g.Output.Count}";
    }

    private IEnumerable<TensorProto> AllTensors() => graphs.SelectMany(g => g.Initializer).Concat(Nodes.SelectMany(n => n.Attribute).Where(a => a.T is not null).Select(a => a.T));

    private IEnumerable<string> Names() => graphs.SelectMany(g => g.Input.Select(i => i.Name).Concat(g.Initializer.Select(i => i.Name)).Concat(g.Node.SelectMany(n => n.Output)));

    private void Edit<T>(IList<T> list, Func<T> draw)
    {
        switch (random.Next(6))
        {
            case 0 when list.Count > 0: list.RemoveAt(random.Next(list.Count)); break;
            case 1: list.Insert(random.Next(list.Count + 1), draw()); break;
            default:
                if (list.Count == 0) list.Add(draw());
                else list[random.Next(list.Count)] = draw();
                break;
        }
    }

    private T? Pick<T>(IEnumerable<T> items)
    {
        var list = items as IReadOnlyList<T> ?? [.. items];
        return list.Count == 0 ? default : list[random.Next(list.Count)];
    }

    private long Integer() => random.Next(3) == 0 ? random.Next(-4, 12) : integers[random.Next(integers.Length)];

    private float Real() => floats[random.Next(floats.Length)];

    private string Text() => texts[random.Next(texts.Length)];

    private int ElementType() => random.Next(12) == 0 ? random.Next(-1, 40) : random.Next(1, 27);

    private static string Short(AttributeProto a) => a.ToString() is var s && s.Length > 120 ? s[..120] : s;

    private static class Tensor
    {
        public static int Bits(int type) => type is > 0 and < 27 && type != (int)Tensors.DType.String ? Tensors.DTypes.Bits((Tensors.DType)type) : 0;
    }
}
