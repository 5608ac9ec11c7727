using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>A model opened by one engine with its inputs in place.</summary>
internal interface IEngine : IDisposable
{
    /// <summary>One run; its outputs are let go of.</summary>
    void Run();

    /// <summary>One run and its outputs by name, the caller's to dispose of. Outputs that are not tensors are left out.</summary>
    IReadOnlyDictionary<string, Tensor> Answers();
}

/// <summary>The engines that are compared.</summary>
internal static class Engines
{
    internal const string Optix = "optix";

    internal const string Ort = "ort";

    /// <summary>Opens a model.</summary>
    internal static IEngine Open(string engine, string path, int threads, IReadOnlyDictionary<string, Tensor> inputs) => engine switch
    {
        Optix => new OptixEngine(path, threads, inputs),
        Ort => new OrtEngine(path, threads, inputs),
        _ => throw new ArgumentException($"there is no engine '{engine}'", nameof(engine)),
    };
}
