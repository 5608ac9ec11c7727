using AiOptix.Cpu;
using AiOptix.Graphs;
using AiOptix.Kernels;
using AiOptix.Optimization;
using AiOptix.Runtime;
using AiOptix.Tensors;
using AiOptix.Threading;
using AiOptix.Tuning;

namespace AiOptix.Compiled;

/// <summary>A saved program that is good for this build and machine, and whose model has not changed.</summary>
internal sealed class SavedModel
{
    private readonly ProgramFile file;
    private readonly string path;

    private SavedModel(ProgramFile file, string path, LoadOptions options)
    {
        this.file = file;
        this.path = path;
        Graph = file.Graph(options);
    }

    /// <summary>The graph. Constants that are only needed packed have no elements.</summary>
    public Graph Graph { get; }

    /// <summary>The path of the model that it was compiled from; null when that came from memory.</summary>
    public string? Origin => file.Manifest.Files is [var main, ..] ? main.Stamp.Path : null;

    /// <summary>The file of a saved program at a path (the file itself, or its folder), or null when something else is there.</summary>
    public static string? Find(string path)
    {
        if (Directory.Exists(path)) return File.Exists(Path.Combine(path, ProgramFile.Name)) ? Path.Combine(path, ProgramFile.Name) : null;
        if (!File.Exists(path)) return null;
        Span<byte> magic = stackalloc byte[8];
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        return stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && ProgramFile.IsMagic(magic) ? path : null;
    }

    /// <summary>The path of the model that a saved program was compiled from, or null.</summary>
    public static string? OriginOf(string path)
    {
        var block = MemoryBlock.MapFile(path);
        try
        {
            return ProgramFile.ModelOf(block);
        }
        finally
        {
            block.LetGo();
        }
    }

    /// <summary>Opens a saved program.</summary>
    /// <returns>The program, or why it is not to be used and the path of its model.</returns>
    /// <exception cref="ModelFormatException">It is not to be used, and its model is not there.</exception>
    public static (SavedModel? Saved, string Reason, string Origin) Open(string path, LoadOptions options)
    {
        var block = MemoryBlock.MapFile(path);
        try
        {
            var origin = ProgramFile.ModelOf(block);
            string reason;
            try
            {
                var file = ProgramFile.Read(block);
                if (Outdated(file.Manifest) is not { } outdated) return (new(file, path, options), "", "");
                reason = outdated;
            }
            catch (AiOptixException e) when (e is not LimitExceededException)
            {
                reason = e.Message;
            }
            return (null, Explain(path, reason, origin), origin!);
        }
        finally
        {
            block.LetGo();
        }
    }

    /// <summary>Why a saved program is not used, as a sentence for people.</summary>
    /// <exception cref="ModelFormatException">Its model is not there either.</exception>
    public static string Explain(string path, string reason, string? origin)
    {
        if (origin is null) throw new ModelFormatException($"the saved program '{path}' cannot be used: {reason}. Compile its model again (optix compile MODEL -o DIR)");
        if (!File.Exists(origin)) throw new ModelFormatException($"the saved program '{path}' cannot be used: {reason}, and its model '{origin}' is not there to be compiled anew");
        return $"the saved program '{path}' is not used: {reason}; '{origin}' was compiled anew";
    }

    /// <summary>True when it was compiled with these options.</summary>
    public bool Suits(CompileOptions options) => options.Rewrite == file.Manifest.Rewrite && (options.Tuning is null || options.Tuning.Digest == file.Manifest.Tuning) && HostTarget.Current.Cap(options.Isa) == file.Manifest.Target;

    /// <summary>Opens a session over the packed weights in the file, which is held against its checksums meanwhile.</summary>
    /// <exception cref="AiOptixException">The file is damaged.</exception>
    public Session Open(CompileOptions options)
    {
        var backend = new CpuBackend(file.Manifest.Target, file.Manifest.Tuned.Count > 0 ? KernelTuning.Of(file.Manifest.Tuned).Chooser : null);
        using var ahead = new WorkAhead(options.Threads);
        using var runner = new EarlyRunner(backend, options.Threads);
        runner.Begin(ahead);
        var program = backend.Compile(Graph, options.Limits, new WeightSource { Saved = file.Packed(), Checks = file.Checks(), Ahead = p => ahead.Add(p.Run) });
        return new CompiledGraph(program, options.Rewrite ? Settling.Of(Graph, backend, options.Limits) : null).Start(runner, ahead);
    }

    /// <inheritdoc cref="Explain(string, string, string?)"/>
    public string Explain(string reason) => Explain(path, reason, Origin);

    private static string? Outdated(Manifest manifest)
    {
        if (manifest.Build != ProgramFile.ThisBuild) return $"it was saved by AI Optix {manifest.Build}, this is {ProgramFile.ThisBuild}";
        if (!Enum.GetValues<IsaCap>().Any(cap => HostTarget.Current.Cap(cap) == manifest.Target)) return $"it was saved for another CPU ({manifest.Target}; this is {HostTarget.Current})";
        return manifest.Files.FirstOrDefault(f => !f.IsUnchanged()) is { } changed ? $"'{changed.Stamp.Path}' has changed since" : null;
    }
}
