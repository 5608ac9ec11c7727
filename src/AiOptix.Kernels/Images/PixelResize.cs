using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Images;

/// <summary>
/// Resizes uint8 images [height, width, channels] by a triangle filter whose support grows with the reduction (antialiased bilinear, as imaging libraries have it), and makes only the window of the
/// result that is asked for. Rows are blended first, then columns, in float32; values are rounded once.
/// </summary>
public static unsafe class PixelResize
{
    private const int Lanes = 4;

    /// <summary>How a window of an axis is made.</summary>
    /// <param name="Starts">The first input position of each output position.</param>
    /// <param name="Weights">Weights, <paramref name="Taps"/> an output position; those beyond the end of the axis are zero.</param>
    /// <param name="Taps">The most input positions that one output position is made of.</param>
    private sealed record Axis(int[] Starts, float[] Weights, int Taps);

    /// <summary>Resizes an image.</summary>
    /// <param name="image">uint8 [height, width, channels].</param>
    /// <param name="height">Rows of the whole result.</param>
    /// <param name="width">Columns of the whole result.</param>
    /// <param name="top">The first row of the window.</param>
    /// <param name="left">The first column of the window.</param>
    /// <param name="window">The window, uint8 [rows, columns, channels]; overlaps nothing.</param>
    /// <param name="row">Forces a row of the table.</param>
    /// <exception cref="ArgumentException">Types, shapes or the window do not fit.</exception>
    public static void Run(Tensor image, int height, int width, int top, int left, Tensor window, PixelKernel? row = null)
    {
        if (image.DType != DType.UInt8 || image.Shape.Rank != 3 || window.DType != DType.UInt8 || window.Shape.Rank != 3 || window.Shape[2] != image.Shape[2])
            throw new ArgumentException($"an image to resize is uint8 [height, width, channels]; found {image} to {window}");
        var (rows, columns, channels) = (checked((int)window.Shape[0]), checked((int)window.Shape[1]), checked((int)image.Shape[2]));
        if (top < 0 || left < 0 || top > height - rows || left > width - columns) throw new ArgumentException($"a window of {rows} × {columns} at {top}, {left} does not lie in {height} × {width}");
        if (image.Count == 0 && window.Count > 0) throw new ArgumentException($"an image {image} has no points to resize");
        if (window.Count == 0) return;
        var kernel = row ?? PixelTable.Select(HostTarget.Current);
        var vertical = Taps(checked((int)image.Shape[0]), height, top, rows);
        var horizontal = Taps(checked((int)image.Shape[1]), width, left, columns);
        // Only the columns that the window is made of are blended.
        int from = horizontal.Starts[0], end = Math.Min((int)image.Shape[1], horizontal.Starts[^1] + horizontal.Taps);
        var stride = image.Shape[1] * channels;
        var length = (long)(end - from) * channels;
        using var line = Tensor.Allocate(DType.Float32, new Shape(length + (long)(horizontal.Taps + 1) * channels + Lanes), zeroed: true);
        fixed (float* verticalWeights = vertical.Weights, horizontalWeights = horizontal.Weights)
        fixed (nint* pointers = new nint[vertical.Taps])
            for (var r = 0; r < rows; r++)
            {
                for (var t = 0; t < vertical.Taps; t++) pointers[t] = (nint)(image.Pointer + Math.Min(vertical.Starts[r] + t, image.Shape[0] - 1) * stride + (long)from * channels);
                kernel.Blend((byte**)pointers, verticalWeights + (long)r * vertical.Taps, vertical.Taps, (float*)line.Pointer, length);
                var target = window.Pointer + (long)r * columns * channels;
                if (channels is 3 or 4) Cells((float*)line.Pointer, horizontal, horizontalWeights, from, target, columns, channels);
                else Columns((float*)line.Pointer, horizontal, horizontalWeights, from, target, columns, channels);
            }
        GC.KeepAlive(image);
        GC.KeepAlive(window);
    }

    /// <summary>Three or four channels as the lanes of a vector.</summary>
    [MethodImpl(HotCode.Optimized)]
    private static void Cells(float* line, Axis axis, float* weights, int from, byte* y, int columns, int channels)
    {
        var zero = Vector128<float>.Zero;
        var full = Vector128.Create(255f);
        for (var c = 0; c < columns; c++, weights += axis.Taps, y += channels)
        {
            var x = line + (long)(axis.Starts[c] - from) * channels;
            var sum = Vector128.Create(0.5f);
            for (var t = 0; t < axis.Taps; t++, x += channels) sum = Vector128.FusedMultiplyAdd(Vector128.Load(x), Vector128.Create(weights[t]), sum);
            var rounded = Vector128.ConvertToInt32(Vector128.Min(Vector128.Max(sum, zero), full));
            y[0] = (byte)rounded[0];
            y[1] = (byte)rounded[1];
            y[2] = (byte)rounded[2];
            if (channels == 4) y[3] = (byte)rounded[3];
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Columns(float* line, Axis axis, float* weights, int from, byte* y, int columns, int channels)
    {
        for (var c = 0; c < columns; c++, weights += axis.Taps, y += channels)
            for (var channel = 0; channel < channels; channel++)
            {
                var x = line + (long)(axis.Starts[c] - from) * channels + channel;
                var sum = 0.5f;
                for (var t = 0; t < axis.Taps; t++, x += channels) sum += *x * weights[t];
                y[channel] = (byte)Math.Clamp(sum, 0, 255);
            }
    }

    /// <summary>The triangle filter of an axis; positions are those of pixel centres.</summary>
    private static Axis Taps(int input, int output, int first, int count)
    {
        var scale = (double)input / output;
        var support = Math.Max(scale, 1);
        var taps = Math.Min(input, (int)Math.Ceiling(support) * 2 + 1);
        var starts = new int[count];
        var weights = new float[(long)count * taps];
        for (var i = 0; i < count; i++)
        {
            var centre = (first + i + 0.5) * scale;
            var start = Math.Max(0, (int)(centre - support + 0.5));
            var end = Math.Min(input, (int)(centre + support + 0.5));
            starts[i] = start;
            var sum = 0.0;
            for (var x = start; x < end; x++) sum += Triangle((x - centre + 0.5) / support);
            for (var x = start; x < end; x++) weights[(long)i * taps + x - start] = (float)(Triangle((x - centre + 0.5) / support) / sum);
        }
        return new(starts, weights, taps);
    }

    private static double Triangle(double x) => Math.Max(0, 1 - Math.Abs(x));
}
