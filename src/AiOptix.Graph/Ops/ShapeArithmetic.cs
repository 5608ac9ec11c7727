namespace AiOptix.Graphs.Ops;

/// <summary>Follows the elements of integer scalars and short vectors through element-wise operators.</summary>
internal static class ShapeArithmetic
{
    /// <summary>The function of every element; null when one is not known.</summary>
    public static IReadOnlyList<Dim>? Map(IReadOnlyList<Dim>? x, Func<Dim, Dim?> function) =>
        x is null ? null : Collect(x.Count, i => function(x[i]));

    /// <summary>The function of every pair, a single element spread over the other operand; null when one is not known.</summary>
    public static IReadOnlyList<Dim>? Map(IReadOnlyList<Dim>? a, IReadOnlyList<Dim>? b, Func<Dim, Dim, Dim?> function)
    {
        if (a is null || b is null) return null;
        var count = a.Count == 1 ? b.Count : a.Count;
        if (b.Count != 1 && b.Count != count) return null;
        return Collect(count, i => function(a[a.Count == 1 ? 0 : i], b[b.Count == 1 ? 0 : i]));
    }

    /// <summary>A list of elements, or null when one is not known or does not fit in 64 bits.</summary>
    public static IReadOnlyList<Dim>? Collect(int count, Func<int, Dim?> element)
    {
        var r = new Dim[count];
        try
        {
            for (var i = 0; i < count; i++)
            {
                if (element(i) is not { } d) return null;
                r[i] = d;
            }
        }
        catch (OverflowException)
        {
            return null;
        }
        return r;
    }
}
