using AiOptix.Compiled;
using AiOptix.Cpu;
using AiOptix.Graphs;
using AiOptix.Kernels;
using AiOptix.Onnx;
using AiOptix.Optimization;
using AiOptix.Passes;
using AiOptix.Runtime;
using AiOptix.Tensors;
using AiOptix.Threading;
using AiOptix.Tuning;

namespace AiOptix;

/// <summary>
/// A trained model: load it, look at it, optimise it, compile it into a <see cref="Session"/>, save it. A model is not changed by any of that and may be used
/// from several threads.
/// </summary>
public sealed class Model
{
    private readonly IReadOnlyList<FileStamp> files;
    private readonly SavedModel? saved;
    private readonly LoadOptions options;
    private readonly ProgramCache programs;
    private volatile string? notice;

    private Model(Graph graph, IReadOnlyList<FileStamp>? files = null, SavedModel? saved = null, LoadOptions? options = null)
    {
        Graph = graph;
        this.files = files ?? [];
        this.saved = saved;
        this.options = options ?? new LoadOptions();
        programs = ProgramCache.Of(this.options.Operators.Count == 0 ? this.files : []);
    }

    /// <summary>
    /// The graph; read it, do not rewrite it (<see cref="Graphs.Graph.Clone()"/> gives a copy to rewrite). That of a saved program has constants without elements
    /// (<see cref="Tensor.IsAbsent"/>).
    /// </summary>
    public Graph Graph { get; }

    /// <summary>Why a saved program was not used and its model compiled anew instead; null otherwise. Said when it is loaded, or when it is compiled.</summary>
    public string? Notice => notice;

    /// <summary>The graph's name.</summary>
    public string Name => Graph.Name;

    /// <summary>Names and types of the inputs, in order.</summary>
    public IReadOnlyList<ValueInfo> Inputs => [.. Graph.Inputs.Select(ValueInfo.Of)];

    /// <summary>Names and types of the outputs, in order.</summary>
    public IReadOnlyList<ValueInfo> Outputs => [.. Graph.Outputs.Select(ValueInfo.Of)];

    /// <summary>
    /// Loads an ONNX file, or a program that <see cref="SaveCompiled"/> saved. Weights are mapped, not copied. A saved program of another build or CPU, one whose model has
    /// changed since, and one that is damaged are not used: their model is loaded instead, and <see cref="Notice"/> says so.
    /// </summary>
    /// <param name="path">The file, or the folder of a saved program; external data is looked for beside the file.</param>
    /// <param name="limits">Bounds on what the file may ask for.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="ModelFormatException">The file is damaged or not ONNX; or a saved program is not to be used and its model is not there.</exception>
    /// <exception cref="InvalidGraphException">Its graph contradicts the specification.</exception>
    public static Model Load(string path, Limits? limits = null) => Load(path, new LoadOptions { Limits = limits ?? Limits.Default });

    /// <summary>Loads an ONNX file, or a saved program, that may hold operators of the user's own.</summary>
    /// <param name="path">The file; external data is looked for beside it.</param>
    /// <param name="options">How.</param>
    /// <inheritdoc cref="Load(string, Limits?)"/>
    public static Model Load(string path, LoadOptions options)
    {
        if (SavedModel.Find(path) is not { } file) return Read(path, options);
        var (saved, reason, origin) = SavedModel.Open(file, options);
        if (saved is not null) return new(saved.Graph, saved: saved, options: options);
        var model = Read(origin, options);
        model.notice = reason;
        return model;
    }

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
        OnnxFile.Write(Source().Graph, path, new OnnxWriteOptions { Dialect = dialect == FileDialect.OnnxRuntime ? OnnxDialect.OnnxRuntime : OnnxDialect.Standard });

    /// <summary>
    /// Compiles the model for this machine and saves the program: the graph after all passes, and the weights packed as kernels read them. <see cref="Load(string, Limits?)"/>
    /// opens it without packing anything. It is good for this build of AI Optix and this CPU only.
    /// </summary>
    /// <param name="folder">A folder, made when it is not there. It or its content appears when it is complete.</param>
    /// <param name="options">How to compile; sessions that ask for other options do not use the program.</param>
    /// <exception cref="IOException">It cannot be written, or the model's files changed meanwhile.</exception>
    /// <exception cref="UnsupportedModelException">It uses operators that are not supported, or has no form in a file that compiles to the same program.</exception>
    public void SaveCompiled(string folder, CompileOptions? options = null)
    {
        options ??= new CompileOptions();
        if (saved is not null)
        {
            Source().SaveCompiled(folder, options);
            return;
        }
        var choices = new ChoiceRecord(options.Tuning);
        var backend = new CpuBackend(HostTarget.Current.Cap(options.Isa), choices);
        var graph = options.Rewrite ? Rewrite(ToCompile(options.Limits)).Model.Graph : Graph;
        graph = CpuBackend.EvaluateConstants(graph, options.Limits);
        using var ahead = new WorkAhead(options.Threads);
        using var runner = new EarlyRunner(backend, options.Threads);
        runner.Begin(ahead);
        var program = backend.Compile(graph, options.Limits, new WeightSource { Ahead = p => ahead.Add(p.Run) });
        var isSettled = options.Rewrite && Settling.Of(graph, backend, options.Limits) is not null;
        using (new CompiledGraph(program).Start(runner, ahead)) new ProgramWriter(graph, program, backend.Target, choices, options.Rewrite, isSettled, files, this.options with { Limits = options.Limits }).Write(folder);
    }

