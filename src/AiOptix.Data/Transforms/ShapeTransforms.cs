using AiOptix.Kernels.Cast;
using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>Images [height, width, channels] to [channels, height, width].</summary>
public sealed class ChannelsFirst : FieldTransform
{
    /// <inheritdoc/>
    protected override Tensor Apply(Tensor value, SampleContext context)
    {
        if (value.Shape.Rank != 3 || value.DType.Bits() < 8) throw new InvalidInputException($"ChannelsFirst needs a tensor [height, width, channels]; found {value}");
        var (pixels, channels, size) = (value.Shape[0] * value.Shape[1], (int)value.Shape[2], value.DType.Bits() / 8);
        var result = context.Rent(value.DType, new Shape(channels, value.Shape[0], value.Shape[1]));
        ReadOnlySpan<byte> source = value.Bytes;
        var target = result.Bytes;
        for (var c = 0; c < channels; c++)
        {
            var plane = target.Slice(checked((int)(c * pixels * size)), (int)(pixels * size));
            if (size == 1)
                for (var i = 0; i < plane.Length; i++) plane[i] = source[i * channels + c];
            else
                for (var i = 0; i < pixels; i++) source.Slice((i * channels + c) * size, size).CopyTo(plane[(i * size)..]);
        }
        GC.KeepAlive(value);
        return result;
    }
}

/// <summary>The same elements under another shape.</summary>
/// <param name="extents">The extents; one may be −1 and is what the others leave.</param>
public sealed class Reshape(params IReadOnlyList<long> extents) : FieldTransform
{
    private readonly IReadOnlyList<long> extents = extents.Count(e => e == -1) <= 1 && extents.All(e => e >= -1) ? extents : throw new ArgumentException("extents are 0 or more, and one of them may be -1", nameof(extents));

    /// <inheritdoc/>
    protected override Tensor Apply(Tensor value, SampleContext context)
    {
        var known = extents.Where(e => e >= 0).Aggregate(1L, (a, b) => checked(a * b));
        var open = known > 0 && value.Count % known == 0 ? value.Count / known : -1;
        if (extents.Contains(-1) ? open < 0 : known != value.Count) throw new InvalidInputException($"{value} cannot become [{string.Join(",", extents)}]");
        return value.Reshape(new Shape([.. extents.Select(e => e < 0 ? open : e)]));
    }
}

/// <summary>Converts the elements: floats round to nearest even; floats become integers by cutting the fraction off.</summary>
/// <param name="type">The element type.</param>
public sealed class Cast(DType type) : FieldTransform
{
    /// <inheritdoc/>
    protected override Tensor Apply(Tensor value, SampleContext context)
    {
        if (value.DType == type) return value;
        var result = context.Rent(type, value.Shape);
        TensorCast.Run(value, result);
        return result;
    }
}
