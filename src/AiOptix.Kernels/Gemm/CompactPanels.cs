using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Gemm;

/// <summary>
/// Panels of B without the bits that say little: the exponents of trained weights lie close together, so four bits say which of sixteen a weight has, and a weight takes 28 bits in place of 32. Nothing
/// is lost: weights with another exponent (zero, NaN and infinity too) stand in a list, and a matrix with many of them stays as it is.
/// <para>A product of few rows waits for the memory that its weights come from: 7/8 of the bytes take 7/8 of the time (decision 12).</para>
/// </summary>
/// <remarks>
/// A panel of two vectors is cut into groups of four steps, eight vectors: the upper 28 bits of seven vectors hold seven of them, the lowest four bits of the seven hold the eighth. So all reads are of
/// whole vectors and lines, one after the other. First come the groups of all panels, then the lists of all panels, and last, for each panel, what its exponents are counted from and where its list ends.
/// </remarks>
internal readonly unsafe struct CompactPanels
{
    /// <summary>Steps of a group.</summary>
    public const int Steps = 4;

    /// <summary>Fewest steps for which lists have room.</summary>
    public const int FewestSteps = 64;

    /// <summary>What stands for the exponents of panels that are kept as they are.</summary>
    private const int Plain = -1;

    private const int Exponents = 16;

    private readonly byte* first;
    private readonly Outlier* lists;
    private readonly int* heads;
    private readonly int panels, width;
    private readonly nint k;

    /// <summary>The panels of a packed B.</summary>
    public CompactPanels(byte* packed, int columns, nint k, int width)
    {
        first = packed;
        this.width = width;
        this.k = k;
        panels = (columns + width - 1) / width;
        lists = (Outlier*)(packed + panels * GroupsBytes);
        heads = (int*)(packed + panels * k * width * sizeof(float));
    }

    /// <summary>True when the panels are plain ones.</summary>
    public bool ArePlain => heads[0] == Plain;

    private nint GroupsBytes => (k + Steps - 1) / Steps * 14 * width;

    /// <summary>Weights that all lists have room for.</summary>
    private long Room => ((byte*)heads - (byte*)lists) / sizeof(Outlier);

    /// <summary>Bytes of a packed B.</summary>
    public static long Bytes(int columns, long k, int width) => ((long)columns + width - 1) / width * (k * width * sizeof(float) + 2 * sizeof(int));

    /// <summary>Where a panel is read from.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public CompactPanel Panel(nint panel)
    {
        // What stands in a file is a number and never a place: lists end where there is room for them, at the latest.
        var begin = lists + (panel == 0 ? 0 : (nint)Math.Clamp(heads[2 * panel - 1], 0, Room));
        return new((float*)(first + panel * GroupsBytes), heads[2 * panel], begin, lists + (nint)Math.Clamp(heads[2 * panel + 1], 0, Room));
    }

    /// <summary>Packs all panels. <paramref name="panel"/> writes the K × width floats of the one that begins at a column; the memory has zeros behind them, as many as fill the last group.</summary>
    public void Pack(Action<int, nint> panel, float* plain)
    {
        long listed = 0;
        for (var i = 0; i < panels && listed >= 0; i++)
        {
            panel(i * width, (nint)plain);
            listed = Pack(i, plain, listed);
        }
        if (listed >= 0)
        {
            NativeMemory.Clear(lists + listed, (nuint)((byte*)heads - (byte*)(lists + listed)));
            return;
        }
        for (var i = 0; i < panels; i++) panel(i * width, (nint)(first + i * k * width * sizeof(float)));
        new Span<int>(heads, 2 * panels).Fill(Plain);
    }

    /// <summary>Packs a panel whose list begins at an index. Where it ends, or -1 when there is no room for it.</summary>
    [MethodImpl(HotCode.Optimized)]
    private long Pack(nint panel, float* plain, long listed)
    {
        var exponent = Math.Max(0, Highest(plain) - Exponents + 1);
        var outside = Outside(plain, exponent);
        if (outside > k * width / 1024)
        {
            exponent = Densest(plain);
            outside = Outside(plain, exponent);
        }
        if (listed + outside > Math.Min(Room, int.MaxValue)) return -1;
        var to = first + panel * GroupsBytes;
        var half = width / 2;
        for (nint i = 0; i < k * width; i += Steps * width, to += 14 * width)
        {
            for (var lane = 0; lane < half; lane += Vector128<uint>.Count)
            {
                var from = (uint*)plain + i + lane;
                var last = Code(Vector128.Load(from + 7 * half), exponent);
                for (var j = 0; j < 7; j++) (Code(Vector128.Load(from + j * half), exponent) << 4 | last >>> (4 * j) & Vector128.Create(15u)).Store((uint*)to + j * half + lane);
            }
        }
        var list = lists + listed;
        for (nint i = 0; i < k * width && outside > 0; i++)
        {
            if (IsInside(plain[i], exponent)) continue;
            *list++ = new((int)i, plain[i]);
            outside--;
        }
        (heads[2 * panel], heads[2 * panel + 1]) = (exponent, (int)(list - lists));
        return list - lists;
    }

    /// <summary>Makes steps of columns float32 again; see <see cref="GemmBlock.PackB"/>. The first step begins a group.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Unpack<T, TLanes>(void* source, nint k0, nint steps, int column0, int column1, float* to, int width) where T : unmanaged, IVec<T> where TLanes : struct, ICompactLanes<T>
    {
        var last = stackalloc T[8];
        for (var column = column0; column < column1; column += width, to += steps * width)
        {
            var panel = ((CompactPanels*)source)->Panel(column / width);
            var e = TLanes.Base(panel.Exponent);
            var b = panel.Groups + k0 / Steps * 7 * T.Count;
            for (nint k = 0; k < steps; k += Steps, b += 7 * T.Count)
            {
                var group = k + Steps <= steps ? to + k * width : (float*)last;
                T b0 = T.Load(b), b1 = T.Load(b + T.Count), b2 = T.Load(b + 2 * T.Count), b3 = T.Load(b + 3 * T.Count), b4 = T.Load(b + 4 * T.Count), b5 = T.Load(b + 5 * T.Count), b6 = T.Load(b + 6 * T.Count);
                T.Store(group, TLanes.Weight(b0, e));
                T.Store(group + T.Count, TLanes.Weight(b1, e));
                T.Store(group + 2 * T.Count, TLanes.Weight(b2, e));
                T.Store(group + 3 * T.Count, TLanes.Weight(b3, e));
                T.Store(group + 4 * T.Count, TLanes.Weight(b4, e));
                T.Store(group + 5 * T.Count, TLanes.Weight(b5, e));
                T.Store(group + 6 * T.Count, TLanes.Weight(b6, e));
                T.Store(group + 7 * T.Count, TLanes.Weight(Eighth<T, TLanes>(b0, b1, b2, b3, b4, b5, b6), e));
                if (group == last) NativeMemory.Copy(last, to + k * width, (nuint)((steps - k) * width) * sizeof(float));
            }
            for (var o = panel.List; o < panel.EndList; o++)
            {
                var i = o->Index - k0 * width;
                if (i >= 0 && i < steps * width) to[i] = o->Value;
            }
        }
    }

    /// <summary>The vector of weights whose bits are the lowest ones of seven others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Eighth<T, TLanes>(T b0, T b1, T b2, T b3, T b4, T b5, T b6) where T : unmanaged, IVec<T> where TLanes : struct, ICompactLanes<T> =>
        TLanes.Append(TLanes.Append(TLanes.Append(TLanes.Append(TLanes.Append(TLanes.Append(TLanes.Append(b6, b5), b4), b3), b2), b1), b0), T.Zero);

    private static int ExponentOf(float value) => (int)(BitConverter.SingleToUInt32Bits(value) >> 23 & 255);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsInside(float value, int exponent) => (uint)(ExponentOf(value) - exponent) < Exponents;

    /// <summary>Sign, exponent and mantissa in 28 bits; only the sign where the exponent lies outside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Code(Vector128<uint> bits, int exponent)
    {
        var above = (bits & Vector128.Create(0x7FFFFFFFu)) - Vector128.Create((uint)exponent << 23);
        return bits >>> 31 << 27 | above & Vector128.Equals(above >>> 27, default);
    }

    [MethodImpl(HotCode.Optimized)]
    private int Highest(float* plain)
    {
        var highest = Vector128<uint>.Zero;
        for (nint i = 0; i < k * width; i += Vector128<uint>.Count) highest = Vector128.Max(highest, Vector128.Load((uint*)plain + i) & Vector128.Create(0x7FFFFFFFu));
        return (int)(Math.Max(Math.Max(highest[0], highest[1]), Math.Max(highest[2], highest[3])) >> 23);
    }

    /// <summary>How many weights have another exponent than the sixteen from one on.</summary>
    [MethodImpl(HotCode.Optimized)]
    private long Outside(float* plain, int exponent)
    {
        var inside = Vector128<uint>.Zero;
        var lowest = Vector128.Create((uint)exponent << 23);
        var all = Vector128.Create((uint)Exponents << 23);
        for (nint i = 0; i < k * width; i += Vector128<uint>.Count)
            inside -= Vector128.LessThan((Vector128.Load((uint*)plain + i) & Vector128.Create(0x7FFFFFFFu)) - lowest, all);
        return k * width - (long)Vector128.Sum(inside);
    }

    /// <summary>The first of those sixteen exponents that the most weights have, apart from those that are no normal numbers.</summary>
    [MethodImpl(HotCode.Optimized)]
    private int Densest(float* plain)
    {
        var counts = stackalloc int[256];
        new Span<int>(counts, 256).Clear();
        for (nint i = 0; i < k * width; i++) counts[ExponentOf(plain[i])]++;
        long inside = 0, most = -1;
        var best = 0;
        for (var e = 1; e < 255; e++)
        {
            inside += counts[e] - (e > Exponents ? counts[e - Exponents] : 0);
            if (inside <= most) continue;
            (most, best) = (inside, Math.Max(0, e - Exponents + 1));
        }
        return best;
    }
}

/// <summary>A weight of a panel that does not fit into 28 bits.</summary>
/// <param name="Index">Its place in the plain panel.</param>
/// <param name="Value">The weight.</param>
internal readonly record struct Outlier(int Index, float Value);

/// <summary>A panel of <see cref="CompactPanels"/>.</summary>
/// <param name="groups">Its groups.</param>
/// <param name="exponent">What its exponents are counted from.</param>
/// <param name="list">Its outliers.</param>
/// <param name="endList">Their end.</param>
internal readonly unsafe struct CompactPanel(float* groups, int exponent, Outlier* list, Outlier* endList)
{
    public readonly float* Groups = groups;
    public readonly int Exponent = exponent;
    public readonly Outlier* List = list, EndList = endList;
}
