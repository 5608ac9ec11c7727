using AiOptix.Bench.Compare;
using AiOptix.Graphs.Ops;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Bench.Tests;

public class LightModelsTests
{
    [SkippableFact]
    public void TheWeightsOfALightModelAreDrawnAndTheRestIsAsItWas()
    {
        var path = Path.Combine(Repository.Root, "..", "shared", "onnx-backend", "light", "light_squeezenet.onnx");
        Skip.IfNot(File.Exists(path), "the light models are not here");
        var before = OnnxFile.Read(path);
        var after = OnnxFile.Read(LightModels.Seeded(new BenchCase("light_squeezenet", path), seed: 3).Path);
        var again = OnnxFile.Read(LightModels.Seeded(new BenchCase("light_squeezenet", path), seed: 3).Path);
        Assert.DoesNotContain(after.Nodes, n => n.Operator is ConstantOfShape);
        Assert.Equal(before.Nodes.Where(n => n.Operator is not ConstantOfShape).Select(n => n.Operator), after.Nodes.Select(n => n.Operator));
        foreach (var (first, second) in after.Nodes.Where(n => n.Operator is Conv).Zip(again.Nodes.Where(n => n.Operator is Conv)))
        {
            var weights = first.Inputs[1]!.Constant!;
            Assert.True(weights.BitEquals(second.Inputs[1]!.Constant!));
            Assert.NotEqual(weights.Span<float>()[0], weights.Span<float>()[1]);
        }
    }
}
