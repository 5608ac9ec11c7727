using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>Random values; with a seed the same ones every time.</summary>
/// <param name="Seed">The seed; null takes a new one every time.</param>
public abstract record RandomOperator(float? Seed) : Operator
{
    /// <inheritdoc/>
    public override bool IsPure => false;

    /// <summary>The source of one evaluation.</summary>
    private protected Random Source => Seed is { } s ? new Random(BitConverter.SingleToInt32Bits(s)) : new Random();
}

/// <summary>A distribution of real numbers.</summary>
/// <param name="IsNormal">Normal with mean <paramref name="A"/> and deviation <paramref name="B"/>; otherwise even from <paramref name="A"/> to <paramref name="B"/>.</param>
/// <param name="A">Mean or low end.</param>
/// <param name="B">Deviation or high end.</param>
public readonly record struct Distribution(bool IsNormal, float A, float B)
{
    /// <summary>Draws a value.</summary>
    internal double Draw(Random random) => IsNormal
        ? A + B * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())
        : A + ((double)B - A) * random.NextDouble();

    /// <summary>A tensor of draws.</summary>
    internal void Fill(Random random, Tensor output)
    {
        var values = new double[output.Count];
        foreach (ref var v in values.AsSpan()) v = Draw(random);
        ElementTypes.Write(output, 0, values);
    }
}

/// <summary>ONNX RandomNormal and RandomUniform: a tensor of a given shape.</summary>
/// <param name="Distribution">What is drawn from.</param>
/// <param name="Extents">The shape.</param>
/// <param name="Type">A floating-point type.</param>
/// <param name="Seed">The seed; null takes a new one every time.</param>
public sealed record RandomTensor(Distribution Distribution, ValueList<long> Extents, DType Type = DType.Float32, float? Seed = null) : RandomOperator(Seed)
{
    /// <inheritdoc/>
    public override string Name => Distribution.IsNormal ? "RandomNormal" : "RandomUniform";

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (!Numbers.IsReal(Type)) throw context.Error($"{Type.Name()} is no floating-point type");
        if (Extents.Any(e => e < 0)) throw context.Error($"shape {Extents} has a negative extent");
        context.Set(0, Type, new([.. Extents.Select(e => (Dim)e)]));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) => Distribution.Fill(Source, context.Allocate(0, Type, new Shape(Extents.Span)));
}

/// <summary>ONNX RandomNormalLike and RandomUniformLike: a tensor of the input's shape.</summary>
/// <param name="Distribution">What is drawn from.</param>
/// <param name="Type">A floating-point type; null for the input's.</param>
/// <param name="Seed">The seed; null takes a new one every time.</param>
public sealed record RandomLike(Distribution Distribution, DType? Type = null, float? Seed = null) : RandomOperator(Seed)
{
    /// <inheritdoc/>
    public override string Name => Distribution.IsNormal ? "RandomNormalLike" : "RandomUniformLike";

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = Type ?? context.DType(0);
        if (!Numbers.IsReal(type)) throw context.Error($"{type.Name()} is no floating-point type");
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) => Distribution.Fill(Source, context.Allocate(0, Type ?? context.Input(0).DType, context.Input(0).Shape));
}

/// <summary>ONNX Bernoulli: 1 with the probability that the input gives, otherwise 0.</summary>
/// <param name="Type">The type of the result; null for the input's.</param>
/// <param name="Seed">The seed; null takes a new one every time.</param>
public sealed record Bernoulli(DType? Type = null, float? Seed = null) : RandomOperator(Seed)
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, Numbers.IsReal, "a floating-point type");
        var type = Type ?? context.DType(0);
        if (!Numbers.IsNumber(type) && type != DType.Bool) throw context.Error($"{type.Name()} is no numeric type");
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var random = Source;
        var values = context.Input(0).ToReals();
        foreach (ref var v in values.AsSpan()) v = random.NextDouble() < v ? 1 : 0;
        ElementTypes.Write(context.Allocate(0, Type ?? context.Input(0).DType, context.Input(0).Shape), 0, values);
    }
}

/// <summary>ONNX Multinomial: for each row of log-probabilities [N, classes] some classes, drawn with them.</summary>
/// <param name="Samples">How many classes are drawn.</param>
/// <param name="Type">int32 or int64.</param>
/// <param name="Seed">The seed; null takes a new one every time.</param>
public sealed record Multinomial(long Samples = 1, DType Type = DType.Int32, float? Seed = null) : RandomOperator(Seed)
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, Numbers.IsReal, "a floating-point type");
        context.RequireRank(0, 2);
        if (Type is not (DType.Int32 or DType.Int64)) throw context.Error($"{Type.Name()} is neither int32 nor int64");
        if (Samples < 0) throw context.Error($"{Samples} samples are not possible");
        context.Set(0, Type, new(context.Shape(0)?[0] ?? context.Fresh(), Samples));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var (rows, classes) = ((int)x.Shape[0], (int)x.Shape[1]);
        if (classes == 0 && rows * Samples > 0) throw context.Error("there are no classes to draw from");
        var output = context.Allocate(0, Type, new Shape(rows, Samples));
        var values = x.ToReals();
        var drawn = new long[output.Count];
        var random = Source;
        for (var row = 0; row < rows; row++)
        {
            var own = values.AsSpan(row * classes, classes);
            var largest = own.ToArray().Max();
            double sum = 0;
            foreach (ref var v in own) v = sum += Math.Exp(v - largest);
            for (long i = 0; i < Samples; i++)
            {
                var at = random.NextDouble() * sum;
                var c = 0;
                while (c < classes - 1 && own[c] <= at) c++;
                drawn[row * Samples + i] = c;
            }
        }
        output.Store(drawn);
    }
}
