using System.Text.RegularExpressions;
using AiOptix.Graphs;
using AiOptix.Optimization;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Mutation.Tests;

/// <summary>What became of a mutant.</summary>
/// <param name="Kind">In one of few words: a stage and what ended it.</param>
/// <param name="Failed">True for what must not be.</param>
/// <param name="Ran">True when the compiled program was started.</param>
/// <param name="Error">What ended it, if anything did.</param>
internal sealed record Outcome(string Kind, bool Failed, bool Ran, Exception? Error);

/// <summary>Takes a mutant as far as it goes: load, save and load again, compile, run, and where that is cheap compare with the reference evaluation.</summary>
internal static partial class Trial
{
    private const int WrongInputEvery = 16;
    private const int SaveEvery = 4;

    private static readonly Limits limits = new()
    {
        MaxTensorBytes = 16 << 20, MaxTotalBytes = 128 << 20, MaxLoopTrips = 2000, MaxRunTime = TimeSpan.FromSeconds(2),
    };

    /// <summary>Runs a mutant.</summary>
    /// <param name="mutant">The mutant.</param>
    /// <param name="scratch">A folder for files.</param>
    public static Outcome Of(Mutant mutant, string scratch)
    {
        var stage = "load";
        var ran = false;
        try
        {
            var model = Model.Load(mutant.Bytes, scratch, limits);
            if (mutant.Seed.IsSmall && mutant.Random.Next(SaveEvery) == 0)
            {
                stage = "save";
                if (SaveAndLoad(model, Path.Combine(scratch, "saved.onnx")) is { } failure) return new($"save: {failure.GetType().Name} when loaded again", true, false, failure);
            }
            stage = "compile";
            using var session = model.Compile(new CompileOptions { Threads = 1, Limits = limits });
            stage = "inputs";
            var inputs = Inputs(model, mutant);
            stage = "run";
            ran = true;
            var outputs = session.Run(inputs);
            if (!mutant.Seed.IsSmall || model.Graph.AllNodes.Any(n => !n.Operator.IsPure)) return new("ran", false, true, null);
            stage = "compare";
            return Compare(model, inputs, outputs);
        }
        catch (AiOptixException e)
        {
            var kind = $"{stage}: {e.GetType().Name}{Cause(e)}";
            return Named().IsMatch(e.Message) ? new(kind, false, ran, e) : new($"{kind} that does not say where", true, ran, e);
        }
        catch (Exception e)
        {
            return new($"{stage}: {e.GetType().Name}", true, ran, e);
        }
    }

    private static Outcome Compare(Model model, RuntimeValue[] inputs, RuntimeValue[] outputs)
    {
        IReadOnlyList<RuntimeValue> expected;
        using var time = new CancellationTokenSource(limits.MaxRunTime!.Value);
        try
        {
            expected = ReferenceEvaluator.Run(model.Graph, model.Inputs.Select((i, k) => (i.Name, Value: inputs[k])).ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal), limits, time.Token);
        }
        catch (OperationCanceledException)
        {
            return new("ran, the reference takes too long", false, true, null);
        }
        catch (AiOptixException e)
        {
            return new($"ran, the reference gives {e.GetType().Name}", false, true, e);
        }
        var differences = expected.Zip(outputs, (e, a) => TensorComparison.Compare(e, a, new Tolerance(Relative: 1e-3, Absolute: 1e-5, Scaled: 1e-3))).Where(c => !c.Matches).ToArray();
        return differences.Length == 0 ? new("ran as the reference", false, true, null) : new("ran, the answers differ", true, true, new InvalidOperationException(differences[0].Failure));
    }

    private static Exception? SaveAndLoad(Model model, string path)
    {
        model.Save(path);
        try
        {
            Model.Load(path, limits);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    /// <summary>Recorded inputs where they still fit, drawn ones elsewhere; now and then wrong ones.</summary>
    private static RuntimeValue[] Inputs(Model model, Mutant mutant)
    {
        var random = mutant.Random;
        var given = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        for (var i = 0; i < model.Inputs.Count && i < mutant.Seed.Inputs.Length; i++)
            if (mutant.Seed.Inputs[i] is { } t && Fits(t, model.Inputs[i]) && random.Next(5) > 0) given[model.Inputs[i].Name] = t;
        RuntimeValue[] inputs;
        try
        {
            inputs = [.. SampleInputs.Draw(model, random.Next(), given: given, limits: limits).Values];
        }
        catch (InvalidInputException)
        {
            var dims = SampleInputs.Symbols(model).ToDictionary(s => s, _ => (long)random.Next(0, 4), StringComparer.Ordinal);
            inputs = [.. SampleInputs.Draw(model, random.Next(), dims, limits: limits).Values];
        }
        if (inputs.Length == 0 || random.Next(WrongInputEvery) > 0) return inputs;
        var wrong = random.Next(inputs.Length);
        switch (random.Next(4))
        {
            case 0: return inputs[1..];
            case 1: inputs[wrong] = Tensor.Allocate(DType.Float64, new Shape(2, 3), zeroed: true); break;
            case 2: inputs[wrong] = new SequenceValue([]); break;
            default: inputs[wrong] = inputs[wrong] is Tensor t ? Tensor.Allocate(t.DType, new Shape([.. t.Shape.Dims.ToArray().Select(d => d == 0 ? 1 : d), 1]), zeroed: true) : null!; break;
        }
        return inputs;
    }

    private static bool Fits(Tensor tensor, ValueInfo input) =>
        tensor.DType == input.DType && input.Shape is { } s && s.Rank == tensor.Shape.Rank && s.Zip(tensor.Shape).All(p => p.First.Constant is not { } c || c == p.Second);

    /// <summary>An exception of the base library that a border turned into a typed one is named too: the cause may deserve a better message.</summary>
    private static string Cause(AiOptixException e) => e.InnerException is { } inner and not AiOptixException && e is not ModelFormatException ? $" ({inner.GetType().Name})" : "";

    [GeneratedRegex("node |input|output|graph|model|file|initializer|operator|Limits|attribute", RegexOptions.None, 1000)]
    private static partial Regex Named();
}
