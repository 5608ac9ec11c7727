using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What the quantised element types share: which there are, their ranges, and rounding real values into them.</summary>
internal static class QuantizedTypes
{
    /// <summary>Integers of 2 to 16 bits and floats of 4 and 8 bits with a mantissa.</summary>
    public static bool IsQuantized(DType type) =>
        type is DType.Int8 or DType.UInt8 or DType.Int16 or DType.UInt16 or DType.Int4 or DType.UInt4 or DType.Int2 or DType.UInt2
        || (type.IsNarrowFloat() && type != DType.Float8E8M0);

    /// <summary>int8 and uint8.</summary>
    public static bool IsByte(DType type) => type is DType.Int8 or DType.UInt8;

    /// <summary>The least and the greatest value of an integer type.</summary>
    public static (double Least, double Greatest) Range(DType type) =>
        type is DType.UInt8 or DType.UInt16 or DType.UInt4 or DType.UInt2 ? (0, (1L << type.Bits()) - 1) : (-(1L << (type.Bits() - 1)), (1L << (type.Bits() - 1)) - 1);

    /// <summary>Rounds values, in steps of the quantised type, to the nearest even integer, adds the zero points and cuts off at the type's range (NaN gives the zero point); floats round in their own way.</summary>
    /// <param name="values">The values divided by their scales.</param>
    /// <param name="zero">The zero point of an element.</param>
    /// <param name="output">Where the results go.</param>
    /// <param name="saturate">Whether floats out of range give their largest value.</param>
    public static void Store(Span<double> values, Func<int, double> zero, Tensor output, bool saturate = true)
    {
        if (output.DType.IsInteger())
        {
            var (least, greatest) = Range(output.DType);
            for (var i = 0; i < values.Length; i++)
            {
                var step = Math.Round(values[i], MidpointRounding.ToEven);
                values[i] = Math.Clamp((double.IsNaN(step) ? 0 : step) + zero(i), least, greatest);
            }
        }
        else
            for (var i = 0; i < values.Length; i++) values[i] += zero(i);
        ElementTypes.Write(output, 0, values, saturate);
    }
}
