using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Turns parsed messages into values.</summary>
internal sealed class ValueReader(TensorDecoder tensors)
{
    private const int Tensor = 1;
    private const int Sparse = 2;
    private const int Sequence = 3;
    private const int Map = 4;
    private const int Optional = 5;

    public Tensor Read(Proto.TensorProto p) => tensors.Decode(p, Named("tensor", p.Name));

    public SequenceValue Read(Proto.SequenceProto p) => new(p.ElemType switch
    {
        Tensor => [.. p.TensorValues.Select(Read)],
        Sequence => [.. p.SequenceValues.Select(Read)],
        Map => [.. p.MapValues.Select(Read)],
        Optional => [.. p.OptionalValues.Select(Read)],
        0 when p.CalculateSize() == 0 => Array.Empty<RuntimeValue>(),
        _ => throw Unsupported(Named("sequence", p.Name), p.ElemType),
    });

    public OptionalValue Read(Proto.OptionalProto p) => new(p switch
    {
        { TensorValue: { } t } => Read(t),
        { SequenceValue: { } s } => Read(s),
        { MapValue: { } m } => Read(m),
        { OptionalValue: { } o } => Read(o),
        { SparseTensorValue: not null } => throw Unsupported(Named("optional", p.Name), Sparse),
        _ => null,
    });

    public MapValue Read(Proto.MapProto p)
    {
        var what = Named("map", p.Name);
        var type = TensorDecoder.TypeOf(p.KeyType, what);
        var keys = type == DType.String
            ? AiOptix.Tensors.Tensor.FromStrings([.. p.StringKeys.Select(k => TensorDecoder.TextOf(k.Span) ?? throw new ModelFormatException($"{what}: a key is not UTF-8"))], new Shape(p.StringKeys.Count))
            : AiOptix.Tensors.Tensor.Vector<long>([.. p.Keys]);
        var values = p.Values?.TensorValues.ToArray() ?? [];
        if (values is not [var all]) throw new UnsupportedModelException($"{what}: {values.Length} tensors of values are not supported, expected one with an element for each key");
        var content = Read(all);
        return content.Count == keys.Count ? new(keys, content) : throw new ModelFormatException($"{what}: {keys.Count} keys and {content.Count} values");
    }

    private static string Named(string kind, string name) => name.Length > 0 ? $"{kind} '{name}'" : kind;

    private static UnsupportedModelException Unsupported(string what, int kind) => new($"{what}: elements of kind {kind} are not supported");
}
