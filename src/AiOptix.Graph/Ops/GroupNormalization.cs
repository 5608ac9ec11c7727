using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What InstanceNormalization and GroupNormalization share: inputs X [N, C, …], scale and bias [C]; groups of channels are brought to mean 0 and variance 1.</summary>
/// <param name="Epsilon">Added to the variance.</param>
public abstract record ChannelNormalization(float Epsilon) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        context.RequireSame(0, 1);
        context.RequireSame(0, 2);
        Normalizing.RequireChannels(context, 1, 2);
        if (context.Shape(0) is { } s && s[1].Constant is { } c && Groups(c) is var groups && (groups < 1 || c % groups != 0))
            throw context.Error($"{c} channels do not divide into {groups} groups");
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var s = input.Shape;
        var (x, scale, bias) = (input.ToReals(), context.Input(1).ToReals(), context.Input(2).ToReals());
        var channels = (int)s[1];
        if (scale.Length != channels || bias.Length != channels) throw context.Error($"scale and bias must have {channels} elements each");
        var plane = (int)s.Product(2, s.Rank);
        var groups = (int)Groups(channels);
        if (channels % groups != 0) throw context.Error($"{channels} channels do not divide into {groups} groups");
        var size = channels / groups * plane;
        for (var g = 0; g < s[0] * groups; g++)
        {
            var group = x.AsSpan(g * size, size);
            var (mean, variance) = Normalizing.Statistics(group);
            var inverse = 1 / Math.Sqrt(variance + Epsilon);
            for (var i = 0; i < group.Length; i++)
            {
                var c = g % groups * (channels / groups) + i / plane;
                group[i] = (group[i] - mean) * inverse * scale[c] + bias[c];
            }
        }
        context.Allocate(0, input.DType, s).Store(x);
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape is { } s ? s.Count * 8 : null;

    /// <summary>How many groups there are.</summary>
    private protected abstract long Groups(long channels);
}

/// <summary>ONNX GroupNormalization, with scale and bias a channel (opset 21).</summary>
/// <param name="NumGroups">How many groups the channels fall into.</param>
/// <param name="Epsilon">Added to the variance.</param>
/// <param name="StashType">The type of the statistics.</param>
public sealed record GroupNormalization(long NumGroups, float Epsilon = 1e-5f, DType StashType = DType.Float32) : ChannelNormalization(Epsilon)
{
    private protected override long Groups(long channels) => NumGroups;
}

/// <summary>ONNX InstanceNormalization: every channel is a group of its own.</summary>
/// <param name="Epsilon">Added to the variance.</param>
public sealed record InstanceNormalization(float Epsilon = 1e-5f) : ChannelNormalization(Epsilon)
{
    private protected override long Groups(long channels) => channels;
}
