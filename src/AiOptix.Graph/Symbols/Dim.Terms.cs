using System.Collections.Immutable;

namespace AiOptix.Graphs;

public sealed partial class Dim
{
    private enum AtomKind
    {
        Symbol,
        FloorDiv,
        Min,
        Max,
        Broadcast,
    }

    /// <summary>A symbol or a function of two extents.</summary>
    private sealed record Atom(AtomKind Kind, string? Name, Dim? Left, Dim? Right)
    {
        private string? text;

        public bool IsNonNegative => Kind switch
        {
            AtomKind.Symbol or AtomKind.Broadcast => true,
            AtomKind.Max => Left!.IsNonNegative || Right!.IsNonNegative,
            _ => Left!.IsNonNegative && Right!.IsNonNegative,
        };

        public void AddSymbols(List<string> found)
        {
            if (Kind == AtomKind.Symbol) AddOnce(Name!, found);
            else
            {
                foreach (var s in Left!.Symbols) AddOnce(s, found);
                foreach (var s in Right!.Symbols) AddOnce(s, found);
            }
        }

        private static void AddOnce(string symbol, List<string> found)
        {
            if (!found.Contains(symbol)) found.Add(symbol);
        }

        public Dim Substitute(IReadOnlyDictionary<string, Dim> values) => Kind switch
        {
            AtomKind.Symbol => values.TryGetValue(Name!, out var v) ? v : Of(this),
            AtomKind.FloorDiv => FloorDiv(Left!.Substitute(values), Right!.Substitute(values)),
            AtomKind.Min => Min(Left!.Substitute(values), Right!.Substitute(values)),
            AtomKind.Max => Max(Left!.Substitute(values), Right!.Substitute(values)),
            _ => Broadcast(Left!.Substitute(values), Right!.Substitute(values))
                 ?? throw new Tensors.InvalidGraphException($"extents {Left} and {Right} do not broadcast"),
        };

        public long Evaluate(IReadOnlyDictionary<string, long> values)
        {
            if (Kind == AtomKind.Symbol) return values[Name!];
            var a = Left!.Evaluate(values);
            var b = Right!.Evaluate(values);
            return Kind switch
            {
                AtomKind.FloorDiv => b != 0 && (b != -1 || a != long.MinValue) ? Floor(a, b) : throw new Tensors.InvalidInputException($"the extent {this} is {a} divided by {b}"),
                AtomKind.Min => Math.Min(a, b),
                AtomKind.Max => Math.Max(a, b),
                _ => a == b || b == 1 ? a : a == 1 ? b : throw new Tensors.InvalidInputException($"extents {Left}={a} and {Right}={b} do not broadcast"),
            };
        }

        public bool Equals(Atom? other) => other is not null && ToString() == other.ToString();

        public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(ToString());

        public override string ToString() => text ??= Kind switch
        {
            AtomKind.Symbol => IsWord(Name!) ? Name! : $"'{Name!.Replace("'", "''", StringComparison.Ordinal)}'",
            AtomKind.FloorDiv => $"floor(({Left!.Key})/({Right!.Key}))",
            AtomKind.Min => $"min({Left!.Key},{Right!.Key})",
            AtomKind.Max => $"max({Left!.Key},{Right!.Key})",
            _ => $"broadcast({Left!.Key},{Right!.Key})",
        };

        // Any text may name an extent in a file: "n+m" must not pass for the sum of n and m.
        private static bool IsWord(string name) => name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsLetterOrDigit(c) || c is '_' or '.' or ':');
    }

    /// <summary>An integer times a product of atoms in canonical order.</summary>
    private sealed record Monomial(long Coefficient, ImmutableArray<Atom> Atoms)
    {
        public string Key { get; } = string.Join("*", Atoms.Select(a => a.ToString()));

        public override string ToString() => Coefficient switch { 1 => Key, -1 => "-" + Key, _ => $"{Coefficient}*{Key}" };
    }
}
