using AiOptix.Differential.Tests.Recipes;
using AiOptix.Onnx;
using AiOptix.Tensors;
using Xunit.Abstractions;

namespace AiOptix.Differential.Tests;

/// <summary>The specification's table of operators, versions and types is held against what is read, inferred, evaluated and compiled.</summary>
public class InventoryTests(ITestOutputHelper output)
{
    private const int Draws = 2;

    /// <summary>Operators whose nodes cannot be drawn from a recipe: they have bodies. Their tests draw whole graphs.</summary>
    private static readonly string[] withBodies = ["Loop", "Scan", "SequenceMap"];

    [Fact]
    public void EveryOperatorHasARecipe() =>
        Assert.Equal(withBodies, OperatorTypes.All.Select(s => s.Name).Distinct().Where(n => !Book.Default.ContainsKey(n)).Order(StringComparer.Ordinal));

    [Fact]
    public void EveryVersionOfEveryOperatorTakesEveryTypeOfTheSpecification()
    {
        var failures = new List<string>();
        var (tried, drawn) = (0, 0);
        Parallel.ForEach(Book.Signatures, signature =>
        {
            foreach (var (variable, types) in Variables(signature))
                foreach (var type in types)
                {
                    Interlocked.Increment(ref tried);
                    var (made, problem) = Try(signature, variable, type);
                    Interlocked.Add(ref drawn, made);
                    if (problem is not null) lock (failures) failures.Add($"{signature.Name}-{signature.Since} {variable}={type}: {problem}");
                    else if (made == 0) lock (failures) failures.Add($"{signature.Name}-{signature.Since} {variable}={type}: the recipe never takes it");
                }
        });
        output.WriteLine($"{tried} types, {drawn} nodes");
        foreach (var f in failures.Order(StringComparer.Ordinal)) output.WriteLine(f);
        Assert.Empty(failures.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<(string Variable, IEnumerable<DType> Types)> Variables(OperatorTypes.Signature s)
    {
        var all = s.Inputs.Concat(s.Results).Where(p => p.Types is { Count: > 0 }).DistinctBy(p => p.Variable).Select(p => (p.Variable, (IEnumerable<DType>)p.Types!.Order())).ToArray();
        return all.Length > 0 ? all : [("", [DType.Undefined])];
    }

    private static (int Made, string? Problem) Try(OperatorTypes.Signature signature, string variable, DType type)
    {
        var made = 0;
        for (var attempt = 0; attempt < 60 && made < Draws; attempt++)
        {
            var seed = Seed($"{signature.Name}-{signature.Since}-{variable}-{type}") + attempt;
            var opset = attempt % 2 == 0 ? signature.Since : Book.Until(signature) - 1;
            if (Book.Node(signature, new Draw(Seed($"{seed}"), 3), opset, new Dictionary<string, DType> { [variable] = type }) is not { } draft) continue;
            made++;
            try
            {
                var g = Generated.Of($"{signature.Name}-{opset}", draft);
                var expected = Levels.Reference(g);
                if (Levels.Difference(expected, Levels.Plan(g), g) is { } difference) return (made, $"plan: {difference} ({draft})");
            }
            catch (Exception e)
            {
                return (made, $"{(e is AiOptixException ? e.Message : e.ToString())} ({draft})");
            }
        }
        return (made, null);
    }

    private static int Seed(string text) => text.Aggregate(17, (h, c) => unchecked(h * 31 + c));
}
