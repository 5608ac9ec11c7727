using AiOptix.Tensors;

namespace AiOptix.Kernels.Loops;

/// <summary>Strides of dense tensors, plain and stretched by broadcasting (ONNX: multidirectional, aligned at the innermost axis).</summary>
public static class Broadcasting
{
    /// <summary>The sizes of the result of an element-wise operation, or null when the shapes do not fit.</summary>
    public static long[]? Dims(params long[][] shapes)
    {
        var rank = shapes.Max(static s => s.Length);
        var dims = new long[rank];
        Array.Fill(dims, 1);
        foreach (var shape in shapes)
            for (var k = 0; k < shape.Length; k++)
            {
                ref var d = ref dims[rank - shape.Length + k];
                if (shape[k] == 1 || shape[k] == d) continue;
                if (d != 1) return null;
                d = shape[k];
            }
        return dims;
    }

    /// <summary>Strides in elements of a dense tensor seen under a shape that it broadcasts to: 0 along stretched axes.</summary>
    /// <exception cref="InvalidInputException">It does not broadcast to it.</exception>
    public static long[] Strides(Shape shape, Shape target)
    {
        var fits = shape.Rank <= target.Rank;
        for (var k = 1; fits && k <= shape.Rank; k++) fits = shape[-k] == 1 || shape[-k] == target[-k];
        if (!fits) throw new InvalidInputException($"shape {shape} does not broadcast to {target}");
        return Strides(shape.Dims.ToArray(), target.Dims.ToArray());
    }

    /// <summary>Strides in elements of a dense tensor of <paramref name="shape"/> seen as <paramref name="dims"/>: 0 along stretched axes.</summary>
    public static long[] Strides(long[] shape, long[] dims)
    {
        var strides = new long[dims.Length];
        long dense = 1;
        for (var k = shape.Length - 1; k >= 0; k--)
        {
            if (shape[k] != 1) strides[dims.Length - shape.Length + k] = dense;
            dense *= shape[k];
        }
        return strides;
    }
}
