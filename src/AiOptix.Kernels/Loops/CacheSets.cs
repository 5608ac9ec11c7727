using AiOptix.Tensors;

namespace AiOptix.Kernels.Loops;

/// <summary>
/// Rows that a tile reads side by side must not all fall into the same few sets of the first-level cache, where they would push each other out: its ways are a page (4 KiB) long, so that happens
/// to rows whose distance is a multiple of a page; where it is one of half a page they fall into two sets, which leaves no room for the other operand. A cache of more than eight ways has the room.
/// </summary>
internal static class CacheSets
{
    private const int WayBytes = 4096, Page = WayBytes / sizeof(float), HalfPage = Page / 2, Line = 64 / sizeof(float), FewWays = 8;

    /// <summary>The most floats that <see cref="Apart"/> adds.</summary>
    public const int MostApart = Line;

    /// <summary>True for a distance, in floats, at which all rows fall into one set.</summary>
    public static bool AreOne(nint distance) => distance != 0 && distance % Page == 0;

    /// <summary>How many rows at a distance, in floats, a tile may read where it need not copy them: no more than a set has ways where all of them fall into one.</summary>
    public static int MostRows(nint distance, Target target) => AreOne(distance) && !MustCopy(distance, target) ? target.L1Bytes / WayBytes : int.MaxValue;

    /// <summary>True for a distance, in floats, at which a tile's rows collide.</summary>
    private static bool Collide(nint distance) => distance != 0 && distance % HalfPage == 0;

    /// <summary>True where rows at a distance must be copied apart for a tile to read them.</summary>
    public static bool MustCopy(nint distance, Target target) => Collide(distance) && target.L1Bytes <= FewWays * WayBytes;

    /// <summary>The least distance of copied rows of a length at which they do not collide.</summary>
    public static nint Apart(nint length) => Collide(length) ? length + Line : length;
}
