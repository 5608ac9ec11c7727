namespace AiOptix.Onnx;

/// <summary>The messages that can hold tensors, as far as the walkers need to tell them apart, and what a field may be instead of a message.</summary>
internal enum MessageKind
{
    /// <summary>A field that is copied as it is.</summary>
    Kept,
    /// <summary>A field that nobody reads (training information), or that must not be in a file.</summary>
    Dropped,
    /// <summary><c>TensorProto.raw_data</c>.</summary>
    Payload,
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Sparse,
    Function,
    Sequence,
    Map,
    Optional,
}

/// <summary>Which field of which message leads to tensors.</summary>
internal static class MessageKinds
{
    /// <summary>The field of <c>TensorProto</c> that names a payload while the message is in memory.</summary>
    public const int PayloadField = Proto.TensorProto.PayloadFieldNumber;

    /// <summary>The field of <c>TensorProto</c> that holds the payload in a file.</summary>
    public const int RawDataField = Proto.TensorProto.RawDataFieldNumber;

    /// <summary>What a field of a message is.</summary>
    public static MessageKind Of(MessageKind message, int field) => (message, field) switch
    {
        (MessageKind.Model, 7) => MessageKind.Graph,
        (MessageKind.Model, 20) => MessageKind.Dropped,
        (MessageKind.Model, 25) => MessageKind.Function,
        (MessageKind.Graph, 1) or (MessageKind.Function, 7) => MessageKind.Node,
        (MessageKind.Graph, 5) => MessageKind.Tensor,
        (MessageKind.Graph, 15) => MessageKind.Sparse,
        (MessageKind.Node, 5) or (MessageKind.Function, 11) => MessageKind.Attribute,
        (MessageKind.Attribute, 5 or 10) => MessageKind.Tensor,
        (MessageKind.Attribute, 6 or 11) => MessageKind.Graph,
        (MessageKind.Attribute, 22 or 23) => MessageKind.Sparse,
        (MessageKind.Sparse, 1 or 2) => MessageKind.Tensor,
        (MessageKind.Tensor, RawDataField) => MessageKind.Payload,
        (MessageKind.Tensor, PayloadField) => MessageKind.Dropped,
        (MessageKind.Sequence, 3) or (MessageKind.Optional, 3) => MessageKind.Tensor,
        (MessageKind.Sequence, 4) or (MessageKind.Optional, 4) => MessageKind.Sparse,
        (MessageKind.Sequence, 5) or (MessageKind.Map, 5) or (MessageKind.Optional, 5) => MessageKind.Sequence,
        (MessageKind.Sequence, 6) or (MessageKind.Optional, 6) => MessageKind.Map,
        (MessageKind.Sequence, 7) or (MessageKind.Optional, 7) => MessageKind.Optional,
        _ => MessageKind.Kept,
    };
}
