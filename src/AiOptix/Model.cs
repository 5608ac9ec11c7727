using AiOptix.Cpu;
using AiOptix.Graphs;
using AiOptix.Kernels;
using AiOptix.Onnx;
using AiOptix.Optimization;
using AiOptix.Passes;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix;

/// <summary>
/// A trained model: load it, look at it, optimise it, compile it into a <see cref="Session"/>, save it. A model is not changed by any of that and may be used
/// from several threads.
/// </summary>
public sealed class Model
{
    private Model(Graph graph) => Graph = graph;

    /// <summary>The graph; read it, do not rewrite it (<see cref="Graphs.Graph.Clone()"/> gives a copy to rewrite).</summary>
    public Graph Graph { get; }

    /// <summary>The graph's name.</summary>
    public string Name => Graph.Name;

    /// <summary>Names and types of the inputs, in order.</summary>
    public IReadOnlyList<ValueInfo> Inputs => [.. Graph.Inputs.Select(ValueInfo.Of)];

    /// <summary>Names and types of the outputs, in order.</summary>
    public IReadOnlyList<ValueInfo> Outputs => [.. Graph.Outputs.Select(ValueInfo.Of)];

    /// <summary>Loads an ONNX file. Weights are mapped, not copied.</summary>
    /// <param name="path">The file; external data is looked for beside it.</param>
    /// <param name="limits">Bounds on what the file may ask for.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="ModelFormatException">The file is damaged or not ONNX.</exception>
    /// <exception cref="InvalidGraphException">Its graph contradicts the specification.</exception>
    public static Model Load(string path, Limits? limits = null) => Load(path, new LoadOptions { Limits = limits ?? Limits.Default });

    /// <summary>Loads an ONNX file that may hold operators of the user's own.</summary>
    /// <param name="path">The file; external data is looked for beside it.</param>
    /// <param name="options">How.</param>
    /// <inheritdoc cref="Load(string, Limits?)"/>
    public static Model Load(string path, LoadOptions options) => new(OnnxFile.Read(path, new OnnxReadOptions { Limits = options.Limits, Operators = options.Operators }));

    /// <summary>Loads a model from the bytes of an ONNX file.</summary>
    /// <param name="data">The bytes; they must not change as long as the model or a session of it lives.</param>
    /// <param name="folder">Where external data is looked for; null refuses it.</param>
    /// <param name="limits">Bounds on what the file may ask for.</param>
    public static Model Load(byte[] data, string? folder = null, Limits? limits = null) =>
        new(OnnxFile.Read(data, folder, new OnnxReadOptions { Limits = limits ?? Limits.Default }));

    /// <summary>Wraps a graph built in memory.</summary>
    public static Model Of(Graph graph) => new(graph);

    /// <summary>Writes the model as ONNX: to a temporary file first, so that no half file is left.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dialect">Which operators it may use.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string path, FileDialect dialect = FileDialect.Standard) =>
        OnnxFile.Write(Graph, path, new OnnxWriteOptions { Dialect = dialect == FileDialect.OnnxRuntime ? OnnxDialect.OnnxRuntime : OnnxDialect.Standard });

    /// <summary>The model after the portable rewrites, without proof or timing; for those, see the Optimizer.</summary>
    /// <param name="options">Which patches, and how they are checked.</param>
    public (Model Model, PassReport Report) Rewrite(PassOptions? options = null)
    {
        var copy = Graph.Clone();
        var report = PassDriver.Run(copy, options ?? new PassOptions());
        return (new Model(copy), report);
    }

    /// <summary>Rewrites the model, proves its answers against the baseline (this model as it is, same kernels and threads) and measures what was gained.</summary>
    /// <param name="samples">Inputs to prove the answers with, a tensor for each input in order; at least one. The first one is timed.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told of each stage.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>The optimised model, to be used only if the proof in the result holds.</returns>
    public (Model Model, OptimizationResult Result) Optimize(IReadOnlyList<Tensor[]> samples, OptimizerOptions? options = null, IProgress<OptimizerProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var result = Optimizer.Optimize(Graph, new CpuBackend(), samples, options, progress, cancellation);
        return (new Model(result.Graph), result);
    }

    /// <summary>Compiles the model for this machine.</summary>
    /// <exception cref="UnsupportedModelException">It uses operators that are not supported; all are named.</exception>
    public Session Compile(CompileOptions? options = null)
    {
        options ??= new CompileOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads, nameof(options));
        var graph = options.Rewrite ? Rewrite(new PassOptions { Limits = options.Limits }).Model.Graph : Graph;
        var backend = new CpuBackend(HostTarget.Current.Cap(options.Isa));
        return options.Rewrite ? Settling.Open(graph, backend, options.Limits, options.Threads) : new Session(backend.Compile(graph, options.Limits), backend.CreateRunner(options.Threads));
    }
}

/// <summary>The name and type of an input or output.</summary>
/// <param name="Name">The name.</param>
/// <param name="Type">The type; null when it cannot be told before a run.</param>
public sealed record ValueInfo(string Name, GraphType? Type)
{
    /// <summary>The element type; Undefined when it is not a tensor.</summary>
    public DType DType => (Type as TensorType)?.DType ?? DType.Undefined;

    /// <summary>The shape, symbolic where it is open; null when it is not a tensor or the rank is unknown.</summary>
    public SymbolicShape? Shape => (Type as TensorType)?.Shape;

    internal static ValueInfo Of(Value value) => new(value.Name, value.Type);
}
