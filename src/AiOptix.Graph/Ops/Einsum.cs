using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Einsum: sums of products named by an equation; repeated labels take diagonals, an ellipsis broadcasts.</summary>
/// <param name="Equation">The equation, <c>bij,bjk-&gt;bik</c>; without an arrow the labels that occur once, in alphabetic order, are kept.</param>
public sealed record Einsum(string Equation) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsNumber, "a numeric type");
        for (var i = 1; i < context.InputCount; i++) context.RequireSame(0, i);
        var shapes = Enumerable.Range(0, context.InputCount).Select(context.Shape).ToArray();
        if (shapes.Any(s => s is null))
        {
            context.Set(0, type, null);
            return;
        }
        EinsumEquation e;
        try
        {
            e = EinsumEquation.Parse(Equation, [.. shapes.Select(s => s!.Rank)]);
        }
        catch (FormatException problem)
        {
            throw context.Error(problem.Message);
        }
        var extents = new Dictionary<char, Dim>();
        for (var i = 0; i < shapes.Length; i++)
            for (var a = 0; a < shapes[i]!.Rank; a++)
            {
                var (label, extent) = (e.Operands[i][a], shapes[i]![a]);
                if (!extents.TryGetValue(label, out var known)) extents[label] = extent;
                else if (EinsumEquation.IsBroadcast(label) || known.Constant == 1 || extent.Constant == 1)
                    extents[label] = Dim.Broadcast(known, extent) ?? throw context.Error($"extents {known} and {extent} of '{Equation}' do not broadcast");
                else extents[label] = context.Same(known, extent, $"label '{label}' of '{Equation}'");
            }
        context.Set(0, type, new([.. e.Output.Select(c => extents.GetValueOrDefault(c, Dim.One))]));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var inputs = Enumerable.Range(0, context.InputCount).Select(context.Input).ToArray();
        if (Numbers.IsReal(inputs[0].DType)) Evaluate(context, Array.ConvertAll(inputs, t => t.ToReals()), (t, v) => t.Store(v));
        else Evaluate(context, Array.ConvertAll(inputs, t => t.ToInt64()), (t, v) => t.Store(v));
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node)
    {
        if (node.Inputs.Any(i => i?.Shape is null)) return null;
        var e = EinsumEquation.Parse(Equation, [.. node.Inputs.Select(i => i!.Shape!.Rank)]);
        var extents = new Dictionary<char, Dim>();
        for (var i = 0; i < node.Inputs.Count; i++)
            for (var a = 0; a < e.Operands[i].Length; a++)
                if (!extents.TryGetValue(e.Operands[i][a], out var d) || d.Constant == 1) extents[e.Operands[i][a]] = node.Inputs[i]!.Shape![a];
        return extents.Values.Aggregate((Dim)node.Inputs.Count, (x, y) => x * y);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to) => to[0].DType == DType.Float32 && EinsumProducts.Of(to, Equation) is { } result && to.Set(0, result);

    private void Evaluate<T>(EvaluationContext context, T[][] x, Action<Tensor, T[]> store) where T : struct, INumber<T>
    {
        var shapes = Enumerable.Range(0, x.Length).Select(i => context.Input(i).Shape).ToArray();
        EinsumEquation e;
        try
        {
            e = EinsumEquation.Parse(Equation, [.. shapes.Select(s => s.Rank)]);
        }
        catch (FormatException problem)
        {
            throw context.Error(problem.Message);
        }
        var labels = e.Output + e.Summed;
        var extents = Enumerable.Repeat(1L, labels.Length).ToArray();
        for (var i = 0; i < x.Length; i++)
            for (var a = 0; a < shapes[i].Rank; a++)
            {
                ref var extent = ref extents[labels.IndexOf(e.Operands[i][a], StringComparison.Ordinal)];
                if (extent != shapes[i][a] && extent != 1 && shapes[i][a] != 1) throw context.Error($"extents {extent} and {shapes[i][a]} of label '{e.Operands[i][a]}' in '{Equation}' differ");
                if (extent == 1) extent = shapes[i][a];
            }
        var steps = new long[x.Length][];
        for (var i = 0; i < x.Length; i++)
        {
            var strides = shapes[i].Strides();
            steps[i] = new long[labels.Length];
            for (var a = 0; a < strides.Length; a++)
                if (shapes[i][a] != 1) steps[i][labels.IndexOf(e.Operands[i][a], StringComparison.Ordinal)] += strides[a];
        }
        var output = context.Allocate(0, context.Input(0).DType, new Shape(extents.AsSpan(0, e.Output.Length)));
        var inner = new Shape(extents.AsSpan(e.Output.Length)).Count;
        var result = new T[output.Count];
        var place = new long[labels.Length];
        var at = new long[x.Length];
        if (inner > 0)
            for (long n = 0; n < result.Length; n++)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                var sum = T.Zero;
                for (long k = 0; k < inner; k++)
                {
                    var product = x[0][at[0]];
                    for (var i = 1; i < x.Length; i++) product = unchecked(product * x[i][at[i]]);
                    sum = unchecked(sum + product);
                    Advance(extents, steps, place, at);
                }
                result[n] = sum;
            }
        store(output, result);
    }

    /// <summary>The next place, the last label fastest.</summary>
    private static void Advance(long[] extents, long[][] steps, long[] place, long[] at)
    {
        for (var l = extents.Length - 1; l >= 0; l--)
        {
            place[l]++;
            for (var i = 0; i < at.Length; i++) at[i] += steps[i][l];
            if (place[l] < extents[l]) return;
            for (var i = 0; i < at.Length; i++) at[i] -= steps[i][l] * extents[l];
            place[l] = 0;
        }
    }
}
