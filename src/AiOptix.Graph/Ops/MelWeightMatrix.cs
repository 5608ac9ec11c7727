using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX MelWeightMatrix: [length / 2 + 1, bands], triangles of height 1 that lie evenly on the mel scale. Inputs: bands, transform length, sample rate, lowest and highest frequency.
/// </summary>
/// <param name="To">The type of the result.</param>
public sealed record MelWeightMatrix(DType To = DType.Float32) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        for (var i = 0; i < 3; i++) context.RequireIndices(i);
        for (var i = 3; i < 5; i++) context.Require(i, Numbers.IsReal, "a floating-point type");
        if (!Numbers.IsNumber(To)) throw context.Error($"{To.Name()} is no numeric type");
        context.Set(0, To, new(context.Elements(1) is [var length] ? Dim.FloorDiv(length, 2) + 1 : context.Fresh(), context.Elements(0) is [var bands] ? bands : context.Fresh()));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (bands, length, rate) = (context.Integer(0), context.Integer(1), context.Integer(2));
        var (low, high) = (Mel(context.Input(3).ToReals()[0]), Mel(context.Input(4).ToReals()[0]));
        if (bands < 0 || length < 0 || rate < 1) throw context.Error($"{bands} bands, length {length} and rate {rate} are not possible");
        var output = context.Allocate(0, To, new Shape(length / 2 + 1, bands));
        var edges = new long[bands + 2];
        for (var i = 0; i < edges.Length; i++)
            edges[i] = (long)Math.Floor((length + 1) * (700 * (Math.Pow(10, (low + i * (high - low) / (bands + 2)) / 2595) - 1)) / rate);
        var values = new double[output.Count];
        for (var band = 0; band < bands; band++)
        {
            var (left, centre, right) = (edges[band], edges[band + 1], edges[band + 2]);
            for (var bin = left; bin <= right; bin++)
            {
                var height = bin < centre ? (double)(bin - left) / (centre - left) : bin == centre ? 1 : (double)(right - bin) / (right - centre);
                if (bin >= 0 && bin <= length / 2 && (bin < right || bin == centre)) values[bin * bands + band] = height;
            }
        }
        ElementTypes.Write(output, 0, values);
    }

    private static double Mel(double hertz) => 2595 * Math.Log10(1 + hertz / 700);
}
