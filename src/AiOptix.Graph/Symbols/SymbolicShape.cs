using System.Collections;
using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>The extents of a tensor before a run: a known rank, each axis a <see cref="Dim"/>.</summary>
public sealed class SymbolicShape : IEquatable<SymbolicShape>, IReadOnlyList<Dim>
{
    private readonly Dim[] dims;
    private string[]? symbols;

    /// <summary>Creates a shape from its axes.</summary>
    /// <exception cref="LimitExceededException">There are more than <see cref="Tensors.Shape.MaxRank"/>.</exception>
    public SymbolicShape(params ReadOnlySpan<Dim> dims) =>
        this.dims = dims.Length <= Shape.MaxRank ? dims.ToArray() : throw new LimitExceededException($"a shape of {dims.Length} axes; at most {Shape.MaxRank} are supported");

    /// <summary>A shape whose every axis is known.</summary>
    public static SymbolicShape Of(Shape shape) => new(shape.Dims.ToArray().Select(d => (Dim)d));

    /// <summary>How many axes.</summary>
    public int Rank => dims.Length;

    int IReadOnlyCollection<Dim>.Count => dims.Length;

    /// <summary>An axis; a negative index counts from the end.</summary>
    public Dim this[int axis] => axis < 0 ? dims[axis + dims.Length] : dims[axis];

    /// <summary>The axes.</summary>
    public ReadOnlySpan<Dim> Dims => dims;

    /// <summary>The number of elements.</summary>
    public Dim Count => dims.Aggregate(Dim.One, (a, b) => a * b);

    private bool IsConcrete => Array.TrueForAll(dims, d => d.IsConstant);

    /// <summary>The concrete shape, when every axis is known.</summary>
    public Shape? Concrete => IsConcrete ? new Shape(dims.Select(d => d.Constant!.Value)) : null;

    /// <summary>The symbols in any axis.</summary>
    public IReadOnlyList<string> Symbols => symbols ??= IsConcrete ? [] : [.. dims.SelectMany(d => d.Symbols).Distinct(StringComparer.Ordinal)];

    /// <summary>The symbols that are an axis of their own: those that a concrete shape gives values.</summary>
    public IEnumerable<string> DefinedSymbols => IsConcrete ? [] : dims.Select(d => d.SymbolName).OfType<string>();

    /// <summary>The concrete shape under an assignment of the symbols.</summary>
    public Shape Evaluate(IReadOnlyDictionary<string, long> values)
    {
        Span<long> r = stackalloc long[dims.Length];
        for (var i = 0; i < dims.Length; i++) r[i] = dims[i].Evaluate(values);
        return new Shape(r);
    }

    /// <summary>The shape with symbols replaced.</summary>
    public SymbolicShape Substitute(IReadOnlyDictionary<string, Dim> values) => new([.. dims.Select(d => d.Substitute(values))]);

    /// <summary>The common shape under multidirectional broadcasting, or null when the shapes do not fit.</summary>
    public static SymbolicShape? Broadcast(SymbolicShape a, SymbolicShape b)
    {
        var rank = Math.Max(a.Rank, b.Rank);
        var r = new Dim[rank];
        for (var i = 0; i < rank; i++)
        {
            var x = i < rank - a.Rank ? Dim.One : a.dims[i - (rank - a.Rank)];
            var y = i < rank - b.Rank ? Dim.One : b.dims[i - (rank - b.Rank)];
            if (Dim.Broadcast(x, y) is not { } d) return null;
            r[i] = d;
        }
        return new(r);
    }

    /// <inheritdoc/>
    public bool Equals(SymbolicShape? other) => other is not null && dims.AsSpan().SequenceEqual(other.dims);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SymbolicShape);

    /// <inheritdoc/>
    public override int GetHashCode() => dims.Aggregate(17, HashCode.Combine);

    /// <inheritdoc/>
    public IEnumerator<Dim> GetEnumerator() => ((IEnumerable<Dim>)dims).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary><c>[batch,3,224,224]</c></summary>
    public override string ToString() => "[" + string.Join(",", dims.Select(d => d.ToString())) + "]";
}
