using System.Text;
using AiOptix.Tensors;
using Google.Protobuf.Collections;

namespace AiOptix.Onnx;

/// <summary>
/// Makes tensors out of <c>TensorProto</c>: raw data in place over the mapped file where it is worth it, typed fields copied by the rules of the format for
/// each element type.
/// </summary>
internal sealed class TensorDecoder(ModelSource source)
{
    private const int SmallestMapped = 256;
    private static readonly Encoding strictUtf8 = new UTF8Encoding(false, throwOnInvalidBytes: true);
    private readonly Dictionary<Proto.TensorProto, Tensor> decoded = new(ReferenceEqualityComparer.Instance);
    private long ownedBytes;

    /// <summary>The tensor of a message; asked twice, the same one.</summary>
    /// <exception cref="ModelFormatException">Type, shape and data contradict each other.</exception>
    /// <exception cref="LimitExceededException">It is too large.</exception>
    public Tensor Decode(Proto.TensorProto tensor, string what)
    {
        if (!decoded.TryGetValue(tensor, out var t)) decoded[tensor] = t = Make(tensor, what);
        return t;
    }

    /// <summary>The parts of a sparse tensor.</summary>
    /// <exception cref="ModelFormatException">They contradict each other.</exception>
    public SparseTensor DecodeSparse(Proto.SparseTensorProto sparse, string what)
    {
        if (sparse.Values is null || sparse.Indices is null) throw new ModelFormatException($"{what}: a sparse tensor needs values and indices");
        return SparseTensor.Create(Decode(sparse.Values, what), Decode(sparse.Indices, what), ShapeOf(sparse.Dims, what), what);
    }

    /// <summary>The dense form of a sparse tensor.</summary>
    /// <exception cref="ModelFormatException">An index is out of range.</exception>
    /// <exception cref="LimitExceededException">It is too large.</exception>
    public Tensor Densify(SparseTensor sparse, string what)
    {
        Charge(sparse.Values.DType, sparse.Shape, what);
        return sparse.ToDense(what);
    }

    /// <summary>Reads the extents of a tensor.</summary>
    public static Shape ShapeOf(RepeatedField<long> dims, string what)
    {
        foreach (var d in dims)
            if (d < 0) throw new ModelFormatException($"{what}: shape [{string.Join(",", dims.Take(16))}] has a negative extent");
        CheckRank(dims.Count, what);
        return new([.. dims]);
    }

    /// <summary>Checks how many axes a shape has.</summary>
    /// <exception cref="LimitExceededException">They are more than any tensor may have.</exception>
    public static void CheckRank(int rank, string what)
    {
        if (rank > Shape.MaxRank) throw new LimitExceededException($"{what}: a shape of {rank} axes; at most {Shape.MaxRank} are supported");
    }

    /// <summary>Reads an element type.</summary>
    public static DType TypeOf(int type, string what) =>
        type is > 0 and <= (int)DType.Int2 ? (DType)type : throw new ModelFormatException($"{what}: {type} is no element type; expected 1 to {(int)DType.Int2}");

    /// <summary>Text, or null when the bytes are not UTF-8.</summary>
    public static string? TextOf(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private Tensor Make(Proto.TensorProto p, string what)
    {
        var type = TypeOf(p.DataType, what);
        var shape = ShapeOf(p.Dims, what);
        if (p.Segment is not null) throw new UnsupportedModelException($"{what}: tensors in segments are not supported");
        source.Limits.CheckTensor(type, shape, what);
        if (p.DataLocation == Proto.TensorProto.Types.DataLocation.External)
        {
            if (type == DType.String) throw new ModelFormatException($"{what}: strings cannot be external data");
            if (source.AllowAbsent && p.ExternalData is [{ Key: TensorEncoder.AbsentKey }]) return Tensor.WithoutElements(type, shape, p.Name);
            return InPlace(source.External.Find(p, type.ByteLength(shape.Count), what), type, shape, what);
        }
        if (type == DType.String) return Strings(p, shape, what);
        if (source.RawData(p) is { } raw && (raw.Length > 0 || shape.Count == 0)) return InPlace(raw, type, shape, what);
        TypedFields.Check(p, type, shape, what);
        Charge(type, shape, what);
        return TypedFields.Decode(p, type, shape, what);
    }

    private Tensor InPlace((MemoryBlock Block, long Offset, long Length) data, DType type, Shape shape, string what)
    {
        var bytes = type.ByteLength(shape.Count);
        if (data.Length != bytes) throw new ModelFormatException($"{what}: {type.Name()} {shape} needs {bytes} bytes of raw data, found {data.Length}");
        var over = Tensor.Over(data.Block, data.Offset, type, shape);
        if (bytes > SmallestMapped && type != DType.Bool) return over;
        Charge(type, shape, what);
        var copy = over.Clone();
        over.Dispose();
        if (type == DType.Bool)
            foreach (ref var b in copy.Bytes) b = b == 0 ? (byte)0 : (byte)1;
        return copy;
    }

    private static Tensor Strings(Proto.TensorProto p, Shape shape, string what)
    {
        if (p.StringData.Count != shape.Count) throw new ModelFormatException($"{what}: string {shape} needs {shape.Count} entries of string_data, found {p.StringData.Count}");
        return Tensor.FromStrings([.. p.StringData.Select(s => TextOf(s.Span) ?? throw new ModelFormatException($"{what}: a string is not UTF-8"))], shape);
    }

    private void Charge(DType type, Shape shape, string what)
    {
        source.Limits.CheckTensor(type, shape, what);
        ownedBytes += type.ByteLength(shape.Count);
        if (ownedBytes > source.Limits.MaxTotalBytes)
            throw new LimitExceededException($"{what}: the tensors of the model take more than {source.Limits.MaxTotalBytes} bytes outside of the file (Limits.MaxTotalBytes)");
    }
}
