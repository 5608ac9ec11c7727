using AiOptix.Cpu;
using AiOptix.Runtime;

namespace AiOptix.Compiled;

/// <summary>What sessions of a graph are made from.</summary>
/// <param name="Program">The program.</param>
/// <param name="Settle">Makes a program for known extents, where ranks depend on them; otherwise null.</param>
internal sealed record CompiledGraph(Program Program, Func<IReadOnlyDictionary<string, long>, Program?>? Settle = null)
{
    /// <summary>A session, ready to run.</summary>
    public Session Start(CpuBackend backend, int threads)
    {
        var runner = backend.CreateRunner(threads);
        try
        {
            return new Session(Program, runner, Settle);
        }
        catch
        {
            runner.Dispose();
            throw;
        }
    }
}
