using AiOptix.Tensors;

namespace AiOptix.Differential.Tests.Recipes;

/// <summary>Convolutions, pools and what else looks at neighbours.</summary>
internal static class Windows
{
    public static IEnumerable<Recipe> Recipes =>
    [
        new("Conv", d => Conv(d, (x, w, m) => { d.In(x).Weight(w); if (d.Draw.Chance(0.5)) d.Weight([m]); })),
        new("ConvInteger", d => Conv(d, (x, w, m) => { d.In(x).Weight(w); if (d.Draw.Chance(0.6)) d.Weight([]); if (d.Inputs.Count == 3 && d.Draw.Chance(0.6)) d.Weight(d.Draw.Of<long[]>([], [m])); })),
        new("QLinearConv", d => Conv(d, (x, w, m) =>
        {
            var perChannel = d.Draw.Chance(0.5);
            long[] shape = perChannel ? [m] : [];
            d.In(x).Weight([], Fill.Positive).Weight([], Fill.Few).Weight(w).Weight(shape, Fill.Positive).Weight(shape, Fill.Few).Weight([], Fill.AboveOne).Weight([], Fill.Few);
            if (d.Draw.Chance(0.5)) d.Weight([m]);
        })),
        new("ConvTranspose", ConvTranspose),
        new("MaxPool", d => Pool(d, dilations: d.Since >= 10, ceil: d.Since >= 10, after: () => { if (d.Since >= 8) { d.Maybe("storage_order", (long)d.Draw.Below(2)); if (d.Draw.Chance(0.4)) d.Out(2); } })),
        new("AveragePool", d => Pool(d, dilations: d.Since >= 19, ceil: d.Since >= 10, after: () => { if (d.Since >= 7) d.Maybe("count_include_pad", (long)d.Draw.Below(2)); })),
        new("LpPool", d => Pool(d, dilations: d.Since >= 18, ceil: d.Since >= 18, after: () => d.Maybe("p", d.Since == 1 ? 2f : (object)(long)d.Draw.Between(1, 3)))),
        .. Recipe.Each("GlobalAveragePool GlobalMaxPool", d => d.In(Images(d))),
        new("GlobalLpPool", d => d.In(Images(d)).Maybe("p", d.Since == 1 ? 2f : (object)(long)d.Draw.Between(1, 3))),
        new("MaxUnpool", MaxUnpool),
        new("LRN", d => d.In(Images(d)).Attr("size", d.Draw.Of(1L, 3, 5)).Maybe("alpha", 0.01f).Maybe("beta", 0.5f).Maybe("bias", 1.5f)),
        new("DeformConv", DeformConv),
        new("Col2Im", Col2Im),
        new("CausalConvWithState", d =>
        {
            var (b, c, l, k) = (d.Draw.Between(1, 2), d.Draw.Between(1, 4), d.Draw.Between(1, 5), d.Draw.Between(1, 4));
            d.In([b, c, l]).Weight([c, 1, k]);
            if (d.Draw.Chance(0.6)) d.Weight([c]); else d.Skip();
            if (d.Draw.Chance(0.5)) d.In([b, c, k - 1]);
            d.Maybe("activation", d.Draw.Of("none", "silu", "swish")).Out(2);
        }),
        new("MaxRoiPool", d => d.In([2, d.Draw.Between(1, 3), 6, 5]).Value(Rois(d, d.TypeOf(1), 5)).Attr("pooled_shape", new long[] { d.Draw.Between(1, 3), d.Draw.Between(1, 3) }).Maybe("spatial_scale", 0.5f)),
        new("RoiAlign", d =>
        {
            var n = d.Draw.Between(1, 3);
            d.In([2, d.Draw.Between(1, 3), 6, 5]).Value(Boxes(d, d.TypeOf(1), n)).Ints(Enumerable.Range(0, n).Select(_ => (long)d.Draw.Below(2)));
            d.Maybe("mode", d.Draw.Of("avg", "max")).Maybe("output_height", (long)d.Draw.Between(1, 3)).Maybe("output_width", (long)d.Draw.Between(1, 3)).Maybe("sampling_ratio", (long)d.Draw.Between(0, 3)).Maybe("spatial_scale", 0.5f);
            if (d.Since >= 16) d.Maybe("coordinate_transformation_mode", d.Draw.Of("half_pixel", "output_half_pixel"));
        }),
        new("GridSample", GridSample),
        new("AffineGrid", d => { var n = d.Draw.Between(2, 3); var b = d.Draw.Between(1, 2); d.In([b, n, n + 1]).Ints([b, 2, .. d.Draw.Shape(n, nonEmpty: true)]).Maybe("align_corners", (long)d.Draw.Below(2)); }),
        new("Resize", Resize), new("Upsample", Upsample),
        new("ImageDecoder", d => d.Value(Tensor.From<byte>(ImageFiles.Any(d.Draw), new Shape(ImageFiles.Any(new Draw(0)).Length)))),
    ];

