namespace AiOptix.Optimization;

/// <summary>The samples in three parts: one to choose ranges with, one to search with, one that neither sees and the proof rests on.</summary>
/// <param name="Calibration">Indices into the samples.</param>
/// <param name="Search">Indices into the samples.</param>
/// <param name="HeldBack">Indices into the samples.</param>
public sealed record SampleSplit(IReadOnlyList<int> Calibration, IReadOnlyList<int> Search, IReadOnlyList<int> HeldBack)
{
    /// <summary>Splits samples after a seeded shuffle: three quarters are held back, for a proof needs most; the rest is halved. Every part gets one at least.</summary>
    /// <param name="count">How many there are, at least three.</param>
    /// <param name="seed">The seed.</param>
    public static SampleSplit Of(int count, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 3);
        var order = Enumerable.Range(0, count).ToArray();
        new Random(seed).Shuffle(order);
        var heldBack = Math.Clamp(count - count / 4, 1, count - 2);
        var calibration = (count - heldBack + 1) / 2;
        return new(Sorted(order[..calibration]), Sorted(order[calibration..^heldBack]), Sorted(order[^heldBack..]));
    }

    private static int[] Sorted(int[] indices)
    {
        Array.Sort(indices);
        return indices;
    }
}
