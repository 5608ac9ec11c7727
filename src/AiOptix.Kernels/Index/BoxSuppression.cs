using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;

namespace AiOptix.Kernels.Index;

/// <summary>
/// Greedy suppression of overlapping boxes. Corners are float64, as y1, x1, y2, x2 of every box; overlaps are intersection over union, rounded to float32.
/// </summary>
public static unsafe class BoxSuppression
{
    /// <summary>The specification.</summary>
    public const string KernelName = "nms_f32_scalar";

    private const int Coordinates = 4;

    /// <summary>The corners of boxes: of two opposite corners y, x, y, x, or of centre x, centre y, width, height.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Corners(float* boxes, int count, bool isCentre, double* corners)
    {
        for (var i = 0; i < count; i++, boxes += Coordinates, corners += Coordinates)
        {
            double a = boxes[0], b = boxes[1], c = boxes[2], d = boxes[3];
            if (isCentre) (corners[0], corners[1], corners[2], corners[3]) = (b - d / 2, a - c / 2, b + d / 2, a + c / 2);
            else (corners[0], corners[1], corners[2], corners[3]) = (Math.Min(a, c), Math.Min(b, d), Math.Max(a, c), Math.Max(b, d));
        }
    }

    /// <summary>Chooses boxes by falling score, of equal scores the first, leaving out those that overlap a chosen one.</summary>
    /// <param name="corners">The boxes.</param>
    /// <param name="scores">Their scores.</param>
    /// <param name="count">How many.</param>
    /// <param name="most">The most to choose.</param>
    /// <param name="overlap">Boxes that overlap by more are left out.</param>
    /// <param name="least">Only scores above it count; null for all.</param>
    /// <param name="order">Room for <paramref name="count"/> numbers; the chosen boxes on return.</param>
    /// <returns>How many were chosen.</returns>
    [MethodImpl(HotCode.Optimized)]
    public static int Choose(double* corners, float* scores, int count, long most, double overlap, double? least, int* order)
    {
        var candidates = 0;
        for (var i = 0; i < count; i++)
            if (least is not { } bound || scores[i] > bound) order[candidates++] = i;
        new Span<int>(order, candidates).Sort(new ByScore(scores));
        var chosen = 0;
        for (var c = 0; c < candidates && chosen < most; c++)
        {
            var box = corners + (nint)order[c] * Coordinates;
            var k = 0;
            while (k < chosen && !(Overlap(box, corners + (nint)order[k] * Coordinates) > overlap)) k++;
            if (k == chosen) order[chosen++] = order[c];
        }
        return chosen;
    }

    /// <summary>Makes the code ready.</summary>
    public static void Rehearse()
    {
        using var memory = new RehearsalMemory();
        var corners = (double*)memory.Bytes(2 * Coordinates * sizeof(double));
        Corners(memory.Floats(2 * Coordinates), 2, false, corners);
        Choose(corners, memory.Floats(2), 2, 2, 0.5, null, (int*)memory.Bytes(2 * sizeof(int)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Overlap(double* p, double* q)
    {
        var common = Math.Max(0, Math.Min(p[2], q[2]) - Math.Max(p[0], q[0])) * Math.Max(0, Math.Min(p[3], q[3]) - Math.Max(p[1], q[1]));
        var all = (p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - common;
        return all > 0 ? (float)common / (float)all : 0;
    }

    private readonly struct ByScore(float* scores) : IComparer<int>
    {
        public int Compare(int x, int y)
        {
            var c = scores[y].CompareTo(scores[x]);
            return c != 0 ? c : x.CompareTo(y);
        }
    }
}
