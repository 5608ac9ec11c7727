using AiOptix.Bench.Ort;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>
/// A quantised model held to ONNX Runtime piece by piece. Every byte that a node of the file makes, and every output, is computed anew from the bytes that the peer itself had before it: bytes must be within one
/// step, what is no byte within the tolerance of float32. Nothing of the model is left out: what stands between bytes in float32 belongs to the piece of the bytes behind it.
/// </summary>
/// <param name="Pieces">How many values were compared.</param>
/// <param name="Apart">How many bytes were a step apart.</param>
/// <param name="Problem">The first that is further away, or null.</param>
internal sealed record Stepwise(int Pieces, long Apart, string? Problem)
{
    internal static Stepwise Of(string path, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var graph = OnnxFile.Read(path);
        var bytes = graph.Nodes.Where(n => n.Operator is QuantizeLinear or DynamicQuantizeLinear or QLinearConv or QLinearMatMul).SelectMany(n => n.Outputs).Where(o => !o.IsUnused).ToArray();
        var recorded = Recorded(path, graph, bytes, inputs, out var problem);
        if (problem is not null) return new(0, 0, problem);
        long apart = 0;
        var pieces = 0;
        foreach (var value in bytes.Union(graph.Outputs).Where(v => v.Producer is not null))
        {
            using var found = Piece(graph, value, recorded, inputs);
            var expected = recorded[value.Name];
            pieces++;
            if (found.DType is DType.UInt8 or DType.Int8 && found.DType == expected.DType && found.Shape == expected.Shape)
            {
                var (a, b) = (found.ToInt64(), expected.ToInt64());
                for (var i = 0; i < a.Length; i++)
                {
                    if (a[i] == b[i]) continue;
                    apart++;
                    if (Math.Abs(a[i] - b[i]) > 1) return new(pieces, apart, $"{value.Producer} makes {a[i]} at {i} of what ONNX Runtime makes {b[i]} of");
                }
            }
            else if (Agreement.Of(new Dictionary<string, Tensor> { [value.Name] = found }, new Dictionary<string, Tensor> { [value.Name] = expected }).Problem is { } beyond) return new(pieces, apart, beyond);
        }
        return new(pieces, apart, null);
    }

    /// <summary>The answers of ONNX Runtime and all bytes on the way; handing those out must not have changed how it computes.</summary>
    private static Dictionary<string, Tensor> Recorded(string path, Graph graph, IReadOnlyList<Value> bytes, IReadOnlyDictionary<string, Tensor> inputs, out string? problem)
    {
        var copy = graph.Clone();
        foreach (var value in bytes.Select(b => copy.Values[b.Name]).Where(v => v.OutputUses == 0)) copy.AddOutput(value);
        var folder = Directory.CreateTempSubdirectory("stepwise-");
        try
        {
            var file = Path.Combine(folder.FullName, "recorded.onnx");
            OnnxFile.Write(copy, file);
            using var whole = new OrtSession(path, 1);
            using var peer = new OrtSession(file, 1);
            var (plain, recorded) = (whole.Run(inputs), peer.Run(inputs));
            problem = plain.FirstOrDefault(p => !recorded[p.Key].BitEquals(p.Value)).Key is { } changed ? $"ONNX Runtime gives another '{changed}' when bytes on the way are handed out" : null;
            return recorded;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A value by AI Optix, from the bytes that the peer had.</summary>
    private static Tensor Piece(Graph graph, Value value, Dictionary<string, Tensor> recorded, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var piece = new Graph(graph.Name);
        var map = new Dictionary<Value, Value>();
        var given = new List<RuntimeValue>();
        Copy(value);
        piece.AddOutput(map[value]);
        using var own = Model.Of(piece).Compile(new CompileOptions { Threads = 1 });
        return (Tensor)own.Run([.. given])[0];

        void Copy(Value v)
        {
            if (map.ContainsKey(v)) return;
            if (v.IsConstant) map[v] = piece.AddConstant(v.Constant!, v.Name);
            else if (v.Producer is null) Give(v, inputs[v.Name]);
            else if (v != value && recorded.TryGetValue(v.Name, out var tensor)) Give(v, tensor);
            else
            {
                foreach (var input in v.Producer.Inputs)
                    if (input is not null) Copy(input);
                var made = piece.Add(v.Producer.Operator, [.. v.Producer.Inputs.Select(i => i is null ? null : map[i])], new string?[v.Producer.Outputs.Count], v.Producer.Name);
                for (var o = 0; o < made.Outputs.Count; o++) map[v.Producer.Outputs[o]] = made.Outputs[o];
            }
        }

        void Give(Value v, Tensor tensor)
        {
            map[v] = piece.AddInput(v.Name, new TensorType(tensor.DType, SymbolicShape.Of(tensor.Shape)));
            given.Add(tensor);
        }
    }
}
