using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What poolings over regions share: X [N, C, H, W], regions [R, n], results [R, C, height, width].</summary>
/// <param name="Height">Rows of a result.</param>
/// <param name="Width">Columns of a result.</param>
/// <param name="Scale">From the regions' coordinates to X's.</param>
public abstract record RoiPool(long Height, long Width, float Scale) : Operator
{
    /// <summary>Numbers that describe a region.</summary>
    private protected abstract int RegionSize { get; }

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "a floating-point type");
        context.RequireSame(0, 1);
        context.RequireRank(0, 4);
        context.RequireRank(1, 2);
        if (Height < 1 || Width < 1) throw context.Error($"a result of {Height} × {Width} must not be empty");
        if (context.Shape(1) is { } r) context.Same(r[1], RegionSize, "numbers that describe a region");
        context.Set(0, type, new(context.Shape(1)?[0] ?? context.Fresh(), context.Shape(0)?[1] ?? context.Fresh(), Height, Width));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var regions = context.Input(1).ToReals();
        var count = (int)context.Input(1).Shape[0];
        if (context.Input(1).Shape != new Shape(count, RegionSize)) throw context.Error($"regions {context.Input(1)} must be [regions, {RegionSize}]");
        var batches = context.OptionalInput(2)?.ToInt64();
        var output = context.Allocate(0, x.DType, new Shape(count, x.Shape[1], Height, Width));
        var values = x.ToReals();
        var result = new double[output.Count];
        var (h, w) = ((int)x.Shape[2], (int)x.Shape[3]);
        for (var r = 0; r < count; r++)
        {
            var region = regions.AsSpan(r * RegionSize, RegionSize);
            var batch = batches is null ? (long)region[0] : batches[r];
            if (batch < 0 || batch >= x.Shape[0]) throw context.Error($"region {r} is of batch entry {batch}; there are {x.Shape[0]}");
            for (long c = 0; c < x.Shape[1]; c++)
                Pool(values.AsSpan((int)((batch * x.Shape[1] + c) * h * w), h * w), h, w, region, x.DType != DType.Float64, result.AsSpan((int)((r * x.Shape[1] + c) * Height * Width), (int)(Height * Width)));
        }
        output.Store(result);
    }

    /// <summary>Pools one region of one plane.</summary>
    private protected abstract void Pool(ReadOnlySpan<double> plane, int h, int w, ReadOnlySpan<double> region, bool isSingle, Span<double> result);
}

/// <summary>ONNX MaxRoiPool: regions are batch entry, x1, y1, x2, y2; a cell is the largest element of its part of the region, 0 when that is empty.</summary>
/// <param name="Height">Rows of a result.</param>
/// <param name="Width">Columns of a result.</param>
/// <param name="Scale">From the regions' coordinates to X's.</param>
public sealed record MaxRoiPool(long Height, long Width, float Scale = 1) : RoiPool(Height, Width, Scale)
{
    private protected override int RegionSize => 5;

    private protected override void Pool(ReadOnlySpan<double> plane, int h, int w, ReadOnlySpan<double> region, bool isSingle, Span<double> result)
    {
        var (left, top) = (Round(region[1]), Round(region[2]));
        var cellHeight = Math.Max(Round(region[4]) - top + 1, 1) / Height;
        var cellWidth = Math.Max(Round(region[3]) - left + 1, 1) / Width;
        for (var i = 0; i < Height; i++)
            for (var j = 0; j < Width; j++)
            {
                var (y1, y2) = (Within(Math.Floor(i * cellHeight) + top, h), Within(Math.Ceiling((i + 1) * cellHeight) + top, h));
                var (x1, x2) = (Within(Math.Floor(j * cellWidth) + left, w), Within(Math.Ceiling((j + 1) * cellWidth) + left, w));
                var best = y1 < y2 && x1 < x2 ? double.NegativeInfinity : 0;
                for (var y = y1; y < y2; y++)
                    for (var x = x1; x < x2; x++) best = Math.Max(best, plane[y * w + x]);
                result[(int)(i * Width + j)] = best;
            }
    }

    private double Round(double coordinate) => Math.Round(coordinate * Scale, MidpointRounding.AwayFromZero);

    private static int Within(double value, int extent) => (int)Math.Clamp(value, 0, extent);
}

