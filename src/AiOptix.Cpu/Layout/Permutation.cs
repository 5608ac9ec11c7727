namespace AiOptix.Cpu.Layout;

/// <summary>Orders of axes: axis i of the result is axis p[i] of what it is made from.</summary>
internal static class Permutation
{
    /// <summary>[N, C, spatial…] to [N, spatial…, C].</summary>
    public static int[] ToLast(int rank) => [0, .. Enumerable.Range(2, rank - 2), 1];

    /// <summary>[N, spatial…, C] to [N, C, spatial…].</summary>
    public static int[] ToFirst(int rank) => [0, rank - 1, .. Enumerable.Range(1, rank - 2)];

    /// <summary>Where axis <paramref name="axis"/> of [N, C, spatial…] lies with the channels last.</summary>
    public static int Place(int axis, int rank) => axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1;

    /// <summary>The order of <paramref name="then"/> applied to the result of <paramref name="first"/>.</summary>
    public static int[] Then(this int[] first, int[] then) => [.. then.Select(a => first[a])];

    /// <summary>True when nothing moves.</summary>
    public static bool IsIdentity(this int[] permutation) => permutation.Select((a, i) => a == i).All(same => same);
}
