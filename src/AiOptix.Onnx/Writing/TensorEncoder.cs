using System.Globalization;
using AiOptix.Tensors;
using Google.Protobuf;

namespace AiOptix.Onnx;

/// <summary>Makes <c>TensorProto</c> messages that only name their raw data, and collects the tensors that hold it.</summary>
/// <param name="dataFile">The name of the file that initializers go to, or null when they stay in the message.</param>
/// <param name="smallestExternal">Bytes of the smallest initializer that goes there.</param>
/// <param name="absent">Initializers whose elements are not written, only their place; null for none.</param>
internal sealed class TensorEncoder(string? dataFile = null, long smallestExternal = 0, IReadOnlySet<Tensor>? absent = null)
{
    /// <summary>The entry of external data that stands for elements that are not written.</summary>
    public const string AbsentKey = "absent";

    private const long Alignment = 4096;
    private readonly List<Tensor> payloads = [];
    private readonly List<(Tensor Tensor, long Offset)> external = [];
    private readonly Dictionary<Tensor, long> offsets = new(ReferenceEqualityComparer.Instance);
    private long end;

    /// <summary>The raw data of the messages, by index.</summary>
    public IReadOnlyList<Tensor> Payloads => payloads;

    /// <summary>What goes into the data file, by rising offset.</summary>
    public IReadOnlyList<(Tensor Tensor, long Offset)> External => external;

    /// <summary>The message of a tensor.</summary>
    public Proto.TensorProto Encode(Tensor tensor, string name = "")
    {
        var proto = Header(tensor, name);
        if (tensor.DType == DType.String)
        {
            foreach (var s in tensor.Strings) proto.StringData.Add(ByteString.CopyFromUtf8(s));
            return proto;
        }
        proto.Payload = payloads.Count;
        payloads.Add(tensor);
        return proto;
    }

    /// <summary>The message of an initializer, which may lie in the data file.</summary>
    public Proto.TensorProto EncodeInitializer(Tensor tensor, string name)
    {
        if (absent is not null && absent.Contains(tensor))
        {
            var header = Header(tensor, name);
            header.DataLocation = Proto.TensorProto.Types.DataLocation.External;
            header.ExternalData.Add(new Proto.StringStringEntryProto { Key = AbsentKey, Value = "" });
            return header;
        }
        if (dataFile is null || tensor.DType == DType.String || tensor.ByteLength < smallestExternal) return Encode(tensor, name);
        if (!offsets.TryGetValue(tensor, out var offset))
        {
            offset = (end + Alignment - 1) / Alignment * Alignment;
            end = offset + tensor.ByteLength;
            offsets[tensor] = offset;
            external.Add((tensor, offset));
        }
        var proto = Header(tensor, name);
        proto.DataLocation = Proto.TensorProto.Types.DataLocation.External;
        proto.ExternalData.Add(new Proto.StringStringEntryProto { Key = "location", Value = dataFile });
        proto.ExternalData.Add(new Proto.StringStringEntryProto { Key = "offset", Value = offset.ToString(CultureInfo.InvariantCulture) });
        proto.ExternalData.Add(new Proto.StringStringEntryProto { Key = "length", Value = tensor.ByteLength.ToString(CultureInfo.InvariantCulture) });
        return proto;
    }

    /// <summary>Writes the data file.</summary>
    public void WriteExternal(Stream to, CancellationToken cancellation)
    {
        foreach (var (tensor, offset) in external)
        {
            to.Position = offset;
            MessageWriter.WriteData(tensor, to, cancellation);
        }
    }

    private static Proto.TensorProto Header(Tensor tensor, string name)
    {
        var proto = new Proto.TensorProto { DataType = (int)tensor.DType };
        if (name.Length > 0) proto.Name = name;
        proto.Dims.AddRange(tensor.Shape.Dims.ToArray());
        return proto;
    }
}
