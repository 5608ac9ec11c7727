using AiOptix.Runtime;
using AiOptix.Threading;

namespace AiOptix.Compiled;

/// <summary>What sessions of a graph are made from.</summary>
/// <param name="Program">The program.</param>
/// <param name="Settle">Makes a program for known extents, where ranks depend on them; otherwise null.</param>
internal sealed record CompiledGraph(Program Program, Func<IReadOnlyDictionary<string, long>, Program?>? Settle = null)
{
    /// <summary>A session, ready to run.</summary>
    /// <param name="early">Gives its runner.</param>
    /// <param name="ahead">Those who have begun with what is to be done before.</param>
    public Session Start(EarlyRunner early, WorkAhead ahead)
    {
        ahead.Finish();
        var runner = early.Take();
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
