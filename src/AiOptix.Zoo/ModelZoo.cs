using AiOptix.Graphs;

namespace AiOptix.Zoo;

/// <summary>
/// Well-known architectures with seeded weights, built on the spot: large networks to measure, without a download. The weights are random, scaled so that
/// activations stay finite and varied through all layers; the answers mean nothing.
/// </summary>
public static class ModelZoo
{
    /// <summary>All models.</summary>
    public static IReadOnlyList<ZooEntry> Entries { get; } =
    [
        ResNet50.Entry,
        MobileNetV2.Entry,
        EfficientNetB0.Entry,
        UNet.Entry,
        YoloV8N.Entry,
        MiniLmL6.Entry,
        Bert.Entry,
        Gpt2.Entry,
        VitB16.Entry,
        Llama.Entry,
        WhisperTinyEncoder.Entry,
        LstmTagger.Entry,
        RandomForest.Entry,
    ];

    /// <summary>The model of a name.</summary>
    /// <exception cref="ArgumentException">There is none; those that there are, are named.</exception>
    public static ZooEntry Find(string name) =>
        Entries.FirstOrDefault(e => string.Equals(e.Name, name, StringComparison.Ordinal))
        ?? throw new ArgumentException($"the zoo has no model '{name}'; it has {string.Join(", ", Entries.Select(e => e.Name))}", nameof(name));

    /// <summary>Builds a model.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static Graph Build(string name, int seed = 0) => Find(name).Build(new ZooOptions { Seed = seed });
}
