using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>Gives the symbols of a program values from the shapes of its inputs.</summary>
internal static class InputShapes
{
    /// <summary>Solves for all symbols.</summary>
    /// <exception cref="InvalidInputException">Shapes contradict the model or each other.</exception>
    public static void Solve(Program program, ReadOnlySpan<Shape> shapes, Dictionary<string, long> symbols)
    {
        symbols.Clear();
        for (var i = 0; i < shapes.Length; i++)
        {
            var slot = program.SlotTable[program.InputTable[i]];
            if (slot.Shape is { } expected) Match(expected, shapes[i], symbols, $"input '{slot.Name}'");
        }
        program.Derived.Evaluate(symbols);
    }

    /// <summary>Holds a concrete shape against a symbolic one; symbols that have no value yet get theirs.</summary>
    public static void Match(SymbolicShape expected, Shape found, Dictionary<string, long> symbols, string what)
    {
        if (expected.Rank != found.Rank) throw new InvalidInputException($"{what} must have rank {expected.Rank}, shape {expected}; found {found}");
        for (var axis = 0; axis < found.Rank; axis++)
        {
            var dim = expected[axis];
            if (dim.SymbolName is { } name && symbols.TryAdd(name, found[axis])) continue;
            if (!dim.Symbols.All(symbols.ContainsKey)) continue;
            var value = dim.Evaluate(symbols);
            if (value != found[axis])
                throw new InvalidInputException($"{what} must have shape {expected}; found {found}: axis {axis} should be {value}{(dim.IsConstant ? "" : $" ({dim})")}");
        }
    }
}
