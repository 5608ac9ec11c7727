using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>The order in which <see cref="DepthToSpace"/> reads the channels.</summary>
public enum DepthOrder
{
    /// <summary>Block position first, then channel.</summary>
    DepthColumnRow,
    /// <summary>Channel first, then block position.</summary>
    ColumnRowDepth,
}

/// <summary>ONNX DepthToSpace: [N, C, H, W] to [N, C/(b*b), H*b, W*b].</summary>
/// <param name="BlockSize">The block's side b.</param>
/// <param name="Order">How the channels are laid out.</param>
public sealed record DepthToSpace(long BlockSize, DepthOrder Order = DepthOrder.DepthColumnRow) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (BlockSize < 1) throw context.Error($"blocksize {BlockSize} must be positive");
        context.RequireRank(0, 4);
        var s = context.Shape(0) ?? context.FreshShape(4);
        if (s[1].Constant % (BlockSize * BlockSize) is > 0) throw context.Error($"{s[1]} channels do not divide by {BlockSize * BlockSize}");
        context.AssumeEqual(Dim.FloorDiv(s[1], BlockSize * BlockSize) * (BlockSize * BlockSize), s[1], "the channels must divide");
        context.Set(0, context.DType(0), new(s[0], Dim.FloorDiv(s[1], BlockSize * BlockSize), s[2] * BlockSize, s[3] * BlockSize));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var (n, c, h, w, b) = (input.Shape[0], input.Shape[1] / (BlockSize * BlockSize), input.Shape[2], input.Shape[3], BlockSize);
        if (c * b * b != input.Shape[1]) throw context.Error($"{input.Shape[1]} channels do not divide by {b * b}");
        var output = context.Allocate(0, input.DType, new Shape(n, c, h * b, w * b), zeroed: input.DType.IsPacked());
        var (channel, row, column) = Order == DepthOrder.DepthColumnRow ? (h * w, b * c * h * w, c * h * w) : (b * b * h * w, b * h * w, h * w);
        new ElementMover(input, output).CopyBox([n, c, h, b, w, b], 0, [c * b * b * h * w, channel, w, row, 1, column], 0, new Shape(n, c, h, b, w, b).Strides());
    }
}

/// <summary>ONNX SpaceToDepth: [N, C, H, W] to [N, C*b*b, H/b, W/b].</summary>
/// <param name="BlockSize">The block's side b.</param>
public sealed record SpaceToDepth(long BlockSize) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (BlockSize < 1) throw context.Error($"blocksize {BlockSize} must be positive");
        context.RequireRank(0, 4);
        var s = context.Shape(0) ?? context.FreshShape(4);
        for (var i = 2; i < 4; i++)
        {
            if (s[i].Constant % BlockSize is > 0) throw context.Error($"axis {i} of shape {s} does not divide by {BlockSize}");
            context.AssumeEqual(Dim.FloorDiv(s[i], BlockSize) * BlockSize, s[i], $"axis {i} must divide");
        }
        context.Set(0, context.DType(0), new(s[0], s[1] * (BlockSize * BlockSize), Dim.FloorDiv(s[2], BlockSize), Dim.FloorDiv(s[3], BlockSize)));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var (n, c, b) = (input.Shape[0], input.Shape[1], BlockSize);
        var (h, w) = (input.Shape[2] / b, input.Shape[3] / b);
        if (h * b != input.Shape[2] || w * b != input.Shape[3]) throw context.Error($"shape {input.Shape} does not divide into blocks of {b}");
        var output = context.Allocate(0, input.DType, new Shape(n, c * b * b, h, w), zeroed: input.DType.IsPacked());
        new ElementMover(input, output).CopyBox([n, b, b, c, h, w], 0, [c * h * w * b * b, w * b, 1, h * w * b * b, w * b * b, b], 0, new Shape(n, b, b, c, h, w).Strides());
    }
}
