using System.Collections.Immutable;

namespace AiOptix.Graphs;

/// <summary>
/// An extent that may be unknown until a run: an integer polynomial over symbols and a few functions of them (floor division, modulo, minimum,
/// maximum, broadcast), kept in a canonical form, so that two equal extents compare equal as far as algebra without case analysis can tell.
/// Symbols stand for non-negative integers.
/// </summary>
public sealed partial class Dim : IEquatable<Dim>
{
    private readonly ImmutableArray<Monomial> monomials;
    private readonly long constant;
    private string? key;
    private string[]? symbols;

    private Dim(long constant, ImmutableArray<Monomial> monomials)
    {
        this.constant = constant;
        this.monomials = monomials;
    }

    /// <summary>The extent 0.</summary>
    public static Dim Zero { get; } = new(0, []);

    /// <summary>The extent 1.</summary>
    public static Dim One { get; } = new(1, []);

    /// <summary>A named unknown. Equal names are equal extents.</summary>
    public static Dim Symbol(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Of(new Atom(AtomKind.Symbol, name, null, null));
    }

    /// <summary>True when the value is known.</summary>
    public bool IsConstant => monomials.IsEmpty;

    /// <summary>The known value, or null.</summary>
    public long? Constant => monomials.IsEmpty ? constant : null;

    /// <summary>The name when this is a bare symbol, or null.</summary>
    public string? SymbolName => constant == 0 && monomials is [{ Coefficient: 1, Atoms: [{ Kind: AtomKind.Symbol } a] }] ? a.Name : null;

    /// <summary>A known extent.</summary>
    public static implicit operator Dim(long value) => value switch { 0 => Zero, 1 => One, _ => new(value, []) };

    /// <summary>Sum.</summary>
    public static Dim operator +(Dim a, Dim b)
    {
        if (a.IsConstant && a.constant == 0) return b;
        if (b.IsConstant && b.constant == 0) return a;
        if (a.IsConstant || b.IsConstant) return new(checked(a.constant + b.constant), a.IsConstant ? b.monomials : a.monomials);
        // Both are in the order of their keys, and so is the sum.
        var sum = new List<Monomial>();
        int i = 0, k = 0;
        while (i < a.monomials.Length || k < b.monomials.Length)
        {
            var order = i == a.monomials.Length ? 1 : k == b.monomials.Length ? -1 : string.CompareOrdinal(a.monomials[i].Key, b.monomials[k].Key);
            var m = order == 0 ? a.monomials[i] with { Coefficient = checked(a.monomials[i].Coefficient + b.monomials[k].Coefficient) } : order < 0 ? a.monomials[i] : b.monomials[k];
            if (m.Coefficient != 0) sum.Add(m);
            if (order <= 0) i++;
            if (order >= 0) k++;
        }
        return new(checked(a.constant + b.constant), [.. sum]);
    }

    /// <summary>Difference.</summary>
    public static Dim operator -(Dim a, Dim b) => a + b * -1L;

    /// <summary>Product.</summary>
    public static Dim operator *(Dim a, Dim b)
    {
        if (a.IsConstant) return b.Scale(a.constant);
        if (b.IsConstant) return a.Scale(b.constant);
        var sum = new Dim(checked(a.constant * b.constant), []);
        sum += a.WithoutConstant().Scale(b.constant);
        sum += b.WithoutConstant().Scale(a.constant);
        foreach (var x in a.monomials)
            foreach (var y in b.monomials)
                sum += new Dim(0, [new Monomial(checked(x.Coefficient * y.Coefficient), [.. x.Atoms.Concat(y.Atoms).OrderBy(t => t.ToString(), StringComparer.Ordinal)])]);
        return sum;
    }

    /// <summary>Quotient rounded toward negative infinity. A zero divisor that is known is an error.</summary>
    /// <exception cref="DivideByZeroException">The divisor is known to be 0.</exception>
    public static Dim FloorDiv(Dim a, Dim b)
    {
        if (b.IsConstant && b.constant == 0) throw new DivideByZeroException();
        if (b.IsConstant && b.constant == 1) return a;
        if (a.IsConstant && b.IsConstant) return Floor(a.constant, b.constant);
        if (a.IsConstant && a.constant == 0) return Zero;
        return DivideExactly(a, b) ?? Of(new Atom(AtomKind.FloorDiv, null, a, b));
    }

    /// <summary>Quotient rounded toward positive infinity.</summary>
    public static Dim CeilDiv(Dim a, Dim b) => FloorDiv(a * -1L, b) * -1L;

    /// <summary>Remainder of <see cref="FloorDiv"/>; has the sign of the divisor.</summary>
    public static Dim Mod(Dim a, Dim b) => a - FloorDiv(a, b) * b;

    /// <summary>The smaller of two.</summary>
    public static Dim Min(Dim a, Dim b) => Ordered(AtomKind.Min, a, b, a.IsConstant && b.IsConstant ? Math.Min(a.constant, b.constant) : null);

    /// <summary>The larger of two.</summary>
    public static Dim Max(Dim a, Dim b)
    {
        if (a.IsConstant && a.constant <= 0 && b.IsNonNegative) return b;
        if (b.IsConstant && b.constant <= 0 && a.IsNonNegative) return a;
        return Ordered(AtomKind.Max, a, b, a.IsConstant && b.IsConstant ? Math.Max(a.constant, b.constant) : null);
    }

