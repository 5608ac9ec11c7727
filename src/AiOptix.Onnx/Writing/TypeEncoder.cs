using AiOptix.Graphs;

namespace AiOptix.Onnx;

/// <summary>Turns the types of a graph into <c>TypeProto</c>: a symbol becomes a named extent, a composite extent is named by its text, one that inference made up has no name.</summary>
internal static class TypeEncoder
{
    /// <summary>The message.</summary>
    public static Proto.TypeProto Encode(GraphType type) => type switch
    {
        TensorType t => new() { TensorType = new() { ElemType = (int)t.DType, Shape = t.Shape is null ? null : Shape(t.Shape) } },
        SequenceType s => new() { SequenceType = new() { ElemType = Encode(s.Element) } },
        OptionalType o => new() { OptionalType = new() { ElemType = Encode(o.Element) } },
        MapType m => new() { MapType = new() { KeyType = (int)m.Key, ValueType = Encode(m.Value) } },
        _ => throw new InvalidOperationException($"{type.GetType().Name} has no form in files"),
    };

    /// <summary>A named value with its type.</summary>
    public static Proto.ValueInfoProto Encode(string name, GraphType? type)
    {
        var info = new Proto.ValueInfoProto { Name = name };
        if (type is not null) info.Type = Encode(type);
        return info;
    }

    private static Proto.TensorShapeProto Shape(SymbolicShape shape)
    {
        var proto = new Proto.TensorShapeProto();
        foreach (var d in shape)
            proto.Dim.Add(d.Constant is { } n ? new Proto.TensorShapeProto.Types.Dimension { DimValue = n } : Graph.IsFresh(d) ? new() : new() { DimParam = d.ToString() });
        return proto;
    }
}
