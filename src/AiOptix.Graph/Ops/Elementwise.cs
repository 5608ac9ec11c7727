using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>Positions that GatherElements and ScatterElements read or write.</summary>
internal static class Elementwise
{
    /// <summary>For every element of the indices its own position and that of the element of the data which it stands for.</summary>
    public static IEnumerable<(long Index, long Data)> Positions(EvaluationContext context, Shape data, Shape indices, long[] values, int axis)
    {
        for (var i = 0; i < data.Rank; i++)
            if (indices.Rank != data.Rank || (i != axis && indices[i] > data[i] && values.Length > 0))
                throw context.Error($"indices of shape {indices} do not fit data of shape {data} beside axis {axis}");
        var strides = data.Strides();
        var at = new long[data.Rank];
        for (long n = 0; n < values.Length; n++)
        {
            var index = values[n];
            if (index < -data[axis] || index >= data[axis]) throw context.Error($"index {index} is out of range for axis {axis} of shape {data}");
            long position = 0;
            for (var i = 0; i < at.Length; i++) position += strides[i] * (i == axis ? index < 0 ? index + data[axis] : index : at[i]);
            yield return (n, position);
            for (var i = at.Length - 1; i >= 0 && ++at[i] == indices[i]; i--) at[i] = 0;
        }
    }
}
