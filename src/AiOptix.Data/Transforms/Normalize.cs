using AiOptix.Kernels.Images;
using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>
/// (x · scale − mean) / deviation as float32, with one mean and deviation or one for each channel. Images, uint8 [height, width, channels], come out with their channels first unless told otherwise.
/// Of float32 tensors the channels are the first axis if that has as many, else the last.
/// </summary>
public sealed class Normalize : FieldTransform
{
    private const float ByteScale = 1 / 255f;

    private readonly float[] means, deviations;

    /// <summary>Creates the transform.</summary>
    /// <param name="means">The mean of each channel, of values that are scaled.</param>
    /// <param name="deviations">The standard deviation of each channel; none is 0.</param>
    public Normalize(IReadOnlyList<float> means, IReadOnlyList<float> deviations)
    {
        if (means.Count == 0 || means.Count != deviations.Count) throw new ArgumentException($"{means.Count} means and {deviations.Count} deviations: expected one of each a channel");
        if (deviations.Any(d => d == 0 || !float.IsFinite(d)) || means.Any(m => !float.IsFinite(m))) throw new ArgumentException("means and deviations must be finite, deviations not 0");
        (this.means, this.deviations) = ([.. means], [.. deviations]);
    }

    /// <summary>What values are multiplied by first; null: bytes by 1/255, floats by 1.</summary>
    public float? Scale { get; init; }

    /// <summary>Whether images come out as [channels, height, width].</summary>
    public bool ChannelsFirst { get; init; } = true;

    /// <inheritdoc/>
    protected override Tensor Apply(Tensor value, SampleContext context)
    {
        if (value.DType is not (DType.UInt8 or DType.Float32)) throw new InvalidInputException($"Normalize needs uint8 or float32; found {value}");
        var scale = Scale ?? (value.DType == DType.UInt8 ? ByteScale : 1);
        var isImage = value.DType == DType.UInt8 && value.Shape.Rank == 3;
        var channels = isImage ? (int)value.Shape[2] : means.Length;
        if (means.Length != 1 && means.Length != channels) throw new InvalidInputException($"Normalize has {means.Length} means; the image {value} has {channels} channels");
        var affine = new float[2 * channels];
        for (var c = 0; c < channels; c++)
        {
            var i = means.Length == 1 ? 0 : c;
            (affine[2 * c], affine[2 * c + 1]) = (scale / deviations[i], -means[i] / deviations[i]);
        }
        var result = context.Rent(DType.Float32, isImage && ChannelsFirst ? new Shape(channels, value.Shape[0], value.Shape[1]) : value.Shape);
        if (isImage)
        {
            PixelNormalize.Run(value, affine, result, ChannelsFirst);
            return result;
        }
        var inner = channels == 1 ? 1 : value.Shape.Rank > 0 && value.Shape[0] == channels ? value.Count / channels : value.Shape.Rank > 0 && value.Shape[-1] == channels ? 1
            : throw new InvalidInputException($"Normalize has {channels} means; neither the first nor the last axis of {value} is as long");
        PixelNormalize.Run(value, affine, result, inner);
        return result;
    }
}
