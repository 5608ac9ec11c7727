using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Reads and writes the files that hold single values: <c>input_0.pb</c> and its like. Such a file does not say which kind of message it is; its reader must know.</summary>
public static class TensorFile
{
    /// <summary>Reads a tensor (<c>TensorProto</c>).</summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="ModelFormatException">It is no tensor.</exception>
    /// <exception cref="LimitExceededException">It is larger than allowed.</exception>
    public static Tensor Read(string path, Limits? limits = null) => (Tensor)Read(path, new TensorType(DType.Undefined, null), limits);

    /// <summary>Reads a value of a kind: <c>TensorProto</c>, <c>SequenceProto</c>, <c>MapProto</c> or <c>OptionalProto</c>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="type">The kind; element types and shapes in it are not looked at.</param>
    /// <param name="limits">What the file may ask for.</param>
    /// <inheritdoc cref="Read(string, Limits?)"/>
    public static RuntimeValue Read(string path, GraphType type, Limits? limits = null)
    {
        using var source = ModelSource.Open(path, limits ?? Limits.Default);
        var reader = new ValueReader(new TensorDecoder(source));
        try
        {
            return type switch
            {
                TensorType => reader.Read(source.Parse(Proto.TensorProto.Parser, MessageKind.Tensor)),
                SequenceType => reader.Read(source.Parse(Proto.SequenceProto.Parser, MessageKind.Sequence)),
                OptionalType => reader.Read(source.Parse(Proto.OptionalProto.Parser, MessageKind.Optional)),
                MapType => reader.Read(source.Parse(Proto.MapProto.Parser, MessageKind.Map)),
                _ => throw new UnsupportedModelException($"values of type {type} have no form in files"),
            };
        }
        catch (AiOptixException e)
        {
            throw Rewording.Prefix(e, source.Name);
        }
    }

    /// <summary>Writes a value; the file appears under its name when it is complete.</summary>
    /// <param name="path">The file, which is replaced if it is there.</param>
    /// <param name="value">The value.</param>
    /// <param name="name">The name that it gets in the file.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, RuntimeValue value, string name = "")
    {
        var tensors = new TensorEncoder();
        var (message, kind) = ValueWriter.Encode(value, name, tensors);
        using var file = new PendingFile(path);
        MessageWriter.Write(message, kind, tensors.Payloads, file.Stream, CancellationToken.None);
        file.Commit();
        GC.KeepAlive(value);
    }
}
