using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX RotaryEmbedding: pairs of elements of X ([batch, heads, length, size] or [batch, length, heads · size]) turned by angles whose cosines and sines are inputs 1 and 2:
/// [positions, half] with positions [batch, length] (input 3), or [batch, length, half].
/// </summary>
/// <param name="Interleaved">Pairs are neighbours, not an element of either half.</param>
/// <param name="Heads">Heads, for 3D inputs.</param>
/// <param name="Size">How many elements of a head are turned; 0 for all.</param>
public sealed record RotaryEmbedding(bool Interleaved = false, long Heads = 0, long Size = 0) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, Numbers.IsReal, "a floating-point type");
        context.RequireSame(0, 1);
        context.RequireSame(0, 2);
        if (context.Has(3)) context.RequireIndices(3);
        if (context.Shape(0) is { Rank: not (3 or 4) } bad) throw context.Error($"input 0 has shape {bad}; expected 3 or 4 axes");
        if (context.Shape(0) is { Rank: 3 } && Heads < 1) throw context.Error("num_heads is required for an input of 3 axes");
        context.Merge(context.Shape(1), context.Shape(2), "cosines and sines");
        context.Set(0, context.DType(0), context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var (cosines, sines) = (context.Input(1).ToReals(), context.Input(2).ToReals());
        var positions = context.Integers(3);
        var (batch, heads, length, size) = x.Shape.Rank == 4
            ? (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3])
            : (x.Shape[0], Heads, x.Shape[1], x.Shape[2] % Heads == 0 ? x.Shape[2] / Heads : throw context.Error($"{x} does not divide into {Heads} heads"));
        var turned = Size == 0 ? size : Size;
        var half = turned / 2;
        if (turned > size || turned % 2 != 0 || context.Input(1).Shape[-1] != half || cosines.Length != sines.Length) throw context.Error($"caches {context.Input(1)} and {context.Input(2)} do not fit {turned} elements of a head of {size}");
        if (positions is null ? cosines.Length != batch * length * half : positions.Length != batch * length) throw context.Error("the caches or positions do not fit batch and length");
        var values = x.ToReals();
        for (long b = 0; b < batch; b++)
            for (long t = 0; t < length; t++)
            {
                var row = positions is null ? b * length + t : positions[b * length + t];
                if (row < 0 || (row + 1) * half > cosines.Length) throw context.Error($"position {row} lies outside of the caches");
                for (long h = 0; h < heads; h++)
                {
                    var start = (x.Shape.Rank == 4 ? (b * heads + h) * length + t : (b * length + t) * heads + h) * size;
                    for (long i = 0; i < half; i++)
                    {
                        ref var p = ref values[start + (Interleaved ? 2 * i : i)];
                        ref var q = ref values[start + (Interleaved ? 2 * i + 1 : i + half)];
                        var (cos, sin) = (cosines[row * half + i], sines[row * half + i]);
                        (p, q) = (cos * p - sin * q, sin * p + cos * q);
                    }
                }
            }
        context.Allocate(0, x.DType, x.Shape).Store(values);
    }
}
