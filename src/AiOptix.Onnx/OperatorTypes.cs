using System.Collections.Frozen;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>
/// Which element types each version of each operator of the default domain takes: the table <c>operator-types.txt</c>, made from the specification by
/// <c>tools/operator_types.py</c>. A type that is not known (Undefined) fits anywhere.
/// </summary>
internal static class OperatorTypes
{
    private static readonly Lazy<FrozenDictionary<string, Signature[]>> table = new(Load);

    /// <summary>Every version of every operator.</summary>
    public static IEnumerable<Signature> All => table.Value.Values.SelectMany(v => v);

    /// <summary>Whether the table has an operator.</summary>
    public static bool Has(string opType) => table.Value.ContainsKey(opType);

    /// <summary>The lowest version of the default operator set, from a given one on, at which an operator takes and gives these types.</summary>
    /// <param name="opType">The operator; one that is not in the table fits at the given version.</param>
    /// <param name="from">The version to begin with.</param>
    /// <param name="inputs">Element types of the inputs.</param>
    /// <param name="outputs">Element types of the outputs.</param>
    /// <returns>The version; null when there is none.</returns>
    public static long? LowestOpset(string opType, long from, IReadOnlyList<DType> inputs, IReadOnlyList<DType> outputs)
    {
        if (!table.Value.TryGetValue(opType, out var versions)) return from;
        foreach (var v in versions.SkipWhile(v => v != At(versions, from)))
            if (v.Takes(inputs, outputs)) return Math.Max(from, v.Since);
        return null;
    }

    /// <summary>The element types of a node's outputs as far as those of its inputs tell them, otherwise Undefined.</summary>
    public static DType[] Outputs(string opType, long opset, IReadOnlyList<DType> inputs, int count) =>
        table.Value.TryGetValue(opType, out var versions) ? At(versions, opset).Outputs(inputs, count) : new DType[count];

    /// <summary>The version that stands for an opset: the latest that is not later, or else the first.</summary>
    private static Signature At(Signature[] versions, long opset) => versions.LastOrDefault(v => v.Since <= opset) ?? versions[0];

    private static FrozenDictionary<string, Signature[]> Load()
    {
        using var stream = typeof(OperatorTypes).Assembly.GetManifestResourceStream("operator-types.txt")!;
        using var reader = new StreamReader(stream);
        var lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        DType[] letters = [.. lines.Last(l => l[0] == '#').Split(' ').Skip(1).Select(n => Enum.Parse<DType>(n, ignoreCase: true))];
        return lines.Where(l => l[0] != '#').Select(l => Signature.Parse(l, letters)).GroupBy(s => s.Name, StringComparer.Ordinal)
            .ToFrozenDictionary(g => g.Key, g => g.OrderBy(s => s.Since).ToArray(), StringComparer.Ordinal);
    }

    /// <summary>One version of an operator: for each input and output the types that it may have, and which of them go together.</summary>
    public sealed record Signature(string Name, long Since, Parameter[] Inputs, Parameter[] Results)
    {
        /// <summary>Reads a line <c>NAME SINCE INPUTS > OUTPUTS ; VARIABLE=TYPES…</c>.</summary>
        public static Signature Parse(string line, DType[] letters)
        {
            var (head, sets) = line.Split(';') is [var h, var s] ? (h, s) : throw new InvalidDataException($"operator-types.txt: no sets of types in '{line}'");
            var words = head.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var variables = sets.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split('='))
                .ToDictionary(v => v[0], v => v[1].Select(c => letters[c - 'a']).ToHashSet(), StringComparer.Ordinal);
            var middle = Array.IndexOf(words, ">");
            return new(words[0], long.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture), [.. words[2..middle].Select(Of)], [.. words[(middle + 1)..].Select(Of)]);

            Parameter Of(string word) => new(word.TrimEnd('*'), variables.GetValueOrDefault(word.TrimEnd('*')), word.EndsWith('*'));
        }

        public bool Takes(IReadOnlyList<DType> inputs, IReadOnlyList<DType> outputs) => Fit(Inputs, inputs) && Fit(Results, outputs);

        public DType[] Outputs(IReadOnlyList<DType> inputs, int count)
        {
            var bound = new Dictionary<string, DType>(StringComparer.Ordinal);
            for (var i = 0; i < inputs.Count; i++)
                if (inputs[i] != DType.Undefined && Of(Inputs, i) is { Types: not null } p) bound.TryAdd(p.Variable, inputs[i]);
            return [.. Enumerable.Range(0, count).Select(i => Of(Results, i) switch
            {
                { Types.Count: 1 } p => p.Types.First(),
                { } p => bound.GetValueOrDefault(p.Variable),
                null => DType.Undefined,
            })];
        }

        private static bool Fit(Parameter[] parameters, IReadOnlyList<DType> types)
        {
            for (var i = 0; i < types.Count; i++)
                if (types[i] != DType.Undefined && (Of(parameters, i) is not { } p || p.Types?.Contains(types[i]) == false)) return false;
            return true;
        }

        private static Parameter? Of(Parameter[] parameters, int index) =>
            index < parameters.Length ? parameters[index] : parameters is [.., { Repeats: true } last] ? last : null;
    }

    /// <summary>An input or output: its type variable, the types that this may be (null: anything), and whether it may repeat.</summary>
    public sealed record Parameter(string Variable, HashSet<DType>? Types, bool Repeats);
}