    private static long[] Images(NodeDraft d) => d.Shape(3, 5, nonEmpty: true);

    /// <summary>Attributes of a window over n axes whose result is not empty; gives the input's extents.</summary>
    private static long[] Window(NodeDraft d, int n, out long[] kernel, bool dilations = true, bool kernelAttribute = true)
    {
        kernel = [.. Enumerable.Range(0, n).Select(_ => (long)d.Draw.Between(1, 3))];
        var dilation = Enumerable.Range(0, n).Select(_ => dilations && d.Draw.Chance(0.25) ? 2L : 1).ToArray();
        var auto = d.Draw.Chance(0.25) ? d.Draw.Of("SAME_UPPER", "SAME_LOWER", "VALID") : null;
        var span = kernel.Select((k, i) => (k - 1) * dilation[i] + 1).ToArray();
        var pads = new long[2 * n];
        if (auto is null && d.Draw.Chance(0.6))
            for (var i = 0; i < pads.Length; i++) pads[i] = d.Draw.Between(0, (int)kernel[i % n] - 1);
        if (kernelAttribute || d.Draw.Chance(0.5)) d.Attr("kernel_shape", kernel);
        d.Attr("auto_pad", auto);
        if (dilation.Any(x => x != 1)) d.Attr("dilations", dilation);
        if (d.Draw.Chance(0.6)) d.Attr("strides", Enumerable.Range(0, n).Select(_ => (long)d.Draw.Between(1, 3)).ToArray());
        if (auto is null && pads.Any(p => p != 0)) d.Attr("pads", pads);
        return [.. span.Select(s => s + d.Draw.Between(0, 4))];
    }

    private static void Conv(NodeDraft d, Action<long[], long[], long> operands)
    {
        var n = d.Draw.Of(1, 2, 2, 2, 3);
        var image = Window(d, n, out var kernel, kernelAttribute: false);
        var group = d.Draw.Of(1, 1, 1, 2, 3);
        var (c, m) = (group * d.Draw.Between(1, 3), group * d.Draw.Between(1, 3));
        if (group > 1 || d.Draw.Chance(0.2)) d.Attr("group", (long)group);
        operands([d.Draw.Between(1, 2), c, .. image], [m, c / group, .. kernel], m);
    }

    private static void ConvTranspose(NodeDraft d)
    {
        var n = d.Draw.Of(1, 2, 2, 3);
        var image = Window(d, n, out var kernel, kernelAttribute: false);
        var group = d.Draw.Of(1, 1, 2);
        var (c, m) = (group * d.Draw.Between(1, 3), d.Draw.Between(1, 3));
        if (group > 1) d.Attr("group", (long)group);
        var strides = d.Attributes.TryGetValue("strides", out var s) ? (long[])s : [.. kernel.Select(_ => 1L)];
        if (d.Draw.Chance(0.3) && !d.Attributes.ContainsKey("auto_pad")) d.Attr("output_padding", strides.Select(x => (long)d.Draw.Below((int)x)).ToArray());
        d.In([d.Draw.Between(1, 2), c, .. image]).Weight([c, m, .. kernel]);
        if (d.Draw.Chance(0.5)) d.Weight([m * group]);
    }

