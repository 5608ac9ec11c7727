namespace AiOptix.Onnx;

/// <summary>The names of extents that a file declares where they count: on inputs and inner values, subgraphs included.</summary>
internal static class DeclaredSymbols
{
    /// <summary>The names.</summary>
    public static IEnumerable<string> Of(Proto.GraphProto graph)
    {
        foreach (var v in graph.Input.Concat(graph.ValueInfo))
            foreach (var name in Of(v.Type)) yield return name;
        foreach (var a in graph.Node.SelectMany(n => n.Attribute))
            foreach (var g in a.G is null ? a.Graphs : a.Graphs.Prepend(a.G))
                foreach (var name in Of(g)) yield return name;
    }

    private static IEnumerable<string> Of(Proto.TypeProto? type) => type?.ValueCase switch
    {
        Proto.TypeProto.ValueOneofCase.TensorType when type.TensorType.Shape is { } shape => shape.Dim.Select(d => d.DimParam).Where(TypeDecoder.IsName),
        Proto.TypeProto.ValueOneofCase.SequenceType => Of(type.SequenceType.ElemType),
        Proto.TypeProto.ValueOneofCase.OptionalType => Of(type.OptionalType.ElemType),
        Proto.TypeProto.ValueOneofCase.MapType => Of(type.MapType.ValueType),
        _ => [],
    };
}
