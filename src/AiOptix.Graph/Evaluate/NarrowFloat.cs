using AiOptix.Tensors;

namespace AiOptix.Graphs.Evaluate;

/// <summary>How a value between two powers of two becomes float8e8m0 (ONNX Cast, attribute <c>round_mode</c>).</summary>
public enum PowerRounding
{
    /// <summary>Away from zero.</summary>
    Up,
    /// <summary>Toward zero.</summary>
    Down,
    /// <summary>To the nearer one; a tie goes up.</summary>
    Nearest,
}

/// <summary>
/// The floats of 8 and 4 bits (ONNX "Float stored in 8 bits", "Float stored in 4 bits"): sign, exponent, mantissa from the top. Values round to nearest even.
/// <c>fn</c> formats have no infinity; <c>fnuz</c> formats also have no negative zero and keep its pattern for NaN; float4e2m1 has neither infinity nor NaN.
/// </summary>
internal sealed class NarrowFloat
{
    private readonly int signBit;
    private readonly int mantissaBits;
    private readonly int minExponent;
    private readonly int maxCode;
    private readonly int nan;
    private readonly int infinity;
    private readonly bool negativeZero;
    private readonly float[] values;

    private NarrowFloat(int bits, int mantissaBits, int bias, int maxCode, int nan, int infinity, bool negativeZero)
    {
        signBit = 1 << (bits - 1);
        this.mantissaBits = mantissaBits;
        minExponent = 1 - bias;
        this.maxCode = maxCode;
        this.nan = nan;
        this.infinity = infinity;
        this.negativeZero = negativeZero;
        values = [.. Enumerable.Range(0, 1 << bits).Select(Value)];
    }

    private static readonly NarrowFloat e4m3fn = new(8, 3, 7, 0x7E, 0x7F, -1, true);
    private static readonly NarrowFloat e4m3fnuz = new(8, 3, 8, 0x7F, 0x80, -1, false);
    private static readonly NarrowFloat e5m2 = new(8, 2, 15, 0x7B, 0x7E, 0x7C, true);
    private static readonly NarrowFloat e5m2fnuz = new(8, 2, 16, 0x7F, 0x80, -1, false);
    private static readonly NarrowFloat e2m1 = new(4, 1, 1, 0x7, -1, -1, true);

    /// <summary>The format of an element type other than float8e8m0.</summary>
    public static NarrowFloat Of(DType type) => type switch
    {
        DType.Float8E4M3FN => e4m3fn,
        DType.Float8E4M3FNUZ => e4m3fnuz,
        DType.Float8E5M2 => e5m2,
        DType.Float8E5M2FNUZ => e5m2fnuz,
        DType.Float4E2M1 => e2m1,
        _ => throw new ArgumentException($"{type.Name()} is no float of 8 or 4 bits with a mantissa", nameof(type)),
    };

    /// <summary>The value of a bit pattern. Exact.</summary>
    public float Decode(int code) => values[code];

    /// <summary>The nearest bit pattern. Out of range: the largest finite value when <paramref name="saturate"/> is set, otherwise infinity, or NaN where there is none.</summary>
    public byte Encode(double value, bool saturate)
    {
        if (double.IsNaN(value)) return (byte)(nan < 0 ? signBit : nan);
        var sign = double.IsNegative(value) ? signBit : 0;
        var magnitude = Math.Abs(value);
        var code = double.IsInfinity(magnitude) ? int.MaxValue : Round(magnitude);
        if (code > maxCode)
        {
            if (saturate || (nan < 0 && infinity < 0)) code = maxCode;
            else if (infinity >= 0) code = infinity;
            else return (byte)(nan == signBit ? nan : nan | sign);
        }
        return (byte)(code == 0 && !negativeZero ? 0 : code | sign);
    }

    /// <summary>The exponent field of float8e8m0, which has no sign, no zero and no infinity; follows the exponent of the value as a binary32.</summary>
    public static byte EncodePower(double value, bool saturate, PowerRounding rounding)
    {
        var bits = BitConverter.SingleToUInt32Bits((float)value);
        var exponent = (int)(bits >> 23) & 0xFF;
        if (exponent == 0xFF) return 0xFF;
        var fraction = bits & 0x7FFFFF;
        var up = rounding switch
        {
            PowerRounding.Up => fraction != 0,
            PowerRounding.Nearest => fraction > 0x400000 || (fraction == 0x400000 && exponent > 0),
            _ => false,
        };
        if (up && !(saturate && exponent == 0xFE)) exponent++;
        return (byte)exponent;
    }

    /// <summary>The value of a float8e8m0.</summary>
    public static float DecodePower(int code) => code == 0xFF ? float.NaN : MathF.ScaleB(1, code - 127);

    private int Round(double magnitude)
    {
        if (magnitude == 0) return 0;
        var exponent = Math.Max(Math.ILogB(magnitude), minExponent);
        if (exponent > 64) return int.MaxValue;
        var steps = Math.Round(Math.ScaleB(magnitude, mantissaBits - exponent), MidpointRounding.ToEven);
        return ((exponent - minExponent) << mantissaBits) + (int)steps;
    }

    private float Value(int code)
    {
        var magnitude = code & (signBit - 1);
        var negative = (code & signBit) != 0;
        if (nan == signBit ? code == nan : magnitude > maxCode && magnitude != infinity) return float.NaN;
        var field = magnitude >> mantissaBits;
        var mantissa = magnitude & ((1 << mantissaBits) - 1);
        var value = magnitude == infinity ? float.PositiveInfinity
            : field == 0 ? MathF.ScaleB(mantissa, minExponent - mantissaBits)
            : MathF.ScaleB(mantissa + (1 << mantissaBits), field - 1 + minExponent - mantissaBits);
        return negative ? -value : value;
    }
}
