using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Reads and writes ONNX models (IR versions 3 to 13, default operator set 1 to 28).</summary>
public static partial class OnnxFile
{
    /// <summary>
    /// Reads a model. The file is mapped, and stays so while a tensor lies in it; files of 2 GB and more are fine. Operators that are not known are kept as
    /// <see cref="UnknownOperator"/>. Model-local functions are inlined.
    /// </summary>
    /// <param name="path">The file. Its external data must lie in its folder.</param>
    /// <param name="options">How to read.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="ModelFormatException">It is damaged, or no ONNX model.</exception>
    /// <exception cref="InvalidGraphException">Its nodes, types or names contradict each other.</exception>
    /// <exception cref="UnsupportedModelException">It needs a version or a feature that is not supported.</exception>
    /// <exception cref="LimitExceededException">It asks for more than <see cref="Limits"/> allow.</exception>
    public static Graph Read(string path, OnnxReadOptions? options = null)
    {
        options ??= new();
        using var source = ModelSource.Open(path, options.Limits);
        return Read(source, options);
    }

    /// <summary>Reads a model from memory, which tensors go on using.</summary>
    /// <param name="bytes">The file's content; not to be changed while the graph is in use.</param>
    /// <param name="baseFolder">Where external data lies; null when there must be none.</param>
    /// <param name="options">How to read.</param>
    /// <inheritdoc cref="Read(string, OnnxReadOptions?)"/>
    public static Graph Read(ReadOnlyMemory<byte> bytes, string? baseFolder = null, OnnxReadOptions? options = null)
    {
        options ??= new();
        using var source = ModelSource.Over(bytes, baseFolder, options.Limits);
        return Read(source, options);
    }

    /// <summary>Reads a model from a stretch of mapped memory, which tensors go on using.</summary>
    /// <param name="block">The model, and nothing else.</param>
    /// <param name="name">What errors call it.</param>
    /// <param name="options">How to read.</param>
    /// <inheritdoc cref="Read(string, OnnxReadOptions?)"/>
    public static Graph Read(MemoryBlock block, string name, OnnxReadOptions? options = null)
    {
        options ??= new();
        using var source = ModelSource.Over(block.Hold(), name, options.Limits);
        return Read(source, options);
    }

    private static Graph Read(ModelSource source, OnnxReadOptions options)
    {
        try
        {
            source.AllowAbsent = options.AllowAbsent;
            var model = source.Parse(Proto.ModelProto.Parser, MessageKind.Model);
            if (model is { IrVersion: 0, Graph: null }) throw new ModelFormatException("this is no ONNX model: it has neither an IR version nor a graph");
            var graph = new GraphReader(source, model, options).Read();
            foreach (var file in source.Files) options.Files?.Add(file);
            return graph;
        }
        catch (AiOptixException e) when (e is not AbsentElementsException)
        {
            throw Rewording.Prefix(e, source.Name);
        }
    }

}
