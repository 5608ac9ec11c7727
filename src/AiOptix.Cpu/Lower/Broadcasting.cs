using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Broadcasting as strides.</summary>
internal static class Broadcasting
{
    /// <summary>The strides with which a tensor is read under a shape that it broadcasts to; 0 repeats.</summary>
    /// <exception cref="InvalidInputException">It does not broadcast to it.</exception>
    public static long[] Strides(Shape shape, Shape target)
    {
        var own = shape.Strides();
        var result = new long[target.Rank];
        for (var i = 0; i < target.Rank; i++)
        {
            var a = i - (target.Rank - shape.Rank);
            if (a < 0 || (shape[a] == 1 && target[i] != 1)) continue;
            if (shape[a] != target[i]) throw new InvalidInputException($"shape {shape} does not broadcast to {target}");
            result[i] = own[a];
        }
        return result;
    }
}
