using System.Globalization;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Evaluate;

public static partial class ElementTypes
{
    /// <summary>Numbers as text, the way NumPy writes them: the fewest digits that give the number back, an exponent below 1e-4 and from 1e16 on.</summary>
    private static string[] Format(Tensor source)
    {
        var r = new string[source.Count];
        if (source.DType == DType.UInt64)
        {
            for (var i = 0; i < r.Length; i++) r[i] = source.Span<ulong>()[i].ToString(CultureInfo.InvariantCulture);
            return r;
        }
        if (source.DType.IsFloat())
        {
            var values = ToFloat64(source);
            for (var i = 0; i < r.Length; i++)
                r[i] = Text(values[i], source.DType switch
                {
                    DType.Float64 => values[i].ToString("R", CultureInfo.InvariantCulture),
                    DType.Float16 => ((Half)values[i]).ToString("R", CultureInfo.InvariantCulture),
                    _ => ((float)values[i]).ToString("R", CultureInfo.InvariantCulture),
                });
            return r;
        }
        var integers = new long[r.Length];
        Read(source, 0, integers);
        for (var i = 0; i < r.Length; i++)
            r[i] = source.DType == DType.Bool ? integers[i] != 0 ? "True" : "False" : integers[i].ToString(CultureInfo.InvariantCulture);
        return r;
    }

    private static string Text(double value, string digits)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        var sign = double.IsNegative(value) ? "-" : "";
        if (value == 0) return sign + "0.0";
        var parts = digits.TrimStart('-').Split('E');
        var exponent = parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0;
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        var mantissa = parts[0].Replace(".", "", StringComparison.Ordinal);
        exponent += (point < 0 ? mantissa.Length : point) - 1;
        var leading = mantissa.Length - mantissa.TrimStart('0').Length;
        mantissa = mantissa.Trim('0');
        exponent -= leading;
        if (exponent is < -4 or >= 16)
        {
            var fraction = mantissa.Length > 1 ? "." + mantissa[1..] : "";
            return $"{sign}{mantissa[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }
        if (exponent < 0) return sign + "0." + new string('0', -exponent - 1) + mantissa;
        if (mantissa.Length <= exponent + 1) return sign + mantissa.PadRight(exponent + 1, '0') + ".0";
        return sign + mantissa[..(exponent + 1)] + "." + mantissa[(exponent + 1)..];
    }

    private static Tensor Parse(Tensor source, DType target, bool saturate, PowerRounding rounding)
    {
        var strings = source.Strings;
        var result = Tensor.Allocate(target, source.Shape);
        Span<double> number = stackalloc double[1];
        Span<long> integer = stackalloc long[1];
        for (var i = 0; i < strings.Length; i++)
        {
            var s = strings[i].Trim();
            if (target.IsInteger() && ParseInteger(s, out integer[0])) Write(result, i, integer);
            else
            {
                number[0] = ParseNumber(s, target);
                Write(result, i, number, saturate, rounding);
            }
        }
        return result;
    }

    private static bool ParseInteger(string s, out long value)
    {
        if (long.TryParse(s, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)) return true;
        var parsed = ulong.TryParse(s, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var unsigned);
        value = unchecked((long)unsigned);
        return parsed;
    }

    private static double ParseNumber(string s, DType target) => s.ToUpperInvariant() switch
    {
        "NAN" or "+NAN" or "-NAN" => double.NaN,
        "INF" or "+INF" or "INFINITY" or "+INFINITY" => double.PositiveInfinity,
        "-INF" or "-INFINITY" => double.NegativeInfinity,
        "TRUE" when target == DType.Bool => 1,
        "FALSE" when target == DType.Bool => 0,
        _ when target == DType.Float32 && float.TryParse(s, NumberStyles.Float, CultureInfo.InvariantCulture, out var single) => single,
        _ when double.TryParse(s, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw new InvalidInputException($"cannot convert the string \"{s}\" to {target.Name()}: it is not a number"),
    };
}
