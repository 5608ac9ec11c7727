using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// What steps of training share: inputs R (learning rate), T (count of updates), then all tensors, all their gradients, and all of each kind of state; outputs the new tensors, then
/// their new states.
/// </summary>
public abstract record OptimizerStep : Operator
{
    /// <summary>Kinds of state a tensor has.</summary>
    private protected abstract int States { get; }

    /// <summary>One element's step: the element and its states are replaced.</summary>
    private protected abstract void Step(double rate, long count, double gradient, ref double x, Span<double> states);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, IsFloat, "float32 or float64");
        context.Require(1, t => t == DType.Int64, "int64");
        var n = Tensors(context.InputCount, context.Error);
        for (var i = 0; i < n; i++)
        {
            context.Require(2 + i, IsFloat, "float32 or float64");
            for (var k = 1; k < States + 2; k++) context.RequireSame(2 + i, 2 + k * n + i);
            for (var k = 0; k <= States; k++) context.Set(k * n + i, context.Tensor(2 + i));
        }
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var n = Tensors(context.InputCount, context.Error);
        var (rate, count) = (context.Input(0).ToReals()[0], context.Integer(1));
        var states = new double[States];
        for (var i = 0; i < n; i++)
        {
            var x = context.Input(2 + i);
            var lists = Enumerable.Range(0, States + 2).Select(k => context.Input(2 + k * n + i).ToReals()).ToArray();
            if (lists.Any(l => l.Length != x.Count)) throw context.Error($"tensor {i}, its gradient and its states must have one shape");
            for (var e = 0; e < x.Count; e++)
            {
                for (var s = 0; s < States; s++) states[s] = lists[s + 2][e];
                Step(rate, count, lists[1][e], ref lists[0][e], states);
                for (var s = 0; s < States; s++) lists[s + 2][e] = states[s];
            }
            context.Allocate(i, x.DType, x.Shape).Store(lists[0]);
            for (var s = 0; s < States; s++) context.Allocate((s + 1) * n + i, x.DType, x.Shape).Store(lists[s + 2]);
        }
    }

    private static bool IsFloat(DType type) => type is DType.Float32 or DType.Float64;

    private int Tensors(int inputs, Func<string, AiOptixException> error) =>
        inputs > 2 && (inputs - 2) % (States + 2) == 0 ? (inputs - 2) / (States + 2) : throw error($"{inputs} inputs do not divide into tensors, gradients and {States} states each");
}

/// <summary>A step of Adagrad (ai.onnx.preview.training).</summary>
/// <param name="Decay">The rate falls by 1 + T · Decay.</param>
/// <param name="Epsilon">Is added to the divisor.</param>
/// <param name="Norm">How much of a tensor is added to its gradient.</param>
public sealed record Adagrad(float Decay = 0, float Epsilon = 0, float Norm = 0) : OptimizerStep
{
    private protected override int States => 1;

    private protected override void Step(double rate, long count, double gradient, ref double x, Span<double> states)
    {
        var g = Norm * x + gradient;
        states[0] += g * g;
        x -= rate / (1 + count * (double)Decay) * g / (Math.Sqrt(states[0]) + Epsilon);
    }
}

/// <summary>A step of Adam (ai.onnx.preview.training).</summary>
/// <param name="Alpha">How much of the mean gradient stays.</param>
/// <param name="Beta">How much of the mean squared gradient stays.</param>
/// <param name="Epsilon">Is added to the divisor.</param>
/// <param name="Norm">How much of a tensor is added to its gradient.</param>
/// <param name="NormPost">How much of the new tensor is taken off at last.</param>
public sealed record Adam(float Alpha = 0.9f, float Beta = 0.999f, float Epsilon = 0, float Norm = 0, float NormPost = 0) : OptimizerStep
{
    private protected override int States => 2;

    private protected override void Step(double rate, long count, double gradient, ref double x, Span<double> states)
    {
        var g = Norm * x + gradient;
        states[0] = Alpha * states[0] + (1 - (double)Alpha) * g;
        states[1] = Beta * states[1] + (1 - (double)Beta) * g * g;
        var adjusted = count > 0 ? rate * Math.Sqrt(1 - Math.Pow(Beta, count)) / (1 - Math.Pow(Alpha, count)) : rate;
        x = (1 - (double)NormPost) * (x - adjusted * states[0] / (Math.Sqrt(states[1]) + Epsilon));
    }
}

/// <summary>A step of gradient descent with momentum (ai.onnx.preview.training).</summary>
/// <param name="Alpha">How much of the momentum stays.</param>
/// <param name="Beta">How much of the gradient enters it after the first step.</param>
/// <param name="Norm">How much of a tensor is added to its gradient.</param>
/// <param name="Nesterov">Look ahead along the momentum.</param>
public sealed record Momentum(float Alpha, float Beta, float Norm, bool Nesterov) : OptimizerStep
{
    private protected override int States => 1;

    private protected override void Step(double rate, long count, double gradient, ref double x, Span<double> states)
    {
        var g = Norm * x + gradient;
        states[0] = Alpha * states[0] + (count > 0 ? Beta : 1) * g;
        x -= rate * (Nesterov ? g + Alpha * states[0] : states[0]);
    }
}
