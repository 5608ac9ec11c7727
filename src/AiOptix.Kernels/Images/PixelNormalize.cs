using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Images;

/// <summary>Bytes of pixels to float32: y = x·factor + addend for each channel, rounded once, in the same layout or with the channels first.</summary>
public static unsafe class PixelNormalize
{
    /// <summary>Normalises an image.</summary>
    /// <param name="image">uint8 [height, width, channels].</param>
    /// <param name="affine">A factor and an addend for each channel, one behind the other.</param>
    /// <param name="result">float32 [height, width, channels], or [channels, height, width].</param>
    /// <param name="channelsFirst">Whether the result has its channels first.</param>
    /// <param name="row">Forces a row of the table.</param>
    /// <exception cref="ArgumentException">Types or shapes do not fit.</exception>
    public static void Run(Tensor image, ReadOnlySpan<float> affine, Tensor result, bool channelsFirst, PixelKernel? row = null)
    {
        if (image.DType != DType.UInt8 || image.Shape.Rank != 3 || result.DType != DType.Float32 || result.Count != image.Count || affine.Length != 2 * image.Shape[2])
            throw new ArgumentException($"an image to normalise is uint8 [height, width, channels] with a factor and an addend a channel; found {image}, {affine.Length} numbers, {result}");
        var kernel = row ?? PixelTable.Select(HostTarget.Current);
        var channels = (int)image.Shape[2];
        var pixels = image.Shape[0] * image.Shape[1];
        fixed (float* a = affine)
        {
            var y = (float*)result.Pointer;
            if (!channelsFirst || channels == 1) kernel.Scale(image.Pointer, y, pixels, a, channels);
            else if (channels == 3) kernel.Planes(image.Pointer, y, pixels, a);
            else
                for (var c = 0; c < channels; c++)
                    for (long i = 0; i < pixels; i++) y[c * pixels + i] = MathF.FusedMultiplyAdd(image.Pointer[i * channels + c], a[2 * c], a[2 * c + 1]);
        }
        GC.KeepAlive(image);
        GC.KeepAlive(result);
    }

    /// <summary>Scales a tensor of any shape.</summary>
    /// <param name="x">uint8 or float32.</param>
    /// <param name="affine">A factor and an addend for each channel.</param>
    /// <param name="result">float32, as many elements.</param>
    /// <param name="inner">Elements of one channel that lie side by side.</param>
    /// <exception cref="ArgumentException">Types or shapes do not fit.</exception>
    public static void Run(Tensor x, ReadOnlySpan<float> affine, Tensor result, long inner)
    {
        var channels = affine.Length / 2;
        if (x.DType is not (DType.UInt8 or DType.Float32) || result.DType != DType.Float32 || result.Count != x.Count || channels == 0 || inner < 1 || x.Count % (inner * channels) != 0)
            throw new ArgumentException($"{x} cannot be scaled into {result} with {channels} channels of {inner} elements");
        var y = (float*)result.Pointer;
        for (long at = 0; at < x.Count; at += inner)
        {
            var c = (int)(at / inner % channels);
            var run = channels == 1 ? x.Count : inner;
            if (x.DType == DType.Float32) Floats((float*)x.Pointer + at, y + at, run, affine[2 * c], affine[2 * c + 1]);
            else
                for (var i = at; i < at + run; i++) y[i] = MathF.FusedMultiplyAdd(x.Pointer[i], affine[2 * c], affine[2 * c + 1]);
            if (channels == 1) break;
        }
        GC.KeepAlive(x);
        GC.KeepAlive(result);
    }

    private static void Floats(float* x, float* y, long n, float factor, float addend)
    {
        var (f, a) = (new Vector<float>(factor), new Vector<float>(addend));
        long i = 0;
        for (; i <= n - Vector<float>.Count; i += Vector<float>.Count) Vector.FusedMultiplyAdd(Vector.Load(x + i), f, a).Store(y + i);
        for (; i < n; i++) y[i] = MathF.FusedMultiplyAdd(x[i], factor, addend);
    }
}