    /// <summary>The model after the portable rewrites, without proof or timing; for those, see the Optimizer.</summary>
    /// <param name="options">Which patches, and how they are checked.</param>
    public (Model Model, PassReport Report) Rewrite(PassOptions? options = null)
    {
        var copy = Source().Graph.Clone();
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
        CancellationToken cancellation = default) => Optimize(samples, options, null, progress, cancellation);

    /// <summary>The same with tuned kernels.</summary>
    /// <param name="samples">Inputs to prove the answers with, a tensor for each input in order; at least one. The first one is timed.</param>
    /// <param name="options">How.</param>
    /// <param name="tuner">Has kernels timed before they are chosen, for the baseline and for every form that is tried; null leaves the choice to the cost model.</param>
    /// <param name="progress">Told of each stage.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>The optimised model, to be used only if the proof in the result holds.</returns>
    public (Model Model, OptimizationResult Result) Optimize(IReadOnlyList<Tensor[]> samples, OptimizerOptions? options, KernelTuner? tuner, IProgress<OptimizerProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var result = Optimizer.Optimize(Source().Graph, new CpuBackend(chooser: tuner?.Chooser), samples, options, progress, cancellation);
        return (new Model(result.Graph), result);
    }

    /// <summary>
    /// Times the kernels that can compute what this model consists of, where the tuner does not know them yet: its products and convolutions, after the rewrites. Nothing is compiled for use; give
    /// <see cref="KernelTuner.Tuning"/> to <see cref="CompileOptions.Tuning"/>, or save it. Open extents are taken for typical ones.
    /// </summary>
    public void Tune(KernelTuner tuner)
    {
        ArgumentNullException.ThrowIfNull(tuner);
        CompileFor(new CpuBackend(chooser: tuner.Chooser), Limits.Default);
    }

    /// <summary>Compiles the rewritten model for its choices only.</summary>
    internal void CompileFor(CpuBackend backend, Limits limits) => backend.Compile(Rewrite(ToCompile(limits)).Model.Graph, limits);

    /// <summary>Compiles the model for this machine.</summary>
    /// <exception cref="UnsupportedModelException">It uses operators that are not supported; all are named.</exception>
    public Session Compile(CompileOptions? options = null)
    {
        options ??= new CompileOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads, nameof(options));
        if (saved is not null) return CompileSaved(saved, options);
        var backend = new CpuBackend(HostTarget.Current.Cap(options.Isa), options.Tuning?.Chooser);
        using var ahead = new WorkAhead(options.Threads);
        using var runner = new EarlyRunner(backend, options.Threads);
        return programs.Get(options, () =>
        {
            runner.Begin(ahead);
            return Build(backend, options, p => ahead.Add(p.Run));
        }).Start(runner, ahead);
    }

    private CompiledGraph Build(CpuBackend backend, CompileOptions options, Action<Preparation> ahead)
    {
        if (!options.Rewrite) return new(backend.Compile(Graph, options.Limits, new WeightSource { Ahead = ahead }));
        var graph = Rewrite(ToCompile(options.Limits)).Model.Graph;
        if (Settling.Of(graph, backend, options.Limits) is { } settle) return new(backend.Compile(graph, options.Limits, new WeightSource { Ahead = ahead }), settle);
        return new(backend.Compile(graph, options.Limits, new WeightSource { Ahead = ahead, Expendable = Constants(graph).Except(Constants(Graph)).ToHashSet() }));
    }

    private Session CompileSaved(SavedModel saved, CompileOptions options)
    {
        var reason = "it was compiled with other options";
        if (saved.Suits(options))
        {
            try
            {
                return saved.Open(options);
            }
            catch (AiOptixException e) when (e is not LimitExceededException)
            {
                reason = e.Message;
            }
        }
        var explained = saved.Explain(reason);
        var session = Source().Compile(options);
        notice = explained;
        return session;
    }

    /// <summary>The model with all elements of its constants: this one, or the one that a saved program was compiled from.</summary>
    internal Model Source()
    {
        if (saved is null) return this;
        return saved.Origin is { } origin && File.Exists(origin) ? Read(origin, options)
            : throw new ModelFormatException($"model '{Name}' is a saved program, and the model that it was compiled from is not there");
    }

    private static Model Read(string path, LoadOptions options)
    {
        var files = new List<FileStamp>();
        return new(OnnxFile.Read(path, new OnnxReadOptions { Limits = options.Limits, Operators = options.Operators, Files = files }), files, options: options);
    }

    private static PassOptions ToCompile(Limits limits) => new() { Limits = limits, Pipeline = Pipeline.Create(limits, CpuBackend.ReadsThrough) };

    private static IEnumerable<Tensor> Constants(Graph graph) =>
        graph.Constants.Select(c => c.Constant!).Concat(graph.Nodes.SelectMany(n => n.Operator.Subgraphs).SelectMany(Constants));
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
