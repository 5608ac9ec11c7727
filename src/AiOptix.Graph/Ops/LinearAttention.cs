using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX LinearAttention: queries, keys and values [batch, length, heads · size] read and write a state [batch, key heads, key size, value size] token by token. Further inputs: the
/// past state (zeros if left out), the decay in log space (for each key element or each head), the update rate (for each head, or one). Outputs: the result and the last state.
/// The rules: the state decays (gated), then takes in key ⊗ value, or key ⊗ rate · (value - what the state holds for the key) (delta).
/// </summary>
/// <param name="QueryHeads">Heads of the queries.</param>
/// <param name="KeyHeads">Heads of keys and values; each serves QueryHeads / KeyHeads heads of the queries.</param>
/// <param name="Gated">Whether the state decays.</param>
/// <param name="Delta">Whether what the state holds for a key is taken off.</param>
/// <param name="Scale">The factor of the result; 0 for 1 / √size.</param>
/// <param name="ChunkSize">A hint without effect on the result.</param>
public sealed record LinearAttention(long QueryHeads, long KeyHeads, bool Gated = true, bool Delta = true, float Scale = 0, long ChunkSize = 64) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "a floating-point type");
        foreach (var i in (ReadOnlySpan<int>)[1, 2, 4, 5])
            if (context.Has(i)) context.RequireSame(0, i);
        if (context.Has(3)) context.Require(3, Numbers.IsReal, "a floating-point type");
        if (KeyHeads < 1 || QueryHeads < 1 || QueryHeads % KeyHeads != 0) throw context.Error($"{QueryHeads} heads of queries do not divide among {KeyHeads} heads of keys");
        if (Gated && !context.Has(4)) throw context.Error("input 4, the decay, is required by the update rule");
        if (Delta && !context.Has(5)) throw context.Error("input 5, the update rate, is required by the update rule");
        for (var i = 0; i < 3; i++) context.RequireRank(i, 3);
        var (q, v) = (context.Shape(0), context.Shape(2));
        var size = v is null ? context.Fresh() : Dim.FloorDiv(v[2], KeyHeads);
        context.Set(0, type, new(q?[0] ?? context.Fresh(), q?[1] ?? context.Fresh(), size * QueryHeads));
        context.Set(1, context.Has(3) ? context.DType(3) : type, new(q?[0] ?? context.Fresh(), KeyHeads, q is null ? context.Fresh() : Dim.FloorDiv(q[2], QueryHeads), size));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (q, k, v) = (context.Input(0), context.Input(1), context.Input(2));
        var (batch, length, keySize, valueSize) = (q.Shape[0], q.Shape[1], q.Shape[2] / QueryHeads, v.Shape[2] / KeyHeads);
        if (q.Shape[2] != keySize * QueryHeads || k.Shape != new Shape(batch, length, keySize * KeyHeads) || v.Shape != new Shape(batch, length, valueSize * KeyHeads))
            throw context.Error($"queries {q}, keys {k} and values {v} do not fit {QueryHeads} and {KeyHeads} heads");
        var shape = new Shape(batch, KeyHeads, keySize, valueSize);
        var states = context.OptionalInput(3)?.ToReals() ?? new double[shape.Count];
        var (decay, rate) = (Gated ? context.Input(4).ToReals() : null, Delta ? context.Input(5).ToReals() : null);
        var tokens = batch * length;
        if (states.Length != shape.Count || decay is not null && decay.Length != tokens * KeyHeads && decay.Length != k.Count || rate is not null && rate.Length != tokens * KeyHeads && rate.Length != tokens)
            throw context.Error("the past state, the decay or the update rate has the wrong size");
        var result = new double[tokens * QueryHeads * valueSize];
        var (queries, keys, values) = (q.ToReals(), k.ToReals(), v.ToReals());
        var scale = Scale == 0 ? 1 / Math.Sqrt(keySize) : Scale;
        var group = QueryHeads / KeyHeads;
        for (long b = 0; b < batch; b++)
            for (long h = 0; h < KeyHeads; h++)
            {
                var state = states.AsSpan((int)((b * KeyHeads + h) * keySize * valueSize), (int)(keySize * valueSize));
                for (long t = 0; t < length; t++)
                {
                    var head = (b * length + t) * KeyHeads + h;
                    var key = keys.AsSpan((int)(head * keySize), (int)keySize);
                    if (decay is not null) Decay(state, key.Length, decay.Length == tokens * KeyHeads ? decay.AsSpan((int)head, 1) : decay.AsSpan((int)(head * keySize), key.Length));
                    Write(state, key, values.AsSpan((int)(head * valueSize), (int)valueSize), rate is null ? null : rate[rate.Length == tokens ? head / KeyHeads : head]);
                    for (var g = h * group; g < (h + 1) * group; g++)
                    {
                        var at = (b * length + t) * QueryHeads + g;
                        Read(state, queries.AsSpan((int)(at * keySize), (int)keySize), scale, result.AsSpan((int)(at * valueSize), (int)valueSize));
                    }
                }
            }
        context.Allocate(0, q.DType, new Shape(batch, length, QueryHeads * valueSize)).Store(result);
        context.Allocate(1, context.OptionalInput(3)?.DType ?? q.DType, shape).Store(states);
    }

    private static void Decay(Span<double> state, int keys, ReadOnlySpan<double> decay)
    {
        var width = state.Length / Math.Max(1, keys);
        for (var i = 0; i < keys; i++)
        {
            var factor = Math.Exp(decay[decay.Length == 1 ? 0 : i]);
            foreach (ref var s in state.Slice(i * width, width)) s *= factor;
        }
    }

    private static void Write(Span<double> state, ReadOnlySpan<double> key, ReadOnlySpan<double> value, double? rate)
    {
        for (var j = 0; j < value.Length; j++)
        {
            var change = value[j];
            if (rate is { } r)
            {
                for (var i = 0; i < key.Length; i++) change -= state[i * value.Length + j] * key[i];
                change *= r;
            }
            for (var i = 0; i < key.Length; i++) state[i * value.Length + j] += key[i] * change;
        }
    }

    private static void Read(ReadOnlySpan<double> state, ReadOnlySpan<double> query, double scale, Span<double> result)
    {
        for (var j = 0; j < result.Length; j++)
        {
            double sum = 0;
            for (var i = 0; i < query.Length; i++) sum += query[i] * state[i * result.Length + j];
            result[j] = scale * sum;
        }
    }
}
