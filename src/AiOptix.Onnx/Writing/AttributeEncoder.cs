using System.Collections;
using System.Globalization;
using AiOptix.Graphs;
using AiOptix.Tensors;
using Google.Protobuf;
using Type = AiOptix.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace AiOptix.Onnx;

/// <summary>Turns attribute values into <c>AttributeProto</c>.</summary>
internal sealed class AttributeEncoder(TensorEncoder tensors, Func<Graph, Proto.GraphProto> writeGraph)
{
    /// <summary>The message of an attribute.</summary>
    /// <exception cref="InvalidOperationException">Attributes of the value's type do not exist.</exception>
    public Proto.AttributeProto Encode(string name, object value)
    {
        var a = value switch
        {
            bool or int or long => new Proto.AttributeProto { Type = Type.Int, I = Convert.ToInt64(value, CultureInfo.InvariantCulture) },
            DType d => new() { Type = Type.Int, I = (long)d },
            float or double => new() { Type = Type.Float, F = Convert.ToSingle(value, CultureInfo.InvariantCulture) },
            string s => new() { Type = Type.String, S = ByteString.CopyFromUtf8(s) },
            byte[] b => new() { Type = Type.String, S = ByteString.CopyFrom(b) },
            Tensor t => new() { Type = Type.Tensor, T = tensors.Encode(t) },
            Graph g => new() { Type = Type.Graph, G = writeGraph(g) },
            SparseTensor s => new() { Type = Type.SparseTensor, SparseTensor = Encode(s) },
            GraphType t => new() { Type = Type.TypeProto, Tp = TypeEncoder.Encode(t) },
            IEnumerable list => EncodeList(list),
            _ => throw Unknown(name, value),
        };
        a.Name = name;
        return a;
    }

    private Proto.AttributeProto EncodeList(IEnumerable list)
    {
        var a = new Proto.AttributeProto { Type = TypeOf(list) };
        switch (list)
        {
            case IEnumerable<long> ints: a.Ints.AddRange(ints); break;
            case IEnumerable<int> ints: a.Ints.AddRange(ints.Select(i => (long)i)); break;
            case IEnumerable<float> floats: a.Floats.AddRange(floats); break;
            case IEnumerable<string> strings: a.Strings.AddRange(strings.Select(ByteString.CopyFromUtf8)); break;
            case IEnumerable<byte[]> strings: a.Strings.AddRange(strings.Select(s => ByteString.CopyFrom(s))); break;
            case IEnumerable<Tensor> many: a.Tensors.AddRange(many.Select(t => tensors.Encode(t))); break;
            case IEnumerable<Graph> graphs: a.Graphs.AddRange(graphs.Select(writeGraph)); break;
            case IEnumerable<SparseTensor> sparse: a.SparseTensors.AddRange(sparse.Select(Encode)); break;
            case IEnumerable<GraphType> types: a.TypeProtos.AddRange(types.Select(TypeEncoder.Encode)); break;
        }
        return a;
    }

    private static Type TypeOf(IEnumerable list) => list switch
    {
        IEnumerable<long> or IEnumerable<int> => Type.Ints,
        IEnumerable<float> => Type.Floats,
        IEnumerable<string> or IEnumerable<byte[]> => Type.Strings,
        IEnumerable<Tensor> => Type.Tensors,
        IEnumerable<Graph> => Type.Graphs,
        IEnumerable<SparseTensor> => Type.SparseTensors,
        IEnumerable<GraphType> => Type.TypeProtos,
        _ => throw Unknown("", list),
    };

    private Proto.SparseTensorProto Encode(SparseTensor sparse)
    {
        var proto = new Proto.SparseTensorProto { Values = tensors.Encode(sparse.Values), Indices = tensors.Encode(sparse.Indices) };
        proto.Dims.AddRange(sparse.Shape.Dims.ToArray());
        return proto;
    }

    private static InvalidOperationException Unknown(string name, object value) => new($"attribute '{name}' has a value of type {value.GetType().Name}, which has no form in files");
}
