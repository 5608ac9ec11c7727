using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

public static partial class OnnxFile
{
    /// <summary>
    /// Writes a graph as a standard ONNX model: for the operator set version that it was read from, or the lowest above it that all operators have. The file appears
    /// under its name when it is complete; so does <c>&lt;path&gt;.data</c>, when large initializers go beside the model.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="path">The file, which is replaced if it is there.</param>
    /// <param name="options">How to write.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnsupportedModelException">An operator has no form in ONNX, or operators that are not known need other versions than the rest.</exception>
    public static void Write(Graph graph, string path, OnnxWriteOptions? options = null)
    {
        options ??= new();
        var beside = InitializerBytes(graph) > options.ExternalDataThreshold ? path + ".data" : null;
        var (model, tensors) = ModelWriter.Encode(graph, () => new TensorEncoder(beside is null ? null : Path.GetFileName(beside), options.ExternalDataMinimum));
        using var data = tensors.External.Count > 0 ? new PendingFile(beside!) : null;
        if (data is not null) tensors.WriteExternal(data.Stream, options.Cancellation);
        using var file = new PendingFile(path);
        MessageWriter.Write(model, MessageKind.Model, tensors.Payloads, file.Stream, options.Cancellation);
        options.Cancellation.ThrowIfCancellationRequested();
        file.Finish();
        data?.Commit();
        file.Commit();
        GC.KeepAlive(graph);
    }

    /// <summary>Writes a graph as a standard ONNX model into a stream, everything in it.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="to">Where it goes.</param>
    /// <param name="cancellation">Ends a long write.</param>
    /// <exception cref="UnsupportedModelException">An operator has no form in ONNX, or operators that are not known need other versions than the rest.</exception>
    public static void Write(Graph graph, Stream to, CancellationToken cancellation = default)
    {
        var (model, tensors) = ModelWriter.Encode(graph, () => new TensorEncoder());
        MessageWriter.Write(model, MessageKind.Model, tensors.Payloads, to, cancellation);
        GC.KeepAlive(graph);
    }

    private static Int128 InitializerBytes(Graph graph) =>
        ModelWriter.Graphs(graph).SelectMany(g => g.Constants).Where(c => !c.IsUnused).Aggregate((Int128)0, (sum, c) => sum + c.Constant!.ByteLength);
}
