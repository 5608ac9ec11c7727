using System.Numerics;
using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Elementwise;

/// <summary>A function of two elements.</summary>
internal interface IBinaryOp<T, TResult>
{
    static abstract TResult Apply(T a, T b);
}

internal readonly struct AddOp<T> : IBinaryOp<T, T> where T : INumber<T> { public static T Apply(T a, T b) => unchecked(a + b); }
internal readonly struct SubOp<T> : IBinaryOp<T, T> where T : INumber<T> { public static T Apply(T a, T b) => unchecked(a - b); }
internal readonly struct MulOp<T> : IBinaryOp<T, T> where T : INumber<T> { public static T Apply(T a, T b) => unchecked(a * b); }
internal readonly struct MinOp<T> : IBinaryOp<T, T> where T : INumber<T> { public static T Apply(T a, T b) => T.IsNaN(a) ? a : a < b ? a : b; }
internal readonly struct MaxOp<T> : IBinaryOp<T, T> where T : INumber<T> { public static T Apply(T a, T b) => T.IsNaN(a) ? a : a > b ? a : b; }
internal readonly struct PReluOp<T> : IBinaryOp<T, T> where T : INumber<T> { public static T Apply(T a, T b) => a < T.Zero ? a * b : a; }

internal readonly struct FloatDivOp<T> : IBinaryOp<T, T> where T : INumber<T> { public static T Apply(T a, T b) => a / b; }
internal readonly struct FloatFModOp<T> : IBinaryOp<T, T> where T : INumber<T> { public static T Apply(T a, T b) => a % b; }

internal readonly struct FloatModOp<T> : IBinaryOp<T, T> where T : INumber<T>
{
    public static T Apply(T a, T b)
    {
        var r = a % b;
        return !T.IsZero(r) && T.IsNegative(r) != T.IsNegative(b) ? r + b : r;
    }
}

internal readonly struct PowF32 : IBinaryOp<float, float> { public static float Apply(float a, float b) => MathF.Pow(a, b); }
internal readonly struct PowF64 : IBinaryOp<double, double> { public static double Apply(double a, double b) => Math.Pow(a, b); }

internal readonly struct DivOp<T> : IBinaryOp<T, T> where T : IBinaryInteger<T>
{
    public static T Apply(T a, T b)
    {
        if (T.IsZero(b)) return T.Zero;
        return T.IsNegative(b) && b + T.One == T.Zero ? unchecked(T.Zero - a) : a / b;
    }
}

internal readonly struct FModOp<T> : IBinaryOp<T, T> where T : IBinaryInteger<T>
{
    public static T Apply(T a, T b) => T.IsZero(b) || (T.IsNegative(b) && b + T.One == T.Zero) ? T.Zero : a % b;
}

internal readonly struct ModOp<T> : IBinaryOp<T, T> where T : IBinaryInteger<T>
{
    public static T Apply(T a, T b)
    {
        var r = FModOp<T>.Apply(a, b);
        return !T.IsZero(r) && T.IsNegative(r) != T.IsNegative(b) ? r + b : r;
    }
}

internal readonly struct PowOp<T> : IBinaryOp<T, T> where T : IBinaryInteger<T>
{
    public static T Apply(T a, T b)
    {
        if (T.IsNegative(b))
        {
            if (a == T.One) return T.One;
            if (T.IsNegative(a) && a + T.One == T.Zero) return T.IsOddInteger(b) ? a : T.One;
            return T.Zero;
        }
        var result = T.One;
        for (; !T.IsZero(b); b >>= 1)
        {
            if (T.IsOddInteger(b)) result = unchecked(result * a);
            a = unchecked(a * a);
        }
        return result;
    }
}

internal readonly struct AndOp<T> : IBinaryOp<T, T> where T : IBinaryInteger<T> { public static T Apply(T a, T b) => a & b; }
internal readonly struct OrOp<T> : IBinaryOp<T, T> where T : IBinaryInteger<T> { public static T Apply(T a, T b) => a | b; }
internal readonly struct XorOp<T> : IBinaryOp<T, T> where T : IBinaryInteger<T> { public static T Apply(T a, T b) => a ^ b; }

internal readonly struct ShiftLeftOp<T> : IBinaryOp<T, T> where T : IBinaryInteger<T>
{
    public static T Apply(T a, T b) => ulong.CreateTruncating(b) < (ulong)(Unsafe.SizeOf<T>() * 8) ? a << int.CreateTruncating(b) : T.Zero;
}

internal readonly struct ShiftRightOp<T> : IBinaryOp<T, T> where T : IBinaryInteger<T>
{
    public static T Apply(T a, T b) => ulong.CreateTruncating(b) < (ulong)(Unsafe.SizeOf<T>() * 8) ? a >>> int.CreateTruncating(b) : T.Zero;
}

internal readonly struct EqualOp<T> : IBinaryOp<T, byte> where T : INumber<T> { public static byte Apply(T a, T b) => a == b ? (byte)1 : (byte)0; }
internal readonly struct NotEqualOp<T> : IBinaryOp<T, byte> where T : INumber<T> { public static byte Apply(T a, T b) => a != b ? (byte)1 : (byte)0; }
internal readonly struct LessOp<T> : IBinaryOp<T, byte> where T : INumber<T> { public static byte Apply(T a, T b) => a < b ? (byte)1 : (byte)0; }
internal readonly struct LessOrEqualOp<T> : IBinaryOp<T, byte> where T : INumber<T> { public static byte Apply(T a, T b) => a <= b ? (byte)1 : (byte)0; }
internal readonly struct GreaterOp<T> : IBinaryOp<T, byte> where T : INumber<T> { public static byte Apply(T a, T b) => a > b ? (byte)1 : (byte)0; }
internal readonly struct GreaterOrEqualOp<T> : IBinaryOp<T, byte> where T : INumber<T> { public static byte Apply(T a, T b) => a >= b ? (byte)1 : (byte)0; }

/// <summary>The rectangle loop of binary functions over elements of any type.</summary>
internal static unsafe class BinaryScalarLoop
{
    [MethodImpl(HotCode.Optimized)]
    public static void Run<TF, T, TResult>(byte* a, byte* b, byte* y, BinaryTile* tile)
        where TF : struct, IBinaryOp<T, TResult> where T : unmanaged where TResult : unmanaged
    {
        var (ac, bc) = (tile->AColumn, tile->BColumn);
        for (long r = 0; r < tile->Rows; r++)
        {
            var pa = a;
            var pb = b;
            var py = (TResult*)y;
            for (var n = tile->Columns; n > 0; n--)
            {
                *py++ = TF.Apply(Unsafe.ReadUnaligned<T>(pa), Unsafe.ReadUnaligned<T>(pb));
                pa += ac;
                pb += bc;
            }
            a += tile->ARow;
            b += tile->BRow;
            y += tile->YRow;
        }
    }
}
