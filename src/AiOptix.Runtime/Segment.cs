using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace AiOptix.Runtime;

/// <summary>A stretch of steps whose shapes all follow from symbols that have values when it begins.</summary>
/// <param name="Index">Its place in the program.</param>
/// <param name="FirstStep">Its first step.</param>
/// <param name="EndStep">The step after its last.</param>
/// <param name="Symbols">The symbols that have values when it begins, sorted.</param>
/// <param name="Carried">Slots made in it, or by its managed last step, that are read in a later segment or have a shape that nobody knows before; they get memory of their own.</param>
public sealed record Segment(int Index, int FirstStep, int EndStep, IReadOnlyList<string> Symbols, ImmutableArray<int> Carried)
{
    /// <summary>Splits a program's steps into segments.</summary>
    internal static IReadOnlyList<Segment> Split(Program program)
    {
        var slots = program.Slots;
        var known = program.InputSymbols.ToHashSet(StringComparer.Ordinal);
        program.Derived.Close(known);
        var ends = new List<int>();
        for (var s = 0; s < program.Steps.Count; s++)
        {
            var unknown = program.Steps[s].Outputs.Any(o => !IsKnown(slots[o], known));
            if (!unknown) continue;
            if (program.Steps[s] is not ManagedStep)
                throw new InvalidOperationException($"step {program.Steps[s].Name}: a kernel step cannot make a shape that depends on data");
            ends.Add(s + 1);
            foreach (var o in program.Steps[s].Outputs) known.UnionWith(slots[o].Shape?.DefinedSymbols ?? []);
            program.Derived.Close(known);
        }
        if (ends.Count == 0 || ends[^1] < program.Steps.Count) ends.Add(program.Steps.Count);
        return Build(program, ends);
    }

    /// <summary>True when a slot's shape follows from the known symbols.</summary>
    internal static bool IsKnown(Slot slot, IReadOnlySet<string> known) => slot.IsRaw && slot.Shape is { } s && s.Symbols.All(known.Contains);

    private static List<Segment> Build(Program program, List<int> ends)
    {
        var slots = program.Slots;
        var lastReader = new int[slots.Count];
        for (var s = 0; s < program.Steps.Count; s++)
            foreach (var i in program.Steps[s].Inputs)
                if (i >= 0) lastReader[program.Root(i)] = s;
        var known = program.InputSymbols.ToHashSet(StringComparer.Ordinal);
        program.Derived.Close(known);
        var result = new List<Segment>();
        for (var (k, first) = (0, 0); k < ends.Count; first = ends[k++])
        {
            var carried = new List<int>();
            var isCarried = new bool[slots.Count];
            for (var s = first; s < ends[k]; s++)
            {
                foreach (var o in program.Steps[s].Outputs)
                    if (slots[program.Root(o)].Kind == SlotKind.Intermediate && !isCarried[program.Root(o)] && (lastReader[program.Root(o)] >= ends[k] || !IsKnown(slots[o], known)))
                    {
                        carried.Add(program.Root(o));
                        isCarried[program.Root(o)] = true;
                    }
            }
            string[] symbols = [.. known];
            Array.Sort(symbols, StringComparer.Ordinal);
            result.Add(new(k, first, ends[k], symbols, ImmutableCollectionsMarshal.AsImmutableArray(carried.ToArray())));
            for (var s = first; s < ends[k]; s++)
                foreach (var o in program.Steps[s].Outputs) known.UnionWith(slots[o].Shape?.DefinedSymbols ?? []);
            program.Derived.Close(known);
        }
        return result;
    }
}
