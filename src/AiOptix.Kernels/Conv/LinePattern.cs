using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// How one tap reads whole output lines of a width: the same for every line, so masks are made once. A line goes in chunks of eight outputs; the
/// first and the last chunk load under a mask that leaves padding zero and touches nothing beyond the input line. The last chunk may write
/// zeros past the line's end, at most seven.
/// </summary>
internal unsafe struct LinePattern
{
    /// <summary>Floats that a line may write past its end.</summary>
    public const int Slack = 8;

    private const int Chunk = 8;

    private Vector256<float> first0, first1, last0, last1;
    private int start;
    private int chunks;
    private int stride;

    /// <summary>Makes the pattern, or returns false when the geometry or the machine asks for the plain way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryMake(int start, int stride, int length, int outputs, LinePattern* pattern)
    {
        if (!Avx2.IsSupported || stride > 2) return false;
        var lo = start >= 0 ? 0 : (-start + stride - 1) / stride;
        var hi = Math.Min(outputs, length > start ? (length - start - 1) / stride + 1 : 0);
        var chunks = (outputs + Chunk - 1) / Chunk;
        var tail = Chunk * (chunks - 1);
        // Chunks between the first and the last load without a mask: they must lie inside the line.
        if (chunks > 1 && (lo > Chunk || hi < tail || length - start < stride * tail)) return false;
        (pattern->start, pattern->chunks, pattern->stride) = (start, chunks, stride);
        if (stride == 1)
        {
            pattern->first0 = Between(lo, hi, Vector256<int>.Indices);
            pattern->last0 = Between(lo - tail, hi - tail, Vector256<int>.Indices);
            return true;
        }
        Vector256<int> even = Vector256.Create(0, -64, 1, -64, 2, -64, 3, -64), upper = Vector256.Create(4, -64, 5, -64, 6, -64, 7, -64);
        lo = Math.Max(lo, 0);
        pattern->first0 = Between(lo, hi, even);
        pattern->first1 = Between(lo, hi, upper);
        pattern->last0 = Between(Math.Max(lo - tail, 0), hi - tail, even);
        pattern->last1 = Between(Math.Max(lo - tail, 0), hi - tail, upper);
        return true;
    }

    /// <summary>Writes the outputs of one input line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(LinePattern* p, float* line, float* to)
    {
        var from = line + p->start;
        if (p->stride == 1)
        {
            Avx.Store(to, Avx.MaskLoad(from, p->first0));
            var count = p->chunks - 1;
            if (count == 0) return;
            for (var c = 1; c < count; c++)
            {
                from += Chunk;
                to += Chunk;
                Avx.Store(to, Avx.LoadVector256(from));
            }
            Avx.Store(to + Chunk, Avx.MaskLoad(from + Chunk, p->last0));
        }
        else
        {
            Avx.Store(to, Even(Avx.MaskLoad(from, p->first0), Avx.MaskLoad(from + Chunk, p->first1)));
            var count = p->chunks - 1;
            if (count == 0) return;
            for (var c = 1; c < count; c++)
            {
                from += 2 * Chunk;
                to += Chunk;
                Avx.Store(to, Even(Avx.LoadVector256(from), Avx.LoadVector256(from + Chunk)));
            }
            from += 2 * Chunk;
            Avx.Store(to + Chunk, Even(Avx.MaskLoad(from, p->last0), Avx.MaskLoad(from + Chunk, p->last1)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Even(Vector256<float> a, Vector256<float> b)
        => Avx2.Permute4x64(Avx.Shuffle(a, b, 0b10_00_10_00).AsDouble(), 0b11_01_10_00).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Between(int lo, int hi, Vector256<int> index)
        => Avx2.And(Avx2.CompareGreaterThan(index, Vector256.Create(lo - 1)), Avx2.CompareGreaterThan(Vector256.Create(hi), index)).AsSingle();
}
