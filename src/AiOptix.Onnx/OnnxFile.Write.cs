using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

public static partial class OnnxFile
{
    /// <summary>
    /// Writes a graph as a standard ONNX model: for the operator set version that it was read from, or the lowest above it that all operators have. The file appears
    /// under its name when it is complete. Large initializers may go beside it, into <c>&lt;path&gt;.data</c>, or <c>&lt;path&gt;.1.data</c> where the model that is replaced uses
    /// the former; whenever the write ends, the old pair or the new one is whole.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="path">The file, which is replaced if it is there.</param>
    /// <param name="options">How to write.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnsupportedModelException">An operator has no form in ONNX, or operators that are not known need other versions than the rest.</exception>
    public static void Write(Graph graph, string path, OnnxWriteOptions? options = null)
    {
        using var pending = Prepare(graph, path, options ?? new());
        pending.CommitData();
        pending.CommitModel();
        GC.KeepAlive(graph);
    }

    /// <summary>Writes all content, and gives nothing its name yet.</summary>
    internal static PendingModel Prepare(Graph graph, string path, OnnxWriteOptions options)
    {
        var pending = new PendingModel(path);
        try
        {
            var beside = InitializerBytes(graph) > options.ExternalDataThreshold ? Path.GetFileName(pending.DataPath) : null;
            var (model, tensors) = ModelWriter.Encode(graph, () => new TensorEncoder(beside, options.ExternalDataMinimum, options.Absent), options.Dialect);
            if (tensors.External.Count > 0) tensors.WriteExternal(pending.Data, options.Cancellation);
            MessageWriter.Write(model, MessageKind.Model, tensors.Payloads, pending.Model, options.Cancellation);
            options.Cancellation.ThrowIfCancellationRequested();
            return pending;
        }
        catch
        {
            pending.Dispose();
            throw;
        }
    }

    /// <summary>Writes a graph as a standard ONNX model into a stream, everything in it.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="to">Where it goes.</param>
    /// <param name="options">How to write; nothing goes beside.</param>
    /// <exception cref="UnsupportedModelException">An operator has no form in ONNX, or operators that are not known need other versions than the rest.</exception>
    public static void Write(Graph graph, Stream to, OnnxWriteOptions? options = null)
    {
        options ??= new();
        var (model, tensors) = ModelWriter.Encode(graph, () => new TensorEncoder(absent: options.Absent), options.Dialect);
        MessageWriter.Write(model, MessageKind.Model, tensors.Payloads, to, options.Cancellation);
        GC.KeepAlive(graph);
    }

    private static Int128 InitializerBytes(Graph graph) =>
        ModelWriter.Graphs(graph).SelectMany(g => g.Constants).Where(c => !c.IsUnused).Aggregate((Int128)0, (sum, c) => sum + c.Constant!.ByteLength);
}
