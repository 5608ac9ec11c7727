using System.Runtime.CompilerServices;
using AiOptix.Kernels.Jit;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>From exact sums to what is stored, one by one: the oracle of all kernels.</summary>
internal static unsafe class QuantizedStore
{
    /// <summary>A byte of a sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte Byte(int sum, float factor, int zero, int low, int high)
    {
        var steps = MathF.Min(MathF.Max(sum * factor, low - zero), high - zero);
        return (byte)((int)MathF.Round(steps, MidpointRounding.ToEven) + zero);
    }

    /// <summary>A sum of column <paramref name="column"/> of a tile's row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(DotArguments* t, int sum, int column, byte* row)
    {
        switch (t->Form.Store)
        {
            case DotStore.Int32: ((int*)row)[column] = sum; break;
            case DotStore.Float32: ((float*)row)[column] = t->Form.HasAddends ? (sum * t->Factors[column]) + t->Addends[column] : sum * t->Factors[column]; break;
            default: row[column] = Byte(sum, t->Factors[column], t->Zero, t->Low, t->High); break;
        }
    }
}
