using AiOptix.Data;
using AiOptix.Graphs;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Verification;

/// <summary>Recorded inputs and outputs of a model as a data set: a sample has the inputs in the order of the graph, and behind them the outputs that were recorded.</summary>
internal static class Recordings
{
    /// <summary>The recordings, read when they are asked for.</summary>
    public static IndexedDataset Open(Graph graph, IReadOnlyList<CaseData> recordings) => Datasets.Function(recordings.Count, (index, context) => Read(graph, recordings[(int)index], context.Limits));

    private static Sample Read(Graph graph, CaseData data, Limits limits)
    {
        if (data.Outputs.Count > graph.Outputs.Count) throw new InvalidInputException($"{data.Name} has {data.Outputs.Count} recorded outputs, but the model only {graph.Outputs.Count}");
        if (data.Inputs is { } files && files.Count != graph.Inputs.Count) throw new InvalidInputException($"{data.Name} has {files.Count} recorded inputs, but the model takes {graph.Inputs.Count}");
        var values = new List<RuntimeValue>();
        try
        {
            for (var i = 0; i < graph.Inputs.Count; i++) values.Add(data.Inputs is { } recorded ? Value(recorded[i], graph.Inputs[i], limits) : Ramp(graph.Inputs[i], limits));
            for (var i = 0; i < data.Outputs.Count; i++) values.Add(Value(data.Outputs[i], graph.Outputs[i], limits));
            return new([.. values.Select((_, i) => i < graph.Inputs.Count ? $"input {i}" : $"output {i - graph.Inputs.Count}")], values);
        }
        catch
        {
            foreach (var value in values) value.Dispose();
            throw;
        }
    }

    private static RuntimeValue Value(string file, Value value, Limits limits) => TensorFile.Read(file, value.Type ?? new TensorType(DType.Undefined, null), limits);

    /// <summary>The values k / n over all n elements.</summary>
    private static RuntimeValue Ramp(Value input, Limits limits)
    {
        if (input.Shape?.Concrete is not { } shape || input.DType != DType.Float32) throw new InvalidInputException($"input {input} has no ramp: its type must be float32 and its shape known");
        limits.CheckTensor(DType.Float32, shape, $"input '{input.Name}'");
        var ramp = Tensor.Allocate(DType.Float32, shape);
        var span = ramp.Span<float>();
        for (var k = 0; k < span.Length; k++) span[k] = (float)k / span.Length;
        return ramp;
    }
}
