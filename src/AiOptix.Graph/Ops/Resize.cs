using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX Resize: inputs X, region of interest (starts, then ends, relative; only for crop and resize), scales, sizes. Exactly one of scales and sizes is there; an
/// empty tensor counts as left out.
/// </summary>
/// <param name="Mode">How elements are calculated.</param>
/// <param name="Coordinates">How places in the input are found.</param>
/// <param name="Rounding">Which element is nearest.</param>
/// <param name="CubicA">The coefficient of the cubic.</param>
/// <param name="ExcludeOutside">Places outside the input have no weight; otherwise they show the edge.</param>
/// <param name="Extrapolation">The value outside the region of interest.</param>
/// <param name="Antialias">Widen the filter when the axis shrinks.</param>
/// <param name="Axes">The axes that the other inputs speak of; empty means all.</param>
/// <param name="Aspect">How sizes are read.</param>
public sealed record Resize(ResizeMode Mode = ResizeMode.Nearest, ResizeCoordinates Coordinates = ResizeCoordinates.HalfPixel, ResizeRounding Rounding = ResizeRounding.PreferFloor,
    float CubicA = -0.75f, bool ExcludeOutside = false, float Extrapolation = 0, bool Antialias = false, ValueList<long> Axes = default, ResizeAspect Aspect = ResizeAspect.Stretch) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = Mode == ResizeMode.Nearest ? context.DType(0) : context.Require(0, t => Numbers.IsNumber(t) || Numbers.IsComplex(t), "a numeric type (others are resized in mode nearest only)");
        if (context.Has(1)) context.Require(1, Numbers.IsReal, "float16, float32 or float64");
        if (context.Has(2)) context.Require(2, t => t == DType.Float32, "float32");
        if (context.Has(3)) context.Require(3, t => t == DType.Int64, "int64");
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, type, null);
            return;
        }
        var axes = context.Axes(AxesOf(s.Rank), s.Rank);
        var (scales, sizes) = (context.Has(2) && context.Length(2) != 0, context.Has(3) && context.Length(3) != 0);
        if (scales == sizes) throw context.Error("exactly one of scales (input 2) and sizes (input 3) must be given");
        if (context.Length(scales ? 2 : 3) is { } n && n != axes.Length) throw context.Error($"input {(scales ? 2 : 3)} has {n} elements for {axes.Length} axes");
        var result = s.Dims.ToArray();
        if (scales) Scaled(context, s, axes, result);
        else Sized(context, s, axes, result);
        context.Set(0, type, new(result));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var axes = AxesOf(context, input.Shape, context.OptionalInput(1), context.OptionalInput(2), context.OptionalInput(3));
        var shape = new Shape([.. axes.Select((a, i) => a is null ? input.Shape[i] : (long)a.Output)]);
        var output = context.Allocate(0, input.DType, shape, zeroed: true);
        if (output.Count == 0) return;
        if (Mode == ResizeMode.Nearest) Pick(input, output, axes);
        else if (Numbers.IsComplex(input.DType)) output.StoreComponents(Weighted(input.ToComponents(), new Shape([.. input.Shape, 2]), [.. axes, null]));
        else if (Numbers.IsReal(input.DType)) output.Store(Weighted(input.ToReals(), input.Shape, axes));
        else Saturate(output, Weighted(input.ToReals(), input.Shape, axes));
    }

    /// <summary>The axes that change, each as weighted sums; null for one that stays as it is.</summary>
    /// <param name="context">For errors.</param>
    /// <param name="input">The input's shape.</param>
    /// <param name="region">Input 1.</param>
    /// <param name="scales">Input 2.</param>
    /// <param name="sizes">Input 3.</param>
    public ResizeAxis?[] AxesOf(EvaluationContext context, Shape input, Tensor? region, Tensor? scales, Tensor? sizes)
    {
        var axes = context.Axes(AxesOf(input.Rank), input.Rank);
        var given = scales is { Count: > 0 } ? scales.ToReals() : null;
        var wanted = sizes is { Count: > 0 } ? sizes.ToInt64() : null;
        if (given is null == wanted is null) throw context.Error("exactly one of scales (input 2) and sizes (input 3) must be given");
        if ((given?.Length ?? wanted!.Length) != axes.Length) throw context.Error($"{given?.Length ?? wanted!.Length} scales or sizes are given for {axes.Length} axes");
        if (given?.Any(v => !(v > 0)) ?? wanted!.Any(v => v < 0)) throw context.Error("scales must be positive and sizes not negative");
        var roi = Coordinates == ResizeCoordinates.CropAndResize ? region?.ToReals() ?? throw context.Error("a region of interest (input 1) is required") : null;
        if (roi is not null && roi.Length != 2 * axes.Length) throw context.Error($"the region of interest has {roi.Length} elements for {axes.Length} axes");
        if (given is null)
        {
            if (axes.Any(a => input[a] == 0) && Enumerable.Range(0, axes.Length).Any(i => wanted![i] > 0 && input[axes[i]] == 0)) throw context.Error($"nothing of shape {input} can be resized");
            given = [.. axes.Select((a, i) => input[a] == 0 ? 1 : (double)wanted![i] / input[a])];
            if (Aspect != ResizeAspect.Stretch)
            {
                var common = Aspect == ResizeAspect.NotLarger ? given.Min() : given.Max();
                given = [.. given.Select(_ => common)];
                wanted = [.. axes.Select(a => (long)Math.Floor(common * input[a] + 0.5))];
            }
        }
        var result = new ResizeAxis?[input.Rank];
        for (var i = 0; i < axes.Length; i++)
        {
            var extent = input[axes[i]];
            var output = wanted?[i] ?? (long)Math.Floor(given[i] * extent);
            var (start, end) = roi is null ? (0, 1) : (roi[i], roi[i + axes.Length]);
            if (output != extent || given[i] != 1 || start != 0 || end != 1) result[axes[i]] = ResizeAxis.Of(this, (int)extent, checked((int)output), given[i], start, end);
        }
        return result;
    }

    private IEnumerable<long> AxesOf(int rank) => Axes.Count > 0 ? Axes : Queries.Each(rank, i => (long)i);

    private static void Scaled(InferenceContext context, SymbolicShape s, int[] axes, Dim[] result)
    {
        var scales = context.Constant(2)?.ToReals();
        for (var i = 0; i < axes.Length; i++)
        {
            var extent = s[axes[i]];
            if (scales is null) result[axes[i]] = context.Fresh();
            else if (!(scales[i] > 0)) throw context.Error($"scale {scales[i]} must be positive");
            else if (extent.Constant is { } n) result[axes[i]] = (long)Math.Floor(n * scales[i]);
            else if (scales[i] == Math.Floor(scales[i])) result[axes[i]] = extent * (long)scales[i];
            else if (1 / scales[i] == Math.Floor(1 / scales[i])) result[axes[i]] = Dim.FloorDiv(extent, (long)(1 / scales[i]));
            else result[axes[i]] = context.Fresh();
        }
    }

    private void Sized(InferenceContext context, SymbolicShape s, int[] axes, Dim[] result)
    {
        var sizes = context.Elements(3);
        var ratios = sizes is not null && axes.All(a => s[a].Constant > 0) && sizes.All(d => d.IsConstant) ? axes.Select((a, i) => (double)sizes[i].Constant!.Value / s[a].Constant!.Value).ToArray() : null;
        for (var i = 0; i < axes.Length; i++)
            if (Aspect == ResizeAspect.Stretch) result[axes[i]] = sizes?[i] ?? context.Fresh();
            else result[axes[i]] = ratios is null ? context.Fresh() : (long)Math.Floor((Aspect == ResizeAspect.NotLarger ? ratios.Min() : ratios.Max()) * s[axes[i]].Constant!.Value + 0.5);
    }

    private void Pick(Tensor input, Tensor output, ResizeAxis?[] axes)
    {
        if (Extrapolation != 0 && axes.Any(a => a?.Positions.Contains(-1) ?? false))
        {
            var values = new double[output.Count];
            Array.Fill(values, Extrapolation);
            if (Numbers.IsReal(output.DType)) output.Store(values);
            else Saturate(output, values);
        }
        var maps = axes.Select((a, i) => a is null ? Pad.Identity(input.Shape[i]) : Array.ConvertAll(a.Positions, p => (long)p)).ToArray();
        new ElementMover(input, output).CopyMapped(maps, 0, input.Shape.Strides(), 0, output.Shape.Strides());
    }

    private double[] Weighted(double[] x, Shape shape, ResizeAxis?[] axes)
    {
        for (var a = 0; a < axes.Length; a++)
        {
            if (axes[a] is not { } axis) continue;
            var (outer, n, inner) = (shape.Product(0, a), shape[a], (int)shape.Product(a + 1, shape.Rank));
            var y = new double[outer * axis.Output * inner];
            for (long o = 0; o < outer; o++)
                for (var i = 0; i < axis.Output; i++)
                {
                    var target = y.AsSpan((int)((o * axis.Output + i) * inner), inner);
                    if (axis.Positions[i * axis.Taps] < 0)
                    {
                        target.Fill(Extrapolation);
                        continue;
                    }
                    for (var t = 0; t < axis.Taps; t++)
                    {
                        var source = x.AsSpan((int)((o * n + axis.Positions[i * axis.Taps + t]) * inner), inner);
                        var w = axis.Weights[i * axis.Taps + t];
                        for (var j = 0; j < target.Length; j++) target[j] += w * source[j];
                    }
                }
            (x, shape) = (y, shape.With(a, axis.Output));
        }
        return x;
    }

    /// <summary>Truncates into an integer type, its bounds kept.</summary>
    private static void Saturate(Tensor output, double[] values)
    {
        var bits = output.DType.Bits();
        var signed = output.DType is DType.Int8 or DType.Int16 or DType.Int32 or DType.Int64;
        var (low, high) = signed ? (-Math.Pow(2, bits - 1), Math.Pow(2, bits - 1) - 1) : (0, Math.Pow(2, bits) - 1);
        output.Store(Array.ConvertAll(values, v => output.DType == DType.UInt64 ? unchecked((long)(ulong)Math.Clamp(v, low, high)) : (long)Math.Clamp(v, low, high)));
    }
}
