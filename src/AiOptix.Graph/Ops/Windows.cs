using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What the windows of signal processing share: a vector as long as input 0 says, a sum of cosines.</summary>
/// <param name="To">The type of the result.</param>
/// <param name="Periodic">One period without its end, rather than symmetric.</param>
public abstract record CosineWindow(DType To, bool Periodic) : Operator
{
    /// <summary>The factors of 1, -cos(x), cos(2x).</summary>
    private protected abstract (double, double, double) Factors { get; }

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.RequireIndices(0);
        if (!Numbers.IsNumber(To)) throw context.Error($"{To.Name()} is no numeric type");
        var size = context.Elements(0) is [var n] ? n : context.Fresh();
        if (size.Constant < 0) throw context.Error($"the size {size} is negative");
        context.Set(0, To, new SymbolicShape(size));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var n = context.Integer(0);
        var output = context.Allocate(0, To, context.Shape([n]));
        var values = new double[n];
        var period = Periodic ? n : Math.Max(1, n - 1);
        var (a, b, c) = Factors;
        for (var i = 0; i < n; i++)
        {
            var x = 2 * Math.PI * i / period;
            var value = a - b * Math.Cos(x) + c * Math.Cos(2 * x);
            // The function body casts float32 to an integer type: the peak is 1 there, and may be less in float64.
            values[i] = Numbers.IsWhole(To) ? (float)value : value;
        }
        ElementTypes.Write(output, 0, values);
    }
}

/// <summary>ONNX HannWindow.</summary>
/// <param name="To">The type of the result.</param>
/// <param name="Periodic">One period without its end, rather than symmetric.</param>
public sealed record HannWindow(DType To = DType.Float32, bool Periodic = true) : CosineWindow(To, Periodic)
{
    private protected override (double, double, double) Factors => (0.5, 0.5, 0);
}

/// <summary>ONNX HammingWindow, whose factors are 25/46 and 21/46.</summary>
/// <param name="To">The type of the result.</param>
/// <param name="Periodic">One period without its end, rather than symmetric.</param>
public sealed record HammingWindow(DType To = DType.Float32, bool Periodic = true) : CosineWindow(To, Periodic)
{
    private protected override (double, double, double) Factors => (25.0 / 46, 21.0 / 46, 0);
}

/// <summary>ONNX BlackmanWindow.</summary>
/// <param name="To">The type of the result.</param>
/// <param name="Periodic">One period without its end, rather than symmetric.</param>
public sealed record BlackmanWindow(DType To = DType.Float32, bool Periodic = true) : CosineWindow(To, Periodic)
{
    private protected override (double, double, double) Factors => (0.42, 0.5, 0.08);
}
