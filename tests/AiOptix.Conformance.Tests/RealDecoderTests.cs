using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Conformance.Tests;

/// <summary>Real decoders that get their caches back, token by token: one program serves every length of the past.</summary>
public class RealDecoderTests
{
    private const int Tokens = 200;

    private static readonly Tolerance tolerance = new(1e-3, 1e-6, 1e-4);

    [SkippableFact]
    public void TwoHundredTokensOneByOneGiveTheScoresOfAllAtOnce()
    {
        var model = Open("stories260k-kv");
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        var ids = new long[Tokens];
        for (var t = 0; t < Tokens; t++) ids[t] = (t * 37 + 1) % 512;
        var cache = model.Inputs.Skip(3).Select(_ => Tensor.Allocate(DType.Float32, new Shape(1, 4, 0, 8))).ToArray();
        var whole = Step(ids, 0, cache);
        for (var t = 0; t < Tokens; t++)
        {
            var found = Step([ids[t]], t, cache);
            var row = Tensor.From<float>(whole[0].Span<float>().Slice(t * 512, 512).ToArray(), new Shape(1, 1, 512));
            Same(row, found[0], $"token {t}");
            cache = found[1..];
        }
        for (var i = 0; i < cache.Length; i++) Same(whole[i + 1], cache[i], $"cache {i}");

        Tensor[] Step(long[] tokens, int past, Tensor[] before)
        {
            var mask = Tensor.Allocate(DType.Int64, new Shape(1, past + tokens.Length));
            mask.Span<long>().Fill(1);
            long[] positions = [.. Enumerable.Range(past, tokens.Length)];
            var shape = new Shape(1, tokens.Length);
            return [.. session.Run([Tensor.From<long>(tokens, shape), mask, Tensor.From<long>(positions, shape), .. before]).Cast<Tensor>()];
        }
    }

    /// <summary>This one has a table of eight positions: what it says after them is an error, and the program goes on with a new text.</summary>
    [SkippableFact]
    public void TwoHundredTokensInTextsOfEightGiveTheAnswersOfTheReference()
    {
        const int positions = 8;
        var model = Open("gpt2-toy-past");
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        for (var text = 0; text < Tokens / positions; text++)
        {
            var cache = model.Inputs.Skip(1).Select(_ => Tensor.Allocate(DType.Float32, new Shape(2, 1, 2, 0, 2))).ToArray();
            for (var t = 0; t < positions; t++)
            {
                Tensor[] inputs = [Tensor.From<long>([(text * 7 + t * 3) % 20], new Shape(1, 1)), .. cache];
                var found = session.Run(inputs).Cast<Tensor>().ToArray();
                if (text == 0 && t % 3 == 1)
                {
                    var expected = Graphs.ReferenceEvaluator.Run(model.Graph, model.Inputs.Zip(inputs).ToDictionary(p => p.First.Name, p => (RuntimeValue)p.Second));
                    for (var i = 0; i < found.Length; i++) Same((Tensor)expected[i], found[i], $"token {t}, output {i}");
                }
                cache = found[1..];
            }
            Assert.Equal(new Shape(2, 1, 2, positions, 2), cache[0].Shape);
            Assert.Throws<InvalidInputException>(() => session.Run([Tensor.From<long>([1], new Shape(1, 1)), .. cache]));
        }
    }

    private static Model Open(string name)
    {
        Skip.If(Manifest.Shared is null, "../shared is not there");
        return Model.Load(Path.Combine(Manifest.Shared!, "models", name, "model.onnx"));
    }

    private static void Same(Tensor expected, Tensor found, string what)
    {
        var result = TensorComparison.Compare(expected, found, tolerance);
        Assert.True(result.Matches, $"{what}: {result.Failure}");
    }
}