    private static void Pool(NodeDraft d, bool dilations, bool ceil, Action after)
    {
        var n = d.Draw.Of(1, 2, 2, 3);
        var image = Window(d, n, out _, dilations);
        if (ceil && !d.Attributes.ContainsKey("auto_pad")) d.Maybe("ceil_mode", (long)d.Draw.Below(2));
        d.In([d.Draw.Between(1, 2), d.Draw.Between(1, 3), .. image]);
        after();
    }

    private static void MaxUnpool(NodeDraft d)
    {
        var (c, h, w) = (d.Draw.Between(1, 2), d.Draw.Between(1, 3), d.Draw.Between(1, 3));
        var order = d.Draw.Permutation(c * h * 2 * w * 2).Take(c * h * w).Select(i => (long)i).ToArray();
        d.In([1, c, h, w]).Value(Tensor.From<long>(order, new Shape(1, c, h, w))).Attr("kernel_shape", new long[] { 2, 2 }).Attr("strides", new long[] { 2, 2 });
        if (d.Draw.Chance(0.3)) d.Ints([1, c, h * 2, w * 2]);
    }

    private static void DeformConv(NodeDraft d)
    {
        var (n, group, offsets) = (d.Draw.Between(1, 2), d.Draw.Between(1, 2), d.Draw.Between(1, 2));
        var (c, m) = (2 * group, group * d.Draw.Between(1, 2));
        var (kh, kw, h, w) = (d.Draw.Between(1, 3), d.Draw.Between(1, 3), d.Draw.Between(3, 5), d.Draw.Between(3, 5));
        var (oh, ow) = (h - kh + 1, w - kw + 1);
        d.In([n, c, h, w]).Weight([m, c / group, kh, kw]).In([n, offsets * kh * kw * 2, oh, ow], Fill.Unit);
        if (d.Draw.Chance(0.5)) d.Weight([m]); else d.Skip();
        if (d.Draw.Chance(0.5)) d.In([n, offsets * kh * kw, oh, ow], Fill.Unit);
        d.Attr("group", (long)group).Attr("offset_group", (long)offsets).Maybe("kernel_shape", new long[] { kh, kw });
    }

    private static void Col2Im(NodeDraft d)
    {
        var n = d.Draw.Between(1, 3);
        var block = d.TypeOf(0) == DType.String ? [.. Enumerable.Repeat(1L, n)] : d.Draw.Shape(n, nonEmpty: true);
        var image = block.Select(b => b + d.Draw.Between(0, 3)).ToArray();
        var places = image.Zip(block, (i, b) => i - b + 1).Aggregate(1L, (p, e) => p * e);
        d.In([d.Draw.Between(1, 2), d.Draw.Between(1, 2) * block.Aggregate(1L, (p, e) => p * e), places]).Ints(image).Ints(block);
    }

    private static Tensor Rois(NodeDraft d, DType type, int width)
    {
        var n = d.Draw.Between(1, 3);
        var values = Enumerable.Range(0, n).SelectMany(_ =>
        {
            var (x, y) = (d.Draw.Below(3), d.Draw.Below(3));
            return new double[] { d.Draw.Below(2), x, y, x + d.Draw.Between(1, 3), y + d.Draw.Between(1, 3) };
        }).ToArray();
        return Graphs.Evaluate.ElementTypes.From(values, type, new Shape(n, width));
    }

    private static Tensor Boxes(NodeDraft d, DType type, int n)
    {
        var values = Enumerable.Range(0, n).SelectMany(_ =>
        {
            var (x, y) = (d.Draw.Below(30) / 10.0, d.Draw.Below(30) / 10.0);
            return new[] { x, y, x + 0.5 + d.Draw.Below(30) / 10.0, y + 0.5 + d.Draw.Below(30) / 10.0 };
        }).ToArray();
        return Graphs.Evaluate.ElementTypes.From(values, type, new Shape(n, 4));
    }

