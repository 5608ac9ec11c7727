using System.Globalization;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix;

/// <summary>A tensor's content at a glance.</summary>
/// <param name="Minimum">The least element; null when there is none or they have no order.</param>
/// <param name="Maximum">The largest element; null like <paramref name="Minimum"/>.</param>
/// <param name="Mean">The mean; null like <paramref name="Minimum"/>.</param>
/// <param name="FirstElements">The first few elements as text.</param>
public sealed record TensorStatistics(double? Minimum, double? Maximum, double? Mean, string FirstElements)
{
    private const int Shown = 4;

    /// <summary>Looks at a tensor. NaN anywhere makes all three numbers NaN.</summary>
    public static TensorStatistics Of(Tensor tensor)
    {
        if (tensor.DType == DType.String) return new(null, null, null, First(tensor.Count, tensor.Strings.Take(Shown).Select(s => $"\"{s}\"")));
        if (tensor.DType is DType.Complex64 or DType.Complex128) return new(null, null, null, "");
        var values = ElementTypes.ToFloat64(tensor);
        if (values.Length == 0) return new(null, null, null, "");
        double minimum = values[0], maximum = values[0], sum = 0;
        foreach (var v in values)
        {
            minimum = Math.Min(minimum, v);
            maximum = Math.Max(maximum, v);
            sum += v;
        }
        return new(minimum, maximum, sum / values.Length, First(tensor.Count, values.Take(Shown).Select(v => v.ToString("G6", CultureInfo.InvariantCulture))));
    }

    private static string First(long count, IEnumerable<string> texts) => string.Join(" ", texts) + (count > Shown ? " ..." : "");
}
