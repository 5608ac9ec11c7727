using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.LinearAttention;

/// <summary>
/// The loops of <see cref="LinearAttentionTable"/>. Lanes are columns of the state: of a vector of them the sums over the elements of a key go through one register in order, so that rows
/// of any width give the same bits. Columns behind the last are zeros in the state and are calculated along; only values and results end where they end.
/// </summary>
internal static unsafe class LinearAttentionLoop
{
    /// <summary>
    /// The state decays and takes the token in, in two passes over the elements of the key: what the state holds for it, then the change; the first query is read along with the second.
    /// Four vectors of columns at a time (s, held, change and y of each), so that sums wait for each other less.
    /// </summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Token<T>(LinearAttentionToken* token) where T : unmanaged, IVec<T>
    {
        const int pitch = LinearAttentionPlan.Columns;
        var (keys, queries, n) = (token->KeySize, token->QueryCount, T.Count);
        var (decays, subtracts) = (token->Factors != null, token->HasRate);
        for (var c = 0; c < token->Columns; c += 4 * n)
        {
            var rest = token->Columns - c;
            var state = token->State + c;
            T h0 = T.Zero, h1 = T.Zero, h2 = T.Zero, h3 = T.Zero;
            if (subtracts || decays)
                for (var i = 0; i < keys; i++)
                {
                    var at = state + i * pitch;
                    T s0 = T.Load(at), s1 = T.Load(at + n), s2 = T.Load(at + 2 * n), s3 = T.Load(at + 3 * n);
                    if (decays)
                    {
                        var f = T.Set(token->Factors[i]);
                        (s0, s1, s2, s3) = (s0 * f, s1 * f, s2 * f, s3 * f);
                        T.Store(at, s0);
                        T.Store(at + n, s1);
                        T.Store(at + 2 * n, s2);
                        T.Store(at + 3 * n, s3);
                    }
                    if (!subtracts) continue;
                    var k = T.Set(token->Key[i]);
                    (h0, h1, h2, h3) = (T.Fma(k, s0, h0), T.Fma(k, s1, h1), T.Fma(k, s2, h2), T.Fma(k, s3, h3));
                }
            var value = token->Value + c;
            T d0 = Part<T>(value, rest, 0), d1 = Part<T>(value, rest, 1), d2 = Part<T>(value, rest, 2), d3 = Part<T>(value, rest, 3);
            if (subtracts)
            {
                var rate = T.Set(token->Rate);
                (d0, d1, d2, d3) = ((d0 - h0) * rate, (d1 - h1) * rate, (d2 - h2) * rate, (d3 - h3) * rate);
            }
            T y0 = T.Zero, y1 = T.Zero, y2 = T.Zero, y3 = T.Zero;
            for (var i = 0; i < keys; i++)
            {
                var at = state + i * pitch;
                T k = T.Set(token->Key[i]), q = T.Set(token->Query[i]);
                T s0 = T.Fma(k, d0, T.Load(at)), s1 = T.Fma(k, d1, T.Load(at + n)), s2 = T.Fma(k, d2, T.Load(at + 2 * n)), s3 = T.Fma(k, d3, T.Load(at + 3 * n));
                T.Store(at, s0);
                T.Store(at + n, s1);
                T.Store(at + 2 * n, s2);
                T.Store(at + 3 * n, s3);
                (y0, y1, y2, y3) = (T.Fma(q, s0, y0), T.Fma(q, s1, y1), T.Fma(q, s2, y2), T.Fma(q, s3, y3));
            }
            Put(token, c, 0, y0, y1, y2, y3);
            for (var g = 1; g < queries; g++)
            {
                (y0, y1, y2, y3) = (T.Zero, T.Zero, T.Zero, T.Zero);
                for (var i = 0; i < keys; i++)
                {
                    var at = state + i * pitch;
                    var q = T.Set(token->Query[g * keys + i]);
                    (y0, y1, y2, y3) = (T.Fma(q, T.Load(at), y0), T.Fma(q, T.Load(at + n), y1), T.Fma(q, T.Load(at + 2 * n), y2), T.Fma(q, T.Load(at + 3 * n), y3));
                }
                Put(token, c, g, y0, y1, y2, y3);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Lanes<T>(int rest, int vector) where T : unmanaged, IVec<T> => Math.Clamp(rest - vector * T.Count, 0, T.Count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Part<T>(float* from, int rest, int vector) where T : unmanaged, IVec<T> => T.LoadPart(from + vector * T.Count, Lanes<T>(rest, vector));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(LinearAttentionToken* token, int column, int query, T y0, T y1, T y2, T y3) where T : unmanaged, IVec<T>
    {
        var to = token->Y + query * token->YPitch + column;
        var (rest, scale) = (token->Columns - column, T.Set(token->Scale));
        T.StorePart(to, y0 * scale, Lanes<T>(rest, 0));
        T.StorePart(to + T.Count, y1 * scale, Lanes<T>(rest, 1));
        T.StorePart(to + 2 * T.Count, y2 * scale, Lanes<T>(rest, 2));
        T.StorePart(to + 3 * T.Count, y3 * scale, Lanes<T>(rest, 3));
    }

    /// <summary>Copies rows of some columns.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Rows<T>(float* from, long fromPitch, float* to, long toPitch, int rows, int columns) where T : unmanaged, IVec<T>
    {
        for (var i = 0; i < rows; i++, from += fromPitch, to += toPitch)
        {
            var c = 0;
            for (; c <= columns - T.Count; c += T.Count) T.Store(to + c, T.Load(from + c));
            if (c < columns) T.StorePart(to + c, T.LoadPart(from + c, columns - c), columns - c);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    public static void Exp<T>(float* from, float* to, int count) where T : unmanaged, IVec<T>
    {
        var i = 0;
        for (; i <= count - T.Count; i += T.Count) T.Store(to + i, VecMath.Exp(T.Load(from + i)));
        if (i < count) T.StorePart(to + i, VecMath.Exp(T.LoadPart(from + i, count - i)), count - i);
    }
}
