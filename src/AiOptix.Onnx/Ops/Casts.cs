using AiOptix.Graphs.Evaluate;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Conversion between element types.</summary>
internal static class Casts
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<Cast>("Cast", r => r.Emit(new Cast(Target(r), r.Bool("saturate", true), Rounding(r)), r.Required(0)),
            (w, op) => w.Emit("Cast", ("to", op.To), ("saturate", op.Saturate ? null : 0L), ("round_mode", Text(op.Rounding))),
            op => MinOpset(op.To, op.Saturate, op.Rounding)),
        OnnxOperator.Of<BitCast>("BitCast", r => r.Emit(new BitCast(r.Type("to") ?? throw r.Error("attribute 'to' is required")), r.Required(0)), (w, op) => w.Emit("BitCast", ("to", op.To)), 26),
        OnnxOperator.Of<CastLike>("CastLike", r => r.Emit(new CastLike(r.Bool("saturate", true), Rounding(r)), r.Required(0), r.Required(1)), WriteCastLike,
            op => MinOpset(DType.Float32, op.Saturate, op.Rounding)),
    ];

    private static void WriteCastLike(NodeWriter w, CastLike op)
    {
        (string, object?)[] options = [("saturate", op.Saturate ? null : 0L), ("round_mode", Text(op.Rounding))];
        if (w.Opset >= 15) w.Emit("CastLike", options);
        else w.Emit("Cast", [w.Inputs[0]], w.Outputs, [("to", w.Node.Output.DType), .. options]);
    }

    private static long MinOpset(DType to, bool saturate, PowerRounding rounding)
    {
        if (rounding != PowerRounding.Up) return 24;
        var byType = to switch
        {
            DType.Int2 or DType.UInt2 => 25,
            DType.Float8E8M0 => 24,
            DType.Float4E2M1 => 23,
            DType.Int4 or DType.UInt4 => 21,
            _ when to.IsNarrowFloat() => 19,
            DType.BFloat16 => 13,
            DType.String => 9,
            _ => 6,
        };
        return saturate ? byType : Math.Max(19, byType);
    }

    /// <summary>Below opset 6 the type is given by its name.</summary>
    private static DType Target(NodeReader r)
    {
        if (r.Opset >= 6)
        {
            var code = r.Int("to", 0);
            return code is > 0 and <= (long)DType.Int2 ? (DType)code : throw r.Error($"attribute 'to' has the value {code}, which is no element type");
        }
        return r.String("to", "") switch
        {
            "FLOAT" => DType.Float32,
            "DOUBLE" => DType.Float64,
            var name when name.Length > 0 && !char.IsAsciiDigit(name[0]) && Enum.TryParse<DType>(name, ignoreCase: true, out var type) && type != DType.Undefined => type,
            var name => throw r.Error($"attribute 'to' has the value '{name}', which is no element type"),
        };
    }

    private static PowerRounding Rounding(NodeReader r) => r.String("round_mode", "up") switch
    {
        "up" => PowerRounding.Up,
        "down" => PowerRounding.Down,
        "nearest" => PowerRounding.Nearest,
        var m => throw r.Error($"round_mode '{m}' must be 'up', 'down' or 'nearest'"),
    };

    private static string? Text(PowerRounding rounding) => rounding switch { PowerRounding.Down => "down", PowerRounding.Nearest => "nearest", _ => null };
}
