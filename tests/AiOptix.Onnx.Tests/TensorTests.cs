using AiOptix.Graphs;
using AiOptix.Onnx.Proto;
using AiOptix.Tensors;
using Google.Protobuf;

namespace AiOptix.Onnx.Tests;

public class TensorTests
{
    public static TheoryData<DType> RawTypes => [.. Enum.GetValues<DType>().Where(t => t is not (DType.Undefined or DType.String))];

    [Theory]
    [MemberData(nameof(RawTypes))]
    public void Typed_fields_and_raw_data_say_the_same(DType type)
    {
        foreach (var count in new[] { 0, 1, 3, 5, 400 })
        {
            var raw = new byte[type.ByteLength(count)];
            new Random(7).NextBytes(raw);
            if (type == DType.Bool) raw = [.. raw.Select(b => (byte)(b & 1))];
            var viaRaw = Decode(Message(type, count).Mutated(t => t.RawData = ByteString.CopyFrom(raw)));
            var viaField = Decode(Typed(type, count, raw));
            Assert.Equal(raw, viaRaw.Bytes.ToArray());
            Assert.True(viaField.BitEquals(viaRaw), $"{type} {count}");
        }
    }

    [Theory]
    [MemberData(nameof(RawTypes))]
    public void Too_much_and_too_little_data_is_refused(DType type)
    {
        var raw = new byte[type.ByteLength(5)];
        Assert.Throws<ModelFormatException>(() => Decode(Message(type, 5)));
        Assert.Throws<ModelFormatException>(() => Decode(Message(type, 5).Mutated(t => t.RawData = ByteString.CopyFrom(raw[1..]))));
        Assert.Throws<ModelFormatException>(() => Decode(Message(type, 5).Mutated(t => t.RawData = ByteString.CopyFrom([.. raw, 0]))));
        Assert.Throws<ModelFormatException>(() => Decode(Typed(type, 5, raw).Mutated(t => t.Dims[0] = 50)));
    }

    [Fact]
    public void Values_that_a_narrow_type_cannot_hold_are_refused()
    {
        foreach (var (type, value) in new[] { (DType.Int8, 256), (DType.Int16, 40000), (DType.UInt16, 1 << 16), (DType.Float16, -40000), (DType.UInt8, -129) })
            Assert.Contains("cannot hold", Assert.Throws<ModelFormatException>(() => Decode(Message(type, 1).Mutated(t => t.Int32Data.Add(value)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Strings_and_bools_are_read()
    {
        var s = Message(DType.String, 2);
        s.StringData.Add([ByteString.CopyFromUtf8("grün"), ByteString.Empty]);
        Assert.Equal(["grün", ""], Decode(s).Strings);
        s.StringData[1] = ByteString.CopyFrom(0xFF, 0xFE);
        Assert.Throws<ModelFormatException>(() => Decode(s));
        Assert.Equal([1, 0], Decode(Message(DType.Bool, 2).Mutated(t => t.RawData = ByteString.CopyFrom(200, 0))).Bytes.ToArray());
        Assert.Throws<ModelFormatException>(() => Decode(new TensorProto { DataType = 99 }));
        Assert.Throws<ModelFormatException>(() => Decode(new TensorProto()));
    }

    [Fact]
    public void The_index_of_a_payload_cannot_be_forged()
    {
        var t = Message(DType.UInt8, 3).Mutated(t => t.Payload = 0);
        Assert.Throws<ModelFormatException>(() => Decode(t));
        Assert.Equal([7, 8, 9], Decode(t.Mutated(m => m.RawData = ByteString.CopyFrom(7, 8, 9)).Mutated(m => m.Payload = 5)).Bytes.ToArray());
    }

    [Fact]
    public void Values_of_every_kind_survive_a_file()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("v.pb");
        var tensor = Tensor.Vector(1f, 2f, 3f);
        TensorFile.Write(path, tensor, "t");
        Assert.True(TensorFile.Read(path).BitEquals(tensor));
        var element = new TensorType(DType.Float32, null);
        TensorFile.Write(path, new SequenceValue([tensor, Tensor.Scalar(5L), Tensor.FromStrings(["a"], Shape.Scalar)]));
        var sequence = (SequenceValue)TensorFile.Read(path, new SequenceType(element));
        Assert.Equal("seq(3: float32[3], int64[], string[])", sequence.ToString());
        TensorFile.Write(path, new OptionalValue(new SequenceValue([tensor])));
        Assert.Equal("optional(seq(1: float32[3]))", TensorFile.Read(path, new OptionalType(new SequenceType(element))).ToString());
        TensorFile.Write(path, new OptionalValue(null));
        Assert.Null(((OptionalValue)TensorFile.Read(path, new OptionalType(element))).Content);
        TensorFile.Write(path, new SequenceValue([new MapValue(Tensor.Vector(1L, 2L, 3L), tensor)]));
        Assert.Equal("seq(1: map(int64[3], float32[3]))", TensorFile.Read(path, new SequenceType(new MapType(DType.Int64, element))).ToString());
        Assert.Single(Directory.GetFiles(folder.Root));
    }

    private static TensorProto Message(DType type, int count)
    {
        var t = new TensorProto { DataType = (int)type };
        t.Dims.Add(count);
        return t;
    }

    private static TensorProto Typed(DType type, int count, byte[] raw)
    {
        var t = Message(type, count);
        for (var i = 0; i < raw.Length; i++)
            switch (type)
            {
                case DType.Float32 or DType.Complex64 when i % 4 == 0: t.FloatData.Add(BitConverter.ToSingle(raw, i)); break;
                case DType.Float64 or DType.Complex128 when i % 8 == 0: t.DoubleData.Add(BitConverter.ToDouble(raw, i)); break;
                case DType.Int64 when i % 8 == 0: t.Int64Data.Add(BitConverter.ToInt64(raw, i)); break;
                case DType.UInt64 when i % 8 == 0: t.Uint64Data.Add(BitConverter.ToUInt64(raw, i)); break;
                case DType.UInt32 when i % 4 == 0: t.Uint64Data.Add(BitConverter.ToUInt32(raw, i)); break;
                case DType.Int32 when i % 4 == 0: t.Int32Data.Add(BitConverter.ToInt32(raw, i)); break;
                case DType.Int16 when i % 2 == 0: t.Int32Data.Add(BitConverter.ToInt16(raw, i)); break;
                case DType.UInt16 or DType.Float16 or DType.BFloat16 when i % 2 == 0: t.Int32Data.Add(BitConverter.ToUInt16(raw, i)); break;
                case DType.Int8: t.Int32Data.Add((sbyte)raw[i]); break;
                default:
                    if (type.Bits() <= 8) t.Int32Data.Add(raw[i]);
                    break;
            }
        return t;
    }

    private static Tensor Decode(TensorProto message)
    {
        using var source = ModelSource.Over(message.ToByteArray(), null, Limits.Default);
        return new TensorDecoder(source).Decode(source.Parse(TensorProto.Parser, MessageKind.Tensor), "tensor");
    }
}
