using System.Globalization;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>
/// The ONNX project's light models: well-known networks whose files name the shapes of their weights only, each a ConstantOfShape. All weights alike make all
/// channels alike, so they are drawn before anything is timed.
/// </summary>
internal static class LightModels
{
    /// <summary>The model with seeded weights, in a file of its own.</summary>
    internal static BenchCase Seeded(BenchCase model, int seed)
    {
        var folder = Path.Combine(Repository.Root, "artifacts", "light");
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{model.Name}-{seed}.onnx"));
        var graph = OnnxFile.Read(model.Path);
        var random = new Random(seed);
        foreach (var node in graph.Nodes.Where(n => n.Operator is ConstantOfShape && n.Inputs[0] is { IsConstant: true } && n.Output.DType == DType.Float32).ToArray())
        {
            var weights = Drawn(random, node.Output.Shape!.Concrete ?? throw new AiOptixException($"{model.Name}: the shape of {node.Output.Name} does not stand in the file"));
            var patch = new Patch(graph, "weights drawn");
            patch.Replace(node.Output, patch.Constant(weights)).Remove(node).Apply();
        }
        OnnxFile.Write(graph, path);
        return model with { Path = path };
    }

    /// <summary>Of a vector (bias, scale, mean, variance) numbers from 0.25 to 0.75; of anything larger, of deviation √(2 / inputs) as in He et al. 2015, so that activations keep their size.</summary>
    private static Tensor Drawn(Random random, Shape shape)
    {
        var tensor = Tensor.Allocate(DType.Float32, shape);
        var half = shape.Rank < 2 ? 0.25 : Math.Sqrt(6.0 * shape[0] / Math.Max(1, shape.Count));
        var middle = shape.Rank < 2 ? 0.5 : 0;
        foreach (ref var x in tensor.Span<float>()) x = (float)(middle + half * (2 * random.NextDouble() - 1));
        return tensor;
    }
}
