using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What Softmax, LogSoftmax, Hardmax and LpNormalization share: a function of the elements along one axis, shape and type kept.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
public abstract record LineFunction(long Axis) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        if (context.Shape(0) is { } s) context.Axis(Axis, s.Rank);
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var axis = context.Axis(Axis, input.Shape.Rank);
        var output = context.Allocate(0, input.DType, input.Shape);
        var values = input.ToReals();
        var n = input.Shape[axis];
        var inner = input.Shape.Product(axis + 1, input.Shape.Rank);
        var line = new double[n];
        for (long l = 0; l < values.Length / Math.Max(1, n); l++)
        {
            var start = l / inner * n * inner + l % inner;
            for (long i = 0; i < n; i++) line[i] = values[start + i * inner];
            Apply(line);
            for (long i = 0; i < n; i++) values[start + i * inner] = line[i];
        }
        output.Store(values);
    }

    /// <summary>Replaces the elements of a line.</summary>
    private protected abstract void Apply(Span<double> line);

    /// <summary>The largest element; NaN if there is one.</summary>
    private protected static double Largest(ReadOnlySpan<double> line)
    {
        var best = double.NegativeInfinity;
        foreach (var v in line) best = Math.Max(best, v);
        return best;
    }
}

/// <summary>ONNX Softmax.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
public sealed record Softmax(long Axis = -1) : LineFunction(Axis)
{
    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape is { } s ? s.Count * 5 : null;

    private protected override void Apply(Span<double> line)
    {
        var largest = Largest(line);
        double sum = 0;
        foreach (ref var v in line) sum += v = Math.Exp(v - largest);
        foreach (ref var v in line) v /= sum;
    }
}

/// <summary>ONNX LogSoftmax.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
public sealed record LogSoftmax(long Axis = -1) : LineFunction(Axis)
{
    private protected override void Apply(Span<double> line)
    {
        var largest = Largest(line);
        double sum = 0;
        foreach (var v in line) sum += Math.Exp(v - largest);
        foreach (ref var v in line) v = v - largest - Math.Log(sum);
    }
}

/// <summary>ONNX Hardmax: 1 at the first largest element, 0 elsewhere.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
public sealed record Hardmax(long Axis = -1) : LineFunction(Axis)
{
    private protected override void Apply(Span<double> line)
    {
        var best = 0;
        for (var i = 1; i < line.Length; i++)
            if (line[i] > line[best]) best = i;
        line.Clear();
        line[best] = 1;
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[0].Shape is not { Rank: > 0 } s) return false;
        var axis = Axis < 0 ? Axis + s.Rank : Axis;
        // A NaN that comes first wins, any other loses: what matters is whether a later element is larger.
        var first = to.Add(new Gather(axis), to[0], to.Integers(0));
        var largest = to.Add(new ArgMax(axis, KeepDims: false), to.Add(new Where(), to.Add(new IsNaN(), to[0]), to.Scalar(double.NegativeInfinity), to[0]));
        var place = to.Add(new Where(), to.Add(new Squeeze(), to.Add(new IsNaN(), first), to.Integers(axis)), to.Constant(Tensor.Scalar(0L)), largest);
        var depth = to.Add(new Gather(), to.Add(new ShapeOf(), to[0]), to.Constant(Tensor.Scalar(axis)));
        return to.Set(0, to.Add(new OneHot(axis), place, depth, to.Constant(Tensor.Vector(0f, 1f))));
    }
}

/// <summary>ONNX LpNormalization: the line divided by its p-norm; a line of zeros stays.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="P">The norm's exponent, 1 or 2.</param>
public sealed record LpNormalization(long Axis = -1, long P = 2) : LineFunction(Axis)
{
    private protected override void Apply(Span<double> line)
    {
        double sum = 0;
        foreach (var v in line) sum += P == 1 ? Math.Abs(v) : v * v;
        var norm = P == 1 ? sum : Math.Sqrt(sum);
        foreach (ref var v in line) v = norm == 0 ? 0 : v / norm;
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[0].Shape is not { Rank: > 0 }) return false;
        var norm = to.Add(P == 1 ? new ReduceL1() : new ReduceL2(), to[0], to.Integers(Axis));
        return to.Set(0, PowerNorm.Over(to, to[0], norm));
    }
}
