using AiOptix.Codecs;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX ImageDecoder: the bytes of an image file as uint8 [height, width, channels] (<see cref="ImageFile"/>).</summary>
/// <param name="Channels">Which channels to give.</param>
public sealed record ImageDecoder(ImageChannels Channels = ImageChannels.Rgb) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => t == DType.UInt8, "uint8");
        context.RequireRank(0, 1);
        context.Set(0, DType.UInt8, new SymbolicShape(context.Fresh(), context.Fresh(), Channels == ImageChannels.Grey ? 1 : 3));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        try
        {
            context.Set(0, ImageFile.Decode(context.Input(0).Bytes, Channels, context.Limits));
        }
        catch (InvalidInputException problem)
        {
            throw context.Error(problem.Message);
        }
    }
}
