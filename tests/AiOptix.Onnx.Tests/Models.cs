using AiOptix.Graphs;
using AiOptix.Onnx.Proto;
using AiOptix.Tensors;
using Google.Protobuf;

namespace AiOptix.Onnx.Tests;

/// <summary>Builds model files message by message, valid and invalid ones.</summary>
internal static class Models
{
    public static ModelProto Model(GraphProto graph, long opset = 13, long ir = 8)
    {
        var m = new ModelProto { IrVersion = ir, ProducerName = "tests", Graph = graph };
        m.OpsetImport.Add(new OperatorSetIdProto { Version = opset });
        return m;
    }

    public static GraphProto Graph(params NodeProto[] nodes)
    {
        var g = new GraphProto { Name = "g" };
        g.Node.Add(nodes);
        return g;
    }

    public static GraphProto In(this GraphProto g, string name, params object[] dims)
    {
        g.Input.Add(Info(name, dims));
        return g;
    }

    public static GraphProto Out(this GraphProto g, params string[] names)
    {
        foreach (var n in names) g.Output.Add(new ValueInfoProto { Name = n });
        return g;
    }

    public static GraphProto With(this GraphProto g, params TensorProto[] initializers)
    {
        g.Initializer.Add(initializers);
        return g;
    }

    public static ValueInfoProto Info(string name, params object[] dims)
    {
        var shape = new TensorShapeProto();
        foreach (var d in dims)
            shape.Dim.Add(d switch
            {
                string s => new TensorShapeProto.Types.Dimension { DimParam = s },
                null => new TensorShapeProto.Types.Dimension(),
                _ => new TensorShapeProto.Types.Dimension { DimValue = Convert.ToInt64(d, System.Globalization.CultureInfo.InvariantCulture) },
            });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new() { ElemType = 1, Shape = shape } } };
    }

    public static NodeProto Node(string op, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        var n = new NodeProto { OpType = op, Name = op + "_" + string.Join("_", outputs), Domain = op.StartsWith("My", StringComparison.Ordinal) ? "my.domain" : "" };
        n.Input.Add(inputs);
        n.Output.Add(outputs);
        n.Attribute.Add(attributes);
        return n;
    }

    public static AttributeProto Attribute(string name, GraphProto graph) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Graph, G = graph };

    public static AttributeProto Attribute(string name, long value) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    public static TensorProto Floats(string name, int count)
    {
        var t = new TensorProto { Name = name, DataType = 1, RawData = ByteString.CopyFrom(Raw(count)) };
        t.Dims.Add(count);
        return t;
    }

    public static byte[] Raw(int count) => [.. Enumerable.Range(0, count).SelectMany(i => BitConverter.GetBytes(i * 0.5f))];

    public static TensorProto External(string name, int count, params (string Key, string Value)[] entries)
    {
        var t = new TensorProto { Name = name, DataType = 1, DataLocation = TensorProto.Types.DataLocation.External };
        t.Dims.Add(count);
        foreach (var (k, v) in entries) t.ExternalData.Add(new StringStringEntryProto { Key = k, Value = v });
        return t;
    }

    public static Graph Read(this ModelProto model, OnnxReadOptions? options = null) => OnnxFile.Read(model.ToByteArray(), null, options);

    public static T Refuses<T>(ModelProto model, string message, OnnxReadOptions? options = null) where T : AiOptixException
    {
        var e = Assert.Throws<T>(() => model.Read(options));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        return e;
    }
}
