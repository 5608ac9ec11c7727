using AiOptix.Bench.Ort;
using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>ONNX Runtime with all of its optimisations.</summary>
internal sealed class OrtEngine : IEngine
{
    private readonly OrtSession session;
    private readonly OrtPrepared prepared;

    internal OrtEngine(string path, int threads, IReadOnlyDictionary<string, Tensor> inputs)
    {
        session = new OrtSession(path, threads);
        try
        {
            prepared = session.Prepare(inputs.Where(i => session.Inputs.Any(s => s.Name == i.Key)).ToDictionary(StringComparer.Ordinal));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Run() => prepared.Run();

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> Answers()
    {
        prepared.Run();
        return prepared.Read(tensorsOnly: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        prepared.Dispose();
        session.Dispose();
    }
}