    private static void GridSample(NodeDraft d)
    {
        var n = d.Since >= 20 ? d.Draw.Of(2, 2, 3) : 2;
        var b = d.Draw.Between(1, 2);
        string[] modes = d.Since >= 20 ? ["linear", "nearest", "cubic"] : ["bilinear", "nearest", "bicubic"];
        if (n == 3) modes = modes[..2];
        if (!d.TypeOf(0).IsFloat()) d.Attr("mode", "nearest");
        d.In([b, d.Draw.Between(1, 3), .. Enumerable.Range(0, n).Select(_ => (long)d.Draw.Between(2, 5))]).In([b, .. d.Draw.Shape(n, nonEmpty: true), n], Fill.Unit);
        if (d.TypeOf(0).IsFloat()) d.Maybe("mode", d.Draw.Of(modes));
        d.Maybe("padding_mode", d.Draw.Of("zeros", "border", "reflection")).Maybe("align_corners", (long)d.Draw.Below(2));
    }

    private static void Resize(NodeDraft d)
    {
        var s = Images(d) is { Length: <= 4 } image ? image : d.Draw.Shape(4, nonEmpty: true);
        var mode = d.Draw.Of(d.Since >= 11 && s.Length == 4 ? (string[])["nearest", "linear", "cubic"] : ["nearest", "linear"]);
        if ((mode == "linear" && d.Since < 11 && s.Length != 4) || d.TypeOf(0) is DType.String or DType.Bool or DType.Complex64 or DType.Complex128) mode = "nearest";
        var scales = s.Select((_, i) => i < 2 ? 1f : d.Draw.Of(0.5f, 1f, 1.5f, 2f, 3f)).ToArray();
        if (s.Skip(2).Select((e, i) => Math.Floor(e * (double)scales[i + 2])).Any(e => e < 1)) scales = [.. scales.Select(x => Math.Max(1, x))];
        d.In(s);
        if (d.Since == 10)
        {
            d.Value(Tensor.From<float>(scales, new Shape(scales.Length)), true).Attr("mode", mode);
            return;
        }
        d.Attr("mode", mode).Maybe("coordinate_transformation_mode", d.Draw.Of("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"));
        if (mode == "nearest") d.Maybe("nearest_mode", d.Draw.Of("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"));
        if (mode == "cubic") d.Maybe("cubic_coeff_a", -0.5f).Maybe("exclude_outside", (long)d.Draw.Below(2));
        var sizes = d.Draw.Chance(0.4);
        if (d.Since >= 13) d.Skip(); else d.Value(Tensor.Allocate(d.TypeOf(1), new Shape(0)), true);
        if (sizes)
        {
            if (d.Since >= 13) d.Skip(); else d.Value(Tensor.From<float>([], new Shape(0)), true);
            d.Ints(s.Select((e, i) => i < 2 ? e : d.Draw.Between(1, 7)));
        }
        else d.Value(Tensor.From<float>(scales, new Shape(scales.Length)), true);
        if (d.Since >= 18 && mode != "nearest" && d.Draw.Chance(0.3)) d.Attr("antialias", 1L);
    }

    private static void Upsample(NodeDraft d)
    {
        var s = d.Draw.Shape(4, nonEmpty: true);
        float[] scales = [1, 1, d.Draw.Of(1f, 2f, 2.5f), d.Draw.Of(1f, 2f, 3f)];
        d.In(s, type: DType.Float32).Maybe("mode", d.Draw.Of(d.Since == 1 ? (string[])["nearest", "bilinear"] : ["nearest", "linear"]));
        if (d.Since == 1) d.Attr("height_scale", scales[2]).Attr("width_scale", scales[3]);
        else if (d.Since < 9) d.Attr("scales", scales);
        else d.Value(Tensor.From<float>(scales, new Shape(4)), d.Draw.Chance(0.7));
    }
}
