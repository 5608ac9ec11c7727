using AiOptix.Tensors;
using Google.Protobuf;

namespace AiOptix.Onnx;

/// <summary>Turns values into messages.</summary>
internal static class ValueWriter
{
    public static (IMessage Message, MessageKind Kind) Encode(RuntimeValue value, string name, TensorEncoder tensors) => value switch
    {
        Tensor t => (tensors.Encode(t, name), MessageKind.Tensor),
        SequenceValue s => (Sequence(s, name, tensors), MessageKind.Sequence),
        OptionalValue o => (Optional(o, name, tensors), MessageKind.Optional),
        MapValue m => (Map(m, name, tensors), MessageKind.Map),
        _ => throw new UnsupportedModelException($"{value.GetType().Name} has no form in files"),
    };

    private static Proto.SequenceProto Sequence(SequenceValue value, string name, TensorEncoder tensors)
    {
        var p = new Proto.SequenceProto { Name = name, ElemType = value.Items.FirstOrDefault() switch { SequenceValue => 3, MapValue => 4, OptionalValue => 5, _ => 1 } };
        foreach (var (message, _) in value.Items.Select(i => Encode(i, "", tensors)))
            switch (message)
            {
                case Proto.TensorProto t: p.TensorValues.Add(t); break;
                case Proto.SequenceProto s: p.SequenceValues.Add(s); break;
                case Proto.MapProto m: p.MapValues.Add(m); break;
                case Proto.OptionalProto o: p.OptionalValues.Add(o); break;
            }
        return p;
    }

    private static Proto.OptionalProto Optional(OptionalValue value, string name, TensorEncoder tensors)
    {
        var p = new Proto.OptionalProto { Name = name };
        if (value.Content is null) return p;
        switch (Encode(value.Content, "", tensors).Message)
        {
            case Proto.TensorProto t: (p.ElemType, p.TensorValue) = (1, t); break;
            case Proto.SequenceProto s: (p.ElemType, p.SequenceValue) = (3, s); break;
            case Proto.MapProto m: (p.ElemType, p.MapValue) = (4, m); break;
            case Proto.OptionalProto o: (p.ElemType, p.OptionalValue) = (5, o); break;
        }
        return p;
    }

    private static Proto.MapProto Map(MapValue value, string name, TensorEncoder tensors)
    {
        var p = new Proto.MapProto { Name = name, KeyType = (int)value.Keys.DType, Values = new() { ElemType = 1 } };
        if (value.Keys.DType == DType.String) p.StringKeys.AddRange(value.Keys.Strings.Select(ByteString.CopyFromUtf8));
        else p.Keys.AddRange(value.Keys.ToInt64());
        p.Values.TensorValues.Add(tensors.Encode(value.Values));
        return p;
    }
}
