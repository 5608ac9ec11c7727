using System.Collections.Concurrent;
using AiOptix.Graphs;

namespace AiOptix.Zoo.Tests;

/// <summary>Models built once, for tests that only look at them.</summary>
internal static class Built
{
    private static readonly ConcurrentDictionary<string, Lazy<Graph>> graphs = new(StringComparer.Ordinal);

    /// <summary>Options that make a model small enough for its reference evaluation to take a second or two.</summary>
    public static ZooOptions Small(string name, int seed = 0) => name switch
    {
        "llama" => new() { Seed = seed, Layers = 2, Width = 192 },
        "bert-base" or "gpt2-small" => new() { Seed = seed, Layers = 2, Width = 128 },
        "vit-b-16" => new() { Seed = seed, Layers = 2, Width = 128, ImageSize = 64 },
        "whisper-tiny-encoder" => new() { Seed = seed, Layers = 2, Width = 128, Frames = 100 },
        "resnet-50" or "u-net" => new() { Seed = seed, ImageSize = 32 },
        _ => new() { Seed = seed, ImageSize = 64 },
    };

    /// <summary>Extents that go with them.</summary>
    public static IReadOnlyDictionary<string, long> Extents { get; } = new Dictionary<string, long> { ["batch"] = 2, ["sequence"] = 5, ["past"] = 3 };

    /// <summary>A model at its published size.</summary>
    public static Graph Of(string name) => graphs.GetOrAdd(name, n => new(() => ModelZoo.Build(n))).Value;

    /// <summary>A small model.</summary>
    public static Graph SmallOf(string name) => graphs.GetOrAdd("small " + name, _ => new(() => ModelZoo.Find(name).Build(Small(name)))).Value;
}
