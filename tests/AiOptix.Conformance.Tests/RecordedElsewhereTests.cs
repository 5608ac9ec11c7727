using AiOptix.Onnx;
using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Conformance.Tests;

/// <summary>A model whose recorded answers are not those of its recorded input is held to what ONNX Runtime 1.30 gives for that input, alike with and without optimisations, for all rows at once and one by one.</summary>
public class RecordedElsewhereTests
{
    private static readonly float[] expected =
    [
        1.8925495f, -0.022232234f, 0.019859463f, 0.67783207f, 1.8333857f, 0.77568007f, -0.022232234f, 0.015114963f,
        0.77568007f, 1.3490422f, 2.082666f, 1.8925495f, 0.6766491f, 0.1012449f, 0.77568007f, 0.02751866f,
        1.9959201f, 0.68091863f, 2.000096f, -0.022232234f, 0.0041531622f, -0.0000067949295f, 0.77568007f, 1.0559196f,
        2.082666f, 2.082666f, -0.022232234f, -0.022232234f, 1.8925495f, 1.8925495f, 0.015114963f, 0.77568007f,
        0.015114963f, 0.99986327f, 1.2638273f, 1.8925495f, 1.9980587f, 1.2877296f, 2.082666f, -0.073346734f,
        2.0000367f, 1.8925495f, 0.67783207f, 1.3095993f, 1.262912f, 2.0000637f, 0.015634447f, 2.000096f,
        1.8925495f, -0.0000067949295f, 1.2877296f, -0.022232234f, 2.00032f, 0.77568007f, 1.205126f, 1.3860292f,
        0.77568007f, 1.8925495f, 0.77568007f, 0.032631427f, -0.022232234f, 0.77568007f, 0.02751866f, 1.2877296f,
    ];

    [SkippableFact]
    public void TheTreesGiveWhatOnnxRuntimeGives()
    {
        Skip.If(Manifest.Shared is null, "../shared is not there");
        var folder = Path.Combine(Manifest.Shared!, "models", "xgboost-trees");
        var model = Model.Load(Path.Combine(folder, "model.onnx"));
        var input = (Tensor)TensorFile.Read(Path.Combine(folder, "test_data_set_0", "input_0.pb"), model.Inputs[0].Type!, Limits.Default);
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        Check((Tensor)session.Run([input])[0]);
        Check((Tensor)Graphs.ReferenceEvaluator.Run(model.Graph, new Dictionary<string, RuntimeValue> { ["X"] = input })[0]);
    }

    private static void Check(Tensor found)
    {
        var result = TensorComparison.Compare(Tensor.From<float>(expected, new Shape(64, 1)), found, new Tolerance(1e-5, 1e-6));
        Assert.True(result.Matches, result.Failure);
    }
}
