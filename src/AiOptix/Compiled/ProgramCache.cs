using System.Collections.Concurrent;
using AiOptix.Runtime;
using AiOptix.Tensors;
using Settler = System.Func<System.Collections.Generic.IReadOnlyDictionary<string, long>, AiOptix.Runtime.Program?>;

namespace AiOptix.Compiled;

/// <summary>The programs of one model that sessions use, by what they were compiled with. Models read from the same files share it, and so packed weights.</summary>
internal sealed class ProgramCache
{
    private static readonly ConcurrentDictionary<string, WeakReference<ProgramCache>> ofFiles = new(StringComparer.Ordinal);
    private readonly Dictionary<(bool Rewrite, IsaCap Isa, Limits Limits, ulong? Tuning), (WeakReference<Program> Program, Settler? Settle)> programs = [];

    /// <summary>The cache of the model that these files hold.</summary>
    public static ProgramCache Of(IReadOnlyList<FileStamp> files)
    {
        if (files.Count == 0) return new();
        var key = string.Join('\n', files.Select(f => $"{f.Path}\n{f.Length} {f.Written.Ticks} {SourceFile.SampleOf(f)}"));
        foreach (var (k, r) in ofFiles)
            if (!r.TryGetTarget(out _)) ofFiles.TryRemove(new(k, r));
        while (true)
        {
            if (ofFiles.GetOrAdd(key, _ => new(new ProgramCache())).TryGetTarget(out var cache)) return cache;
            ofFiles.TryRemove(key, out _);
        }
    }

    /// <summary>The program for some options; compiled when no session uses one.</summary>
    public CompiledGraph Get(CompileOptions options, Func<CompiledGraph> compile)
    {
        lock (programs)
        {
            var key = (options.Rewrite, options.Isa, options.Limits, options.Tuning?.Digest);
            if (programs.TryGetValue(key, out var known) && known.Program.TryGetTarget(out var program)) return new(program, known.Settle);
            var compiled = compile();
            programs[key] = (new(compiled.Program), compiled.Settle);
            return compiled;
        }
    }
}
