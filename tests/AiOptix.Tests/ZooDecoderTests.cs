using AiOptix.Optimization;
using AiOptix.Tensors;
using AiOptix.Zoo;
using RuntimeValue = AiOptix.Tensors.RuntimeValue;

namespace AiOptix.Tests;

/// <summary>A decoder that gets its cache back continues as if it had seen everything at once; one session serves every length.</summary>
public class ZooDecoderTests
{
    private const int Tokens = 6;

    [Theory]
    [InlineData("gpt2-small", 128)]
    [InlineData("llama", 192)]
    public void TokensOneByOneGiveTheScoresOfAllAtOnce(string name, int width)
    {
        var options = new ZooOptions { Layers = 2, Width = width };
        var entry = ModelZoo.Find(name);
        var model = Model.Of(entry.Build(options));
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        var whole = entry.Inputs(5, new Dictionary<string, long> { ["batch"] = 1, ["sequence"] = Tokens, ["past"] = 0 }, options);
        var expected = Run(whole);
        var ids = ((Tensor)whole["input_ids"]).Span<long>().ToArray();
        var words = expected[0].Shape[-1];
        var cache = whole.Where(p => p.Key.StartsWith("past", StringComparison.Ordinal)).ToDictionary(p => p.Key, p => (Tensor)p.Value, StringComparer.Ordinal);
        for (var t = 0; t < Tokens; t++)
        {
            var step = new Dictionary<string, RuntimeValue>(entry.Inputs(5, new Dictionary<string, long> { ["batch"] = 1, ["sequence"] = 1, ["past"] = t }, options));
            step["input_ids"] = Tensor.From<long>([ids[t]], new Shape(1, 1));
            foreach (var (input, past) in cache) step[input] = past;
            var found = Run(step);
            var scores = Tensor.From<float>(expected[0].Span<float>().Slice(checked((int)(t * words)), checked((int)words)).ToArray(), new Shape(1, 1, words));
            var result = TensorComparison.Compare(scores, found[0], new Tolerance(1e-3, 1e-6, 1e-4));
            Assert.True(result.Matches, $"token {t}: {result.Failure}");
            for (var i = 1; i < found.Length; i++) cache[model.Outputs[i].Name.Replace("present.", "past_key_values.", StringComparison.Ordinal)] = found[i];
        }

        Tensor[] Run(IReadOnlyDictionary<string, RuntimeValue> named) => [.. session.Run([.. model.Inputs.Select(i => named[i.Name])]).Cast<Tensor>()];
    }
}
