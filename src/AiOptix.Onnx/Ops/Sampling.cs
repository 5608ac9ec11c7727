using AiOptix.Codecs;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Onnx;

/// <summary>Operators of vision that read planes at positions, pool regions, or put pieces together.</summary>
internal static class Sampling
{
    private static readonly string[] modes = ["linear", "nearest", "cubic"];

    private static readonly string[] formerModes = ["bilinear", "nearest", "bicubic"];

    private static readonly string[] paddings = ["zeros", "border", "reflection"];

    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<GridSample>("GridSample", ReadGridSample,
            (w, op) => w.Emit("GridSample", ("mode", (w.Opset >= 20 ? modes : formerModes)[(int)op.Mode]), ("padding_mode", paddings[(int)op.Padding]), ("align_corners", op.AlignCorners)), 20),
        OnnxOperator.Of<ImageDecoder>("ImageDecoder", r => r.Emit(new ImageDecoder(r.String("pixel_format", "RGB") switch
            {
                "RGB" => ImageChannels.Rgb,
                "BGR" => ImageChannels.Bgr,
                "Grayscale" => ImageChannels.Grey,
                var f => throw r.Error($"pixel_format '{f}' must be 'RGB', 'BGR' or 'Grayscale'"),
            }), r.Required(0)),
            (w, op) => w.Emit("ImageDecoder", ("pixel_format", op.Channels switch { ImageChannels.Rgb => null, ImageChannels.Bgr => "BGR", _ => "Grayscale" })), 20),
        OnnxOperator.Of<AffineGrid>("AffineGrid", r => r.Emit(new AffineGrid(r.Bool("align_corners", false)), r.Required(0), r.Required(1)), (w, op) => w.Emit("AffineGrid", ("align_corners", op.AlignCorners)), 20),
        OnnxOperator.Of<RoiAlign>("RoiAlign", ReadRoiAlign,
            (w, op) => w.Emit("RoiAlign", ("output_height", op.Height), ("output_width", op.Width), ("spatial_scale", op.Scale), ("sampling_ratio", op.Samples), ("mode", op.Max ? "max" : "avg"),
                ("coordinate_transformation_mode", op.HalfPixel ? "half_pixel" : "output_half_pixel")), 16),
        OnnxOperator.Of<MaxRoiPool>("MaxRoiPool", r => r.Emit(r.Ints("pooled_shape") is [var h, var w] ? new MaxRoiPool(h, w, r.Float("spatial_scale", 1)) : throw r.Error("pooled_shape must be height and width"), r.Required(0), r.Required(1)),
            (w, op) => w.Emit("MaxRoiPool", ("pooled_shape", new[] { op.Height, op.Width }), ("spatial_scale", op.Scale)), 1),
        OnnxOperator.Of<NonMaxSuppression>("NonMaxSuppression", r => r.Emit(new NonMaxSuppression(r.Bool("center_point_box", false)), r.InputsFrom(0)),
            (w, op) => w.Emit("NonMaxSuppression", ("center_point_box", op.CenterPoint)), 10),
        OnnxOperator.Of<MaxUnpool>("MaxUnpool", r => r.Emit(new MaxUnpool(r.Ints("kernel_shape"), Convolutions.List(r, "strides"), Convolutions.List(r, "pads")), r.InputsFrom(0)),
            (w, op) => w.Emit("MaxUnpool", ("kernel_shape", op.Kernel), ("strides", Convolutions.Optional(op.Strides)), ("pads", Convolutions.Optional(op.Pads))), 11),
        OnnxOperator.Of<DeformConv>("DeformConv", r => r.Emit(new DeformConv(Convolutions.Convolution(r), r.Int("offset_group", 1)), r.InputsFrom(0)),
            (w, op) => w.Emit("DeformConv", [.. Convolutions.Attributes(op.Convolution), ("offset_group", op.OffsetGroup)]), 19),
        OnnxOperator.Of<Col2Im>("Col2Im", r => r.Emit(new Col2Im(Convolutions.List(r, "strides"), Convolutions.List(r, "pads"), Convolutions.List(r, "dilations")), r.Required(0), r.Required(1), r.Required(2)),
            (w, op) => w.Emit("Col2Im", ("strides", Convolutions.Optional(op.Strides)), ("pads", Convolutions.Optional(op.Pads)), ("dilations", Convolutions.Optional(op.Dilations))), 18),
        OnnxOperator.Of<CenterCropPad>("CenterCropPad", r => r.Emit(new CenterCropPad(r.OptionalInts("axes") is { } a ? new(a) : null), r.Required(0), r.Required(1)), (w, op) => w.Emit("CenterCropPad", ("axes", op.Axes)), 18),
    ];

    public static void ReadGridSample(NodeReader r)
    {
        var mode = r.String("mode", r.Opset >= 20 ? "linear" : "bilinear");
        var index = Math.Max(Array.IndexOf(modes, mode), Array.IndexOf(formerModes, mode));
        var padding = Array.IndexOf(paddings, r.String("padding_mode", "zeros"));
        if (index < 0 || padding < 0) throw r.Error($"mode '{mode}' must be one of {string.Join(", ", modes)} and padding_mode one of {string.Join(", ", paddings)}");
        r.Emit(new GridSample((GridMode)index, (GridPadding)padding, r.Bool("align_corners", false)), r.Required(0), r.Required(1));
    }

    /// <summary>Below opset 16 coordinates are not of pixel centres.</summary>
    private static void ReadRoiAlign(NodeReader r)
    {
        var mode = r.String("mode", "avg");
        var coordinates = r.String("coordinate_transformation_mode", r.Opset >= 16 ? "half_pixel" : "output_half_pixel");
        if (mode is not ("avg" or "max") || coordinates is not ("half_pixel" or "output_half_pixel"))
            throw r.Error($"mode '{mode}' must be 'avg' or 'max', coordinate_transformation_mode '{coordinates}' 'half_pixel' or 'output_half_pixel'");
        r.Emit(new RoiAlign(r.Int("output_height", 1), r.Int("output_width", 1), r.Float("spatial_scale", 1), r.Int("sampling_ratio", 0), mode == "max", coordinates == "half_pixel"),
            r.Required(0), r.Required(1), r.Required(2));
    }
}
