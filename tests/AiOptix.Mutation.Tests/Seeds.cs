using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Mutation.Tests;

/// <summary>A valid model to damage, and inputs recorded for it.</summary>
/// <param name="Name">Its folder, relative to the shared data.</param>
/// <param name="Bytes">The model file.</param>
/// <param name="Inputs">A tensor for each input, null where the recording is none.</param>
/// <param name="IsSmall">True for a conformance case: cheap enough for the reference evaluation.</param>
internal sealed record Seed(string Name, byte[] Bytes, Tensor?[] Inputs, bool IsSmall);

/// <summary>Conformance cases and real models of every kind, in an order that is the same everywhere.</summary>
internal sealed class Seeds
{
    /// <summary>One of so many mutants is of a real model.</summary>
    private const int RealEvery = 12;

    private static readonly string[] cases = ["node", "simple", "pytorch-converted", "pytorch-operator"];
    private static readonly string[] real = ["bert-toy", "dtln-1", "gpt2-toy-past", "gtcrn-stream", "mnist-8", "mobilenetv2-int8-qdq", "rnn-loop-tiny", "silero-vad", "sklearn-rf-iris", "stories260k-kv", "xgboost-trees"];

    private readonly string[] small;
    private readonly string[] large;
    private readonly Dictionary<string, Seed> loaded = new(StringComparer.Ordinal);

    public Seeds(string shared)
    {
        small = [.. cases.SelectMany(g => Directory.GetDirectories(Path.Combine(shared, "onnx-backend", g)).Order(StringComparer.Ordinal))];
        large = [.. real.Select(n => Path.Combine(shared, "models", n)).Where(Directory.Exists)];
    }

    /// <summary>Draws one.</summary>
    public Seed Draw(Random random)
    {
        var folder = random.Next(RealEvery) == 0 ? large[random.Next(large.Length)] : small[random.Next(small.Length)];
        if (!loaded.TryGetValue(folder, out var seed)) loaded[folder] = seed = Load(folder, small.Contains(folder));
        return seed;
    }

    /// <summary>The folder of shared data; null when it is not there.</summary>
    public static string? Shared()
    {
        if (Environment.GetEnvironmentVariable("AIOPTIX_SHARED") is { Length: > 0 } given) return given;
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "AiOptix.slnx")) && Path.Combine(at.Parent!.FullName, "shared") is var shared && Directory.Exists(shared)) return shared;
        return null;
    }

    private static Seed Load(string folder, bool isSmall)
    {
        var inputs = new List<Tensor?>();
        while (Path.Combine(folder, "test_data_set_0", $"input_{inputs.Count}.pb") is var file && File.Exists(file)) inputs.Add(Recorded(file));
        return new($"{Path.GetFileName(Path.GetDirectoryName(folder))}/{Path.GetFileName(folder)}", File.ReadAllBytes(Path.Combine(folder, "model.onnx")), [.. inputs], isSmall);
    }

    private static Tensor? Recorded(string file)
    {
        try
        {
            return TensorFile.Read(file);
        }
        catch (AiOptixException)
        {
            return null;
        }
    }
}
