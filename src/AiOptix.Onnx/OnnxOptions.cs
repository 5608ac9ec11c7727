using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>How a model is read.</summary>
public sealed record OnnxReadOptions
{
    /// <summary>What the file may ask for.</summary>
    public Limits Limits { get; init; } = Limits.Default;

    /// <summary>The most nodes that model-local functions and subgraphs may expand to.</summary>
    public long MaxNodes { get; init; } = 1_000_000;

    /// <summary>Operators of the user's own. Those of this library, and functions of the file, cannot be replaced.</summary>
    public IReadOnlyList<OperatorDefinition> Operators { get; init; } = [];

    /// <summary>Whether initializers that were written without their elements are taken; they then have type and shape only.</summary>
    public bool AllowAbsent { get; init; }

    /// <summary>Receives the files that were mapped; null when nobody asks.</summary>
    public ICollection<FileStamp>? Files { get; init; }
}

/// <summary>Which operators a written model may use.</summary>
public enum OnnxDialect
{
    /// <summary>Those of the ONNX specification, and those of other domains that were read and have no other form.</summary>
    Standard,

    /// <summary>Those of ONNX Runtime's own domain as well, where an operator set lacks a standard one.</summary>
    OnnxRuntime,

    /// <summary>All of the newest operator set, each operator as one even where other readers refuse that form: for readers that take it all.</summary>
    Newest,
}

/// <summary>How a model is written.</summary>
public sealed record OnnxWriteOptions
{
    /// <summary>
    /// When the initializers take more bytes than this, they go into a data file beside the model. No reader takes a model file of 2 GiB and more, hence the default;
    /// 0 moves them out always.
    /// </summary>
    public long ExternalDataThreshold { get; init; } = 2_000_000_000;

    /// <summary>Initializers smaller than this, in bytes, stay in the model all the same.</summary>
    public long ExternalDataMinimum { get; init; } = 1024;

    /// <summary>Which operators it may use.</summary>
    public OnnxDialect Dialect { get; init; }

    /// <summary>Initializers that are written without their elements, which only a reader that allows it takes.</summary>
    public IReadOnlySet<Tensor> Absent { get; init; } = new HashSet<Tensor>();

    /// <summary>Ends a long write; no file is left or replaced then.</summary>
    public CancellationToken Cancellation { get; init; }
}
