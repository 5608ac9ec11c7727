using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>AI Optix through its public interface.</summary>
internal sealed class OptixEngine : IEngine
{
    private readonly Session session;
    private readonly RuntimeValue[] inputs;
    private readonly string[] outputs;

    internal OptixEngine(string path, int threads, IReadOnlyDictionary<string, Tensor> inputs)
    {
        Model = AiOptix.Model.Load(path);
        this.inputs = [.. Model.Inputs.Select(i => inputs.TryGetValue(i.Name, out var t) ? t : throw new InvalidInputException($"input '{i.Name}' is missing"))];
        outputs = [.. Model.Outputs.Select(o => o.Name)];
        session = Model.Compile(new CompileOptions { Threads = threads });
    }

    /// <summary>The model.</summary>
    internal AiOptix.Model Model { get; }

    /// <inheritdoc/>
    public void Run()
    {
        foreach (var output in session.Run(inputs)) output.Dispose();
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> Answers()
    {
        var answers = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        var values = session.Run(inputs);
        for (var i = 0; i < values.Length; i++)
            if (values[i] is Tensor t) answers[outputs[i]] = t;
            else values[i].Dispose();
        return answers;
    }

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();
}
