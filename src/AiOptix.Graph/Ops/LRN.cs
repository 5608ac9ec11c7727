using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX LRN: x / (Bias + Alpha / Size · sum)^Beta, the sum over the squares in <paramref name="Size"/> neighbouring channels.</summary>
/// <param name="Size">How many channels count, the element's own in the middle.</param>
/// <param name="Alpha">The factor.</param>
/// <param name="Beta">The exponent.</param>
/// <param name="Bias">The constant.</param>
public sealed record LRN(long Size, float Alpha = 0.0001f, float Beta = 0.75f, float Bias = 1) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        if (Size < 1) throw context.Error($"size {Size} must be positive");
        if (context.Shape(0) is { Rank: < 2 } s) throw context.Error($"input 0 has shape {s}; expected [N, C, …]");
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var s = input.Shape;
        var x = input.ToReals();
        var r = new double[x.Length];
        var (channels, plane) = (s[1], s.Product(2, s.Rank));
        for (long i = 0; i < x.Length; i++)
        {
            var c = i / plane % channels;
            double sum = 0;
            for (var k = Math.Max(0, c - (Size - 1) / 2); k <= Math.Min(channels - 1, c + Size / 2); k++)
            {
                var v = x[i + (k - c) * plane];
                sum += v * v;
            }
            r[i] = x[i] / Math.Pow(Bias + Alpha / Size * sum, Beta);
        }
        context.Allocate(0, input.DType, s).Store(r);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[0].Shape is not { Rank: >= 2 and <= 4 } s) return false;
        // The mean over a window of channels, which stand along the first axis of images of one channel each.
        var spatial = s.Rank - 1;
        var x = to.Add(new Unsqueeze(), to[0], to.Integers(1));
        long[] Along(long value, long others) => [value, .. Enumerable.Repeat(others, spatial - 1)];
        var mean = to.Add(new AveragePool(new(Along(Size, 1)), Pads: new([.. Along((Size - 1) / 2, 0), .. Along(Size / 2, 0)]), CountIncludePad: true), to.Add(new Mul(), x, x));
        var t = to.Add(new Add(), to.Add(new Mul(), to.Add(new Squeeze(), mean, to.Integers(1)), to.Scalar(Alpha)), to.Scalar(Bias));
        if (Beta == 0.75f)
        {
            var root = to.Add(new Sqrt(), t);
            return to.Set(0, to.Add(new Div(), to[0], to.Add(new Mul(), root, to.Add(new Sqrt(), root))));
        }
        return to.Set(0, to.Add(new Div(), to[0], to.Add(new Pow(), t, to.Scalar(Beta))));
    }
}