    /// <summary>The common extent of two axes under multidirectional broadcasting; null when both are known and do not fit.</summary>
    public static Dim? Broadcast(Dim a, Dim b)
    {
        if (a.Equals(b)) return a;
        if (a.Constant == 1) return b;
        if (b.Constant == 1) return a;
        if (a.IsConstant && b.IsConstant) return null;
        if (a.IsConstant) return a;
        if (b.IsConstant) return b;
        if (IsCapped(a, b)) return b;
        if (IsCapped(b, a)) return a;
        // Broadcasting is associative, commutative and idempotent: one canonical chain of distinct operands.
        return Operands(a).Concat(Operands(b)).Distinct().OrderBy(d => d.Key, StringComparer.Ordinal).Aggregate((x, y) => Of(new Atom(AtomKind.Broadcast, null, x, y)));
    }

    private static IEnumerable<Dim> Operands(Dim dim) =>
        dim.constant == 0 && dim.monomials is [{ Coefficient: 1, Atoms: [{ Kind: AtomKind.Broadcast } atom] }] ? Operands(atom.Left!).Append(atom.Right!) : [dim];

    /// <summary>
    /// True when one extent is the other capped at 2 or more: where the two broadcast at all, the cap does not bite. Exporters slice a table of positions so.
    /// </summary>
    private static bool IsCapped(Dim capped, Dim whole) =>
        capped.constant == 0 && capped.monomials is [{ Coefficient: 1, Atoms: [{ Kind: AtomKind.Min } min] }]
        && ((min.Left!.Equals(whole) && min.Right!.Constant >= 2) || (min.Right!.Equals(whole) && min.Left!.Constant >= 2));

    /// <summary>True when no assignment of the symbols can make it negative, as far as the signs of the coefficients tell.</summary>
    public bool IsNonNegative => constant >= 0 && monomials.All(m => m.Coefficient > 0 && m.Atoms.All(t => t.IsNonNegative));

    /// <summary>The names of the symbols it depends on, found out once: long extents hold the same ones many times over.</summary>
    public IReadOnlyList<string> Symbols => symbols ??= ListSymbols();

    /// <summary>The same extent with symbols replaced where <paramref name="values"/> knows them.</summary>
    public Dim Substitute(IReadOnlyDictionary<string, Dim> values)
    {
        if (IsConstant) return this;
        Dim sum = constant;
        foreach (var m in monomials)
        {
            Dim product = m.Coefficient;
            foreach (var a in m.Atoms) product *= a.Substitute(values);
            sum += product;
        }
        return sum;
    }

    /// <summary>The value once every symbol has one.</summary>
    /// <exception cref="KeyNotFoundException">A symbol has no value.</exception>
    /// <exception cref="Tensors.InvalidInputException">The values are none that it can have: they do not broadcast, divide by 0, or give more than 63 bits.</exception>
    public long Evaluate(IReadOnlyDictionary<string, long> values)
    {
        var sum = constant;
        try
        {
            foreach (var m in monomials)
            {
                var product = m.Coefficient;
                foreach (var a in m.Atoms) product = checked(product * a.Evaluate(values));
                sum = checked(sum + product);
            }
        }
        catch (OverflowException e)
        {
            throw new Tensors.InvalidInputException($"the extent {this} does not fit into 63 bits", e);
        }
        return sum;
    }

    /// <inheritdoc/>
    public bool Equals(Dim? other) => other is not null && (ReferenceEquals(this, other) || (constant == other.constant && Key == other.Key));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Dim);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Key);

    /// <inheritdoc/>
    public override string ToString() => SymbolName ?? Key;

    private string[] ListSymbols()
    {
        if (IsConstant) return [];
        if (SymbolName is { } name) return [name];
        var found = new List<string>();
        foreach (var m in monomials)
            foreach (var a in m.Atoms) a.AddSymbols(found);
        return [.. found];
    }

    /// <summary>Says what the extent is without doubt: names of symbols that are no words are quoted. Equal extents have equal keys.</summary>
    private string Key => key ??= Format();

    private Dim Scale(long factor) => factor switch
    {
        0 => Zero,
        1 => this,
        _ => new(checked(constant * factor), [.. monomials.Select(m => m with { Coefficient = checked(m.Coefficient * factor) })]),
    };

    private Dim WithoutConstant() => new(0, monomials);

    private static Dim Of(Atom atom) => new(0, [new Monomial(1, [atom])]);

    private static Dim Ordered(AtomKind kind, Dim a, Dim b, long? known)
    {
        if (a.Equals(b)) return a;
        if (known is { } k) return k;
        return string.CompareOrdinal(a.Key, b.Key) <= 0 ? Of(new Atom(kind, null, a, b)) : Of(new Atom(kind, null, b, a));
    }

    private static long Floor(long a, long b)
    {
        var q = a / b;
        return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
    }

    /// <summary>The quotient when the divisor is a single monomial that divides every term, otherwise null.</summary>
    private static Dim? DivideExactly(Dim a, Dim b)
    {
        Monomial d;
        if (b.IsConstant) d = new(b.constant, []);
        else if (b.constant == 0 && b.monomials is [var only]) d = only;
        else return a.Equals(b) ? One : null;
        if (a.constant != 0 && (d.Atoms.Length > 0 || a.constant % d.Coefficient != 0)) return null;
        Dim sum = d.Atoms.Length > 0 ? 0 : a.constant / d.Coefficient;
        foreach (var m in a.monomials)
        {
            if (m.Coefficient % d.Coefficient != 0) return null;
            var rest = m.Atoms.ToList();
            foreach (var atom in d.Atoms)
                if (!rest.Remove(atom)) return null;
            sum += rest.Count == 0 ? m.Coefficient / d.Coefficient : new Dim(0, [new Monomial(m.Coefficient / d.Coefficient, [.. rest])]);
        }
        return sum;
    }

    private string Format()
    {
        var parts = monomials.Select(m => m.ToString()).ToList();
        if (constant != 0 || parts.Count == 0) parts.Add(constant.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return string.Join("+", parts).Replace("+-", "-", StringComparison.Ordinal);
    }
}
