using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Resize and its predecessor Upsample.</summary>
internal static class Resizing
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<Resize>("Resize", ReadResize, Write, MinOpset),
        OnnxOperator.ReadOnly("Upsample", ReadUpsample),
    ];

    private static readonly (string Name, ResizeMode Mode)[] modes = [("nearest", ResizeMode.Nearest), ("linear", ResizeMode.Linear), ("bilinear", ResizeMode.Linear), ("cubic", ResizeMode.Cubic)];

    private static readonly (string Name, ResizeCoordinates Coordinates)[] coordinates =
    [
        ("half_pixel", ResizeCoordinates.HalfPixel), ("half_pixel_symmetric", ResizeCoordinates.HalfPixelSymmetric), ("pytorch_half_pixel", ResizeCoordinates.PytorchHalfPixel),
        ("align_corners", ResizeCoordinates.AlignCorners), ("asymmetric", ResizeCoordinates.Asymmetric), ("tf_crop_and_resize", ResizeCoordinates.CropAndResize),
    ];

    private static readonly (string Name, ResizeRounding Rounding)[] roundings =
    [
        ("round_prefer_floor", ResizeRounding.PreferFloor), ("round_prefer_ceil", ResizeRounding.PreferCeil), ("floor", ResizeRounding.Floor), ("ceil", ResizeRounding.Ceil),
    ];

    private static readonly (string Name, ResizeAspect Aspect)[] aspects = [("stretch", ResizeAspect.Stretch), ("not_larger", ResizeAspect.NotLarger), ("not_smaller", ResizeAspect.NotSmaller)];

    private static void ReadResize(NodeReader r)
    {
        var mode = Named(r, "mode", modes);
        if (r.Opset < 11)
        {
            r.Emit(Former(mode), r.Required(0), null, r.Required(1), null);
            return;
        }
        var op = new Resize(mode, Named(r, "coordinate_transformation_mode", coordinates), Rounding(mode, Named(r, "nearest_mode", roundings)), r.Float("cubic_coeff_a", -0.75f),
            r.Bool("exclude_outside", false), r.Float("extrapolation_value", 0), r.Bool("antialias", false), [.. r.OptionalInts("axes") ?? []],
            Named(r, "keep_aspect_ratio_policy", aspects));
        var region = op.Coordinates == ResizeCoordinates.CropAndResize ? Present(r.Input(1)) : null;
        r.Emit(op, r.Required(0), region, Present(r.Input(2)), Present(r.Input(3)));
    }

    /// <summary>The scales are named attributes in opset 1, a list in 7, an input from 9 on.</summary>
    private static void ReadUpsample(NodeReader r)
    {
        var op = Former(Named(r, "mode", modes));
        if (r.Opset >= 9) r.Emit(op, r.Required(0), null, r.Required(1), null);
        else if (r.Opset >= 7) r.Emit(op, r.Required(0), null, r.Constant(Tensor.Vector<float>(r.OptionalFloats("scales") ?? throw r.Error("attribute 'scales' is required"))), null);
        else r.Emit(op, r.Required(0), null, r.Constant(Tensor.Vector(1, 1, r.Float("height_scale", 1), r.Float("width_scale", 1))), null);
    }

    /// <summary>What every resize was before the coordinates could be chosen.</summary>
    private static Resize Former(ResizeMode mode) => new(mode, ResizeCoordinates.Asymmetric, Rounding(mode, ResizeRounding.Floor));

    /// <summary>Only the nearest mode rounds; the others have the default, so that equal operators compare equal.</summary>
    private static ResizeRounding Rounding(ResizeMode mode, ResizeRounding rounding) => mode == ResizeMode.Nearest ? rounding : ResizeRounding.PreferFloor;

    /// <summary>An empty constant stands for an input that is left out.</summary>
    private static Value? Present(Value? v) => v?.Shape is { Rank: 1 } s && s[0].Constant == 0 ? null : v;

    private static T Named<T>(NodeReader r, string attribute, (string Name, T Value)[] names)
    {
        var text = r.String(attribute, names[0].Name);
        foreach (var (name, value) in names)
            if (name == text) return value;
        throw r.Error($"{attribute} '{text}' must be one of {string.Join(", ", names.Select(n => n.Name))}");
    }

    private static void Write(NodeWriter w, Resize op) => w.Emit("Resize",
        ("mode", modes.First(m => m.Mode == op.Mode).Name),
        ("coordinate_transformation_mode", coordinates.First(c => c.Coordinates == op.Coordinates).Name),
        ("nearest_mode", op.Mode == ResizeMode.Nearest ? roundings.First(c => c.Rounding == op.Rounding).Name : null),
        ("cubic_coeff_a", op.Mode == ResizeMode.Cubic ? op.CubicA : null),
        ("exclude_outside", op.ExcludeOutside ? true : null),
        ("extrapolation_value", op.Extrapolation != 0 ? op.Extrapolation : null),
        ("antialias", op.Antialias ? true : null),
        ("axes", op.Axes.Count > 0 ? op.Axes : null),
        ("keep_aspect_ratio_policy", op.Aspect != ResizeAspect.Stretch ? aspects.First(a => a.Aspect == op.Aspect).Name : null));

    private static long MinOpset(Resize op) =>
        op.Coordinates == ResizeCoordinates.HalfPixelSymmetric ? 19 : op.Antialias || op.Axes.Count > 0 || op.Aspect != ResizeAspect.Stretch ? 18 : 13;
}
