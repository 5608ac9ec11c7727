using AiOptix.Kernels.Images;
using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>Resizes images by an antialiased bilinear filter, to a height and width, or so that the shorter side has a length; of the result a window can be cut, and only that is computed.</summary>
public sealed class Resize : FieldTransform
{
    private readonly int height, width;
    private readonly bool keepsRatio;

    /// <summary>To a height and a width.</summary>
    public Resize(int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        (this.height, this.width) = (height, width);
    }

    /// <summary>So that the shorter side has a length, with the ratio kept.</summary>
    public Resize(int shorter) : this(shorter, shorter) => keepsRatio = true;

    /// <summary>Side of a square that is cut from the middle; null takes all.</summary>
    public int? Crop { get; init; }

    /// <inheritdoc/>
    protected override Tensor Apply(Tensor value, SampleContext context)
    {
        RequireImage(value);
        var (h, w) = Extents(value.Shape[0], value.Shape[1]);
        var (rows, columns) = (Crop ?? h, Crop ?? w);
        if (rows > h || columns > w) throw new InvalidInputException($"a square of {Crop} cannot be cut from {h} × {w} points");
        var result = context.Rent(DType.UInt8, new Shape(rows, columns, value.Shape[2]));
        PixelResize.Run(value, h, w, CenterCrop.Margin(h, rows), CenterCrop.Margin(w, columns), result);
        return result;
    }

    private (int Height, int Width) Extents(long rows, long columns)
    {
        if (!keepsRatio) return (height, width);
        if (rows == 0 || columns == 0) throw new InvalidInputException("an image without points cannot be resized");
        return rows <= columns ? (height, checked((int)(height * columns / rows))) : (checked((int)(width * rows / columns)), width);
    }
}

/// <summary>Cuts a window from images.</summary>
public abstract class Crop : FieldTransform
{
    private readonly int height, width;

    private protected Crop(int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        (this.height, this.width) = (height, width);
    }

    /// <inheritdoc/>
    protected sealed override Tensor Apply(Tensor value, SampleContext context)
    {
        RequireImage(value);
        var (rows, columns, channels) = (value.Shape[0], value.Shape[1], value.Shape[2]);
        if (height > rows || width > columns) throw new InvalidInputException($"a window of {height} × {width} cannot be cut from {rows} × {columns} points");
        var (top, left) = Place(rows - height, columns - width, context);
        var result = context.Rent(DType.UInt8, new Shape(height, width, channels));
        var bytes = (int)(width * channels);
        for (long r = 0; r < height; r++) value.BytesAt(((top + r) * columns + left) * channels, bytes).CopyTo(result.BytesAt(r * bytes, bytes));
        GC.KeepAlive(value);
        return result;
    }

    private protected abstract (long Top, long Left) Place(long spareRows, long spareColumns, SampleContext context);
}

/// <summary>Cuts the middle from images.</summary>
/// <param name="height">Rows.</param>
/// <param name="width">Columns.</param>
public sealed class CenterCrop(int height, int width) : Crop(height, width)
{
    private protected override (long Top, long Left) Place(long spareRows, long spareColumns, SampleContext context) => (Margin((int)spareRows, 0), Margin((int)spareColumns, 0));

    /// <summary>What is left out before a part in the middle; half points are rounded to even, as imaging libraries do.</summary>
    internal static int Margin(int whole, int part) => (int)Math.Round((whole - part) / 2.0, MidpointRounding.ToEven);
}

/// <summary>Cuts a window from a random place of images, drawn from the sample's own seed.</summary>
/// <param name="height">Rows.</param>
/// <param name="width">Columns.</param>
public sealed class RandomCrop(int height, int width) : Crop(height, width)
{
    private protected override (long Top, long Left) Place(long spareRows, long spareColumns, SampleContext context)
    {
        var random = context.Random;
        return (random.Next(spareRows + 1), random.Next(spareColumns + 1));
    }
}

/// <summary>Turns images left to right with a probability, drawn from the sample's own seed.</summary>
/// <param name="probability">From 0 to 1.</param>
public sealed class RandomFlip(double probability = 0.5) : FieldTransform
{
    private const ulong Stream = 0x5DEECE66D;

    private readonly double probability = probability is >= 0 and <= 1 ? probability : throw new ArgumentOutOfRangeException(nameof(probability), probability, "expected 0 to 1");

    /// <inheritdoc/>
    protected override Tensor Apply(Tensor value, SampleContext context)
    {
        RequireImage(value);
        if (new SampleRandom(context.Seed ^ Stream).NextDouble() >= probability) return value;
        var result = context.Rent(DType.UInt8, value.Shape);
        var (rows, columns, channels) = (value.Shape[0], (int)value.Shape[1], (int)value.Shape[2]);
        for (long r = 0; r < rows; r++)
        {
            var from = value.BytesAt(r * columns * channels, columns * channels);
            var to = result.BytesAt(r * columns * channels, columns * channels);
            for (var c = 0; c < columns; c++) from.Slice(c * channels, channels).CopyTo(to[((columns - 1 - c) * channels)..]);
        }
        GC.KeepAlive(value);
        return result;
    }
}
