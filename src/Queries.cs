using Microsoft.CodeAnalysis;

namespace AiOptix;

/// <summary>
/// Queries answered at once, by loops. They come before the framework's, whose iterators over numbers and structs no image that is compiled ahead holds: each costs the JIT time when a process opens
/// its first model of a kind.
/// </summary>
[Embedded]
internal static class Queries
{
    /// <summary>What a function gives for each item.</summary>
    public static TResult[] Select<T, TResult>(this T[] items, Func<T, TResult> of)
    {
        var results = new TResult[items.Length];
        for (var i = 0; i < results.Length; i++) results[i] = of(items[i]);
        return results;
    }

    /// <summary>What a function gives for 0, 1, 2 and so on.</summary>
    public static T[] Each<T>(int count, Func<int, T> of)
    {
        var results = new T[count];
        for (var i = 0; i < results.Length; i++) results[i] = of(i);
        return results;
    }

    /// <summary>The first row that suits.</summary>
    /// <exception cref="InvalidOperationException">None does.</exception>
    public static T First<T>(this IReadOnlyList<T> rows, Func<T, bool> suits)
    {
        for (var i = 0; i < rows.Count; i++)
            if (suits(rows[i])) return rows[i];
        throw new InvalidOperationException("no item suits");
    }

    /// <summary>Each of a few numbers once, in the order of their first places.</summary>
    public static int[] DistinctFew(this IEnumerable<int> numbers)
    {
        var seen = new List<int>();
        foreach (var n in numbers)
            if (!seen.Contains(n)) seen.Add(n);
        return seen.ToArray();
    }
}
