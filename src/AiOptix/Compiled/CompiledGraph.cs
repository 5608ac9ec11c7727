using AiOptix.Cpu;
using AiOptix.Runtime;
using AiOptix.Threading;

namespace AiOptix.Compiled;

/// <summary>What sessions of a graph are made from.</summary>
/// <param name="Program">The program.</param>
/// <param name="Settle">Makes a program for known extents, where ranks depend on them; otherwise null.</param>
internal sealed record CompiledGraph(Program Program, Func<IReadOnlyDictionary<string, long>, Program?>? Settle = null)
{
    /// <summary>A session, ready to run.</summary>
    /// <param name="backend">The machine.</param>
    /// <param name="threads">Threads that take part in a run.</param>
    /// <param name="ahead">Those who have begun with what is to be done before.</param>
    public Session Start(CpuBackend backend, int threads, WorkAhead ahead)
    {
        ahead.Finish();
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
