using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Turns <c>TypeProto</c> into the types of a graph: a named extent becomes the symbol of that name, an unnamed or negative one a fresh symbol.</summary>
internal static class TypeDecoder
{
    /// <summary>The type, or null when the message names none.</summary>
    /// <param name="type">The message.</param>
    /// <param name="graph">Where fresh symbols come from.</param>
    /// <param name="what">What it is the type of, for errors.</param>
    /// <exception cref="ModelFormatException">An element type is out of range.</exception>
    public static GraphType? Decode(Proto.TypeProto? type, Graph graph, string what) => type?.ValueCase switch
    {
        null or Proto.TypeProto.ValueOneofCase.None => null,
        Proto.TypeProto.ValueOneofCase.TensorType when type.TensorType.ElemType == 0 => null,
        Proto.TypeProto.ValueOneofCase.TensorType => new TensorType(TensorDecoder.TypeOf(type.TensorType.ElemType, what), Shape(type.TensorType.Shape, graph, what)),
        Proto.TypeProto.ValueOneofCase.SequenceType => new SequenceType(Element(type.SequenceType.ElemType, graph, what)),
        Proto.TypeProto.ValueOneofCase.OptionalType => new OptionalType(Element(type.OptionalType.ElemType, graph, what)),
        Proto.TypeProto.ValueOneofCase.MapType => new MapType(TensorDecoder.TypeOf(type.MapType.KeyType, what), Element(type.MapType.ValueType, graph, what)),
        _ => throw new UnsupportedModelException($"{what} is a {type.ValueCase}; only tensors, sequences, optionals and maps are supported"),
    };

    /// <summary>True for a name that stands for one extent wherever it occurs.</summary>
    public static bool IsName(string parameter) => parameter.Length > 0 && parameter != "?";

    private static GraphType Element(Proto.TypeProto? type, Graph graph, string what) =>
        Decode(type, graph, what) ?? throw new ModelFormatException($"{what} has no element type");

    private static SymbolicShape? Shape(Proto.TensorShapeProto? shape, Graph graph, string what)
    {
        if (shape is null) return null;
        TensorDecoder.CheckRank(shape.Dim.Count, what);
        return new([.. shape.Dim.Select(d => Extent(d, graph))]);
    }

    private static Dim Extent(Proto.TensorShapeProto.Types.Dimension dim, Graph graph) => dim.ValueCase switch
    {
        Proto.TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue when dim.DimValue >= 0 => dim.DimValue,
        Proto.TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam when IsName(dim.DimParam) => Dim.Symbol(dim.DimParam),
        _ => graph.FreshSymbol(),
    };
}
