using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.LinearAttention;

/// <summary>
/// The loops of <see cref="LinearAttentionTable"/>. Lanes are columns of the state: of a vector of them the sums over the elements of a key go through one register in order, so that rows
/// of any width give the same bits. Columns behind the last are zeros in the state and are calculated along; only values and results end where they end.
/// </summary>
internal static unsafe class LinearAttentionLoop
{
    /// <summary>The state decays and takes the token in, in two passes over the elements of the key: what the state holds for it, then the change. The first query is read along with the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Token<T>(LinearAttentionToken* token) where T : unmanaged, IVec<T>
    {
        const int pitch = LinearAttentionPlan.Columns;
        var (keys, queries) = (token->KeySize, token->QueryCount);
        for (var c = 0; c < token->Columns; c += T.Count)
        {
            var lanes = Math.Min(T.Count, token->Columns - c);
            var state = token->State + c;
            var held = T.Zero;
            if (token->HasRate || token->Factors != null)
                for (var i = 0; i < keys; i++)
                {
                    var s = T.Load(state + i * pitch);
                    if (token->Factors != null)
                    {
                        s *= T.Set(token->Factors[i]);
                        T.Store(state + i * pitch, s);
                    }
                    held = T.Fma(T.Set(token->Key[i]), s, held);
                }
            var change = T.LoadPart(token->Value + c, lanes);
            if (token->HasRate) change = (change - held) * T.Set(token->Rate);
            var y = T.Zero;
            for (var i = 0; i < keys; i++)
            {
                var s = T.Fma(T.Set(token->Key[i]), change, T.Load(state + i * pitch));
                T.Store(state + i * pitch, s);
                y = T.Fma(T.Set(token->Query[i]), s, y);
            }
            T.StorePart(token->Y + c, y * T.Set(token->Scale), lanes);
            for (var q = 1; q < queries; q++)
            {
                y = T.Zero;
                for (var i = 0; i < keys; i++) y = T.Fma(T.Set(token->Query[q * keys + i]), T.Load(state + i * pitch), y);
                T.StorePart(token->Y + q * token->YPitch + c, y * T.Set(token->Scale), lanes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Exp<T>(float* from, float* to, int count) where T : unmanaged, IVec<T>
    {
        var i = 0;
        for (; i <= count - T.Count; i += T.Count) T.Store(to + i, VecMath.Exp(T.Load(from + i)));
        if (i < count) T.StorePart(to + i, VecMath.Exp(T.LoadPart(from + i, count - i)), count - i);
    }
}
