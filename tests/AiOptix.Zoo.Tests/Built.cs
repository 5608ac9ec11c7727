using System.Collections.Concurrent;
using AiOptix.Graphs;

namespace AiOptix.Zoo.Tests;

/// <summary>Models built once, for tests that only look at them.</summary>
internal static class Built
{
    private static readonly ConcurrentDictionary<string, Lazy<Graph>> graphs = new(StringComparer.Ordinal);

    public static Graph Of(string name) => graphs.GetOrAdd(name, n => new(() => ModelZoo.Build(n))).Value;
}