/// <summary>
/// ONNX RoiAlign: regions are x1, y1, x2, y2, their batch entries input 2. A cell is the average of points read linearly between elements, or, in the mode max, the largest of
/// the weighted elements that the points are read from.
/// </summary>
/// <param name="Height">Rows of a result.</param>
/// <param name="Width">Columns of a result.</param>
/// <param name="Scale">From the regions' coordinates to X's.</param>
/// <param name="Samples">Points a cell along either axis; 0 for as many as the cell has elements.</param>
/// <param name="Max">The mode max.</param>
/// <param name="HalfPixel">Coordinates are of pixel centres: regions move by half a pixel and may be smaller than one.</param>
public sealed record RoiAlign(long Height = 1, long Width = 1, float Scale = 1, long Samples = 0, bool Max = false, bool HalfPixel = true) : RoiPool(Height, Width, Scale)
{
    private protected override int RegionSize => 4;

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        base.Infer(context);
        context.Require(2, t => t == DType.Int64, "int64");
        context.RequireRank(2, 1);
    }

    private protected override void Pool(ReadOnlySpan<double> plane, int h, int w, ReadOnlySpan<double> region, bool isSingle, Span<double> result)
    {
        var shift = HalfPixel ? 0.5 : 0;
        // Rounded as the type rounds: how many points a cell has, and which lie within X, would otherwise hang on digits that float32 does not hold.
        double left = Rounded(region[0] * Scale - shift), top = Rounded(region[1] * Scale - shift);
        double width = Rounded(Rounded(region[2] * Scale - shift) - left), height = Rounded(Rounded(region[3] * Scale - shift) - top);
        if (!HalfPixel) (width, height) = (Math.Max(width, 1), Math.Max(height, 1));
        double cellHeight = Rounded(height / Height), cellWidth = Rounded(width / Width);
        var rows = Samples > 0 ? Samples : Math.Max(0, Math.Ceiling(cellHeight));
        var columns = Samples > 0 ? Samples : Math.Max(0, Math.Ceiling(cellWidth));
        for (var i = 0; i < Height; i++)
        {
            var (firstRow, endRow) = Inside(top + i * cellHeight, cellHeight, rows, h);
            for (var j = 0; j < Width; j++)
            {
                var (firstColumn, endColumn) = Inside(left + j * cellWidth, cellWidth, columns, w);
                double sum = 0;
                double? largest = (double)(endRow - firstRow) * (endColumn - firstColumn) < rows * columns ? 0 : null;
                for (var r = firstRow; r < endRow; r++)
                    for (var c = firstColumn; c < endColumn; c++)
                    {
                        var (total, greatest) = Read(plane, h, w, Point(top, i, cellHeight, r, rows), Point(left, j, cellWidth, c, columns));
                        sum += total;
                        largest = largest is { } l ? Math.Max(l, greatest) : greatest;
                    }
                result[(int)(i * Width + j)] = Max ? largest ?? 0 : sum / Math.Max(1, rows * columns);
            }
        }

        double Rounded(double v) => isSingle ? (float)v : v;

        double Point(double start, int cell, double size, long point, double points) => Rounded(Rounded(start + Rounded(cell * size)) + Rounded(Rounded((point + 0.5) * size) / points));
    }

    // Of the points of a cell those that may lie within an axis, with one more on either side: points beyond it count as 0.
    private static (long First, long End) Inside(double start, double length, double points, int extent)
    {
        if (!(points >= 1) || !double.IsFinite(start) || !(length > 0)) return (0, points >= 1 && double.IsFinite(start) ? (long)Math.Min(points, extent + 2.0) : 0);
        var first = Math.Clamp(Math.Floor((-1 - start) / length * points - 0.5) - 1, 0, points);
        var end = Math.Clamp(Math.Ceiling((extent - start) / length * points - 0.5) + 2, first, points);
        return ((long)first, (long)end);
    }

    private static (double Sum, double Max) Read(ReadOnlySpan<double> plane, int h, int w, double y, double x)
    {
        if (!(y >= -1 && y <= h && x >= -1 && x <= w)) return (0, 0);
        var (y0, y1, fy) = Neighbours(y, h);
        var (x0, x1, fx) = Neighbours(x, w);
        var (a, b) = (plane[y0 * w + x0] * (1 - fy) * (1 - fx), plane[y0 * w + x1] * (1 - fy) * fx);
        var (c, d) = (plane[y1 * w + x0] * fy * (1 - fx), plane[y1 * w + x1] * fy * fx);
        return (a + b + c + d, Math.Max(Math.Max(a, b), Math.Max(c, d)));
    }

    private static (int Low, int High, double Fraction) Neighbours(double at, int extent)
    {
        at = Math.Max(at, 0);
        var low = (int)at;
        return low >= extent - 1 ? (extent - 1, extent - 1, 0) : (low, low + 1, at - low);
    }
}
