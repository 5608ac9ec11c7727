using System.Collections;

namespace AiOptix.Tensors;

/// <summary>The concrete extents of a tensor, outermost first. Rank 0 is a scalar. An extent may be 0.</summary>
public readonly struct Shape : IEquatable<Shape>, IReadOnlyList<long>
{
    /// <summary>The most axes that a tensor may have.</summary>
    public const int MaxRank = 64;

    private readonly long[]? dims;

    /// <summary>Creates a shape from its extents.</summary>
    /// <exception cref="InvalidGraphException">An extent is negative.</exception>
    /// <exception cref="LimitExceededException">There are more than <see cref="MaxRank"/>.</exception>
    public Shape(params ReadOnlySpan<long> dims)
    {
        if (dims.Length > MaxRank) throw new LimitExceededException($"a shape of {dims.Length} axes; at most {MaxRank} are supported");
        foreach (var d in dims)
            if (d < 0) throw new InvalidGraphException($"shape [{string.Join(",", dims.ToArray())}] has a negative extent");
        this.dims = dims.ToArray();
    }

    /// <summary>The shape of a scalar.</summary>
    public static Shape Scalar => default;

    /// <summary>The extents.</summary>
    public ReadOnlySpan<long> Dims => dims;

    /// <summary>How many axes there are.</summary>
    public int Rank => dims?.Length ?? 0;

    /// <inheritdoc/>
    int IReadOnlyCollection<long>.Count => Rank;

    /// <summary>The extent of an axis; a negative axis counts from the end.</summary>
    public long this[int axis] => axis < 0 ? dims![axis + dims.Length] : dims![axis];

    /// <summary>How many elements there are; 1 for a scalar.</summary>
    /// <exception cref="LimitExceededException">The product overflows 63 bits.</exception>
    public long Count
    {
        get
        {
            long n = 1;
            foreach (var d in Dims)
            {
                if (d == 0) return 0;
                if (Math.BigMul(n, d, out n) != 0 || n < 0) throw new LimitExceededException($"shape {this} has more elements than the address space");
            }
            return n;
        }
    }

    /// <summary>The product of the extents of axes <paramref name="from"/> up to, but without, <paramref name="to"/>.</summary>
    public long Product(int from, int to)
    {
        long n = 1;
        for (var i = from; i < to; i++) n = checked(n * dims![i]);
        return n;
    }

    /// <summary>Row-major strides in elements.</summary>
    public long[] Strides()
    {
        var s = new long[Rank];
        long n = 1;
        for (var i = Rank - 1; i >= 0; i--)
        {
            s[i] = n;
            n *= dims![i];
        }
        return s;
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) => Dims.SequenceEqual(other.Dims);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var h = new HashCode();
        foreach (var d in Dims) h.Add(d);
        return h.ToHashCode();
    }

    /// <summary>Same rank and extents.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Different rank or extents.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <inheritdoc/>
    public IEnumerator<long> GetEnumerator() => ((IEnumerable<long>)(dims ?? [])).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary><c>[1,3,224,224]</c></summary>
    public override string ToString() => "[" + string.Join(",", dims ?? []) + "]";
}
