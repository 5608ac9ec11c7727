namespace AiOptix.Cpu.Layout;

/// <summary>
/// Orders of axes: axis i of the result is axis p[i] of what it is made from. Loops, here and elsewhere on the way to a session, because the methods of queries over numbers are
/// compiled when they are first met.
/// </summary>
internal static class Permutation
{
    /// <summary>[N, C, spatial…] to [N, spatial…, C].</summary>
    public static int[] ToLast(int rank) => Of(rank, i => i == 0 ? 0 : i == rank - 1 ? 1 : i + 1);

    /// <summary>[N, spatial…, C] to [N, C, spatial…].</summary>
    public static int[] ToFirst(int rank) => Of(rank, i => i == 0 ? 0 : i == 1 ? rank - 1 : i - 1);

    /// <summary>Where axis <paramref name="axis"/> of [N, C, spatial…] lies with the channels last.</summary>
    public static int Place(int axis, int rank) => axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1;

    /// <summary>The order of <paramref name="then"/> applied to the result of <paramref name="first"/>.</summary>
    public static int[] Then(this int[] first, int[] then) => Array.ConvertAll(then, a => first[a]);

    /// <summary>True when nothing moves.</summary>
    public static bool IsIdentity(this int[] permutation)
    {
        for (var i = 0; i < permutation.Length; i++)
            if (permutation[i] != i) return false;
        return true;
    }

    private static int[] Of(int rank, Func<int, int> axis)
    {
        var order = new int[rank];
        for (var i = 0; i < rank; i++) order[i] = axis(i);
        return order;
    }
}
