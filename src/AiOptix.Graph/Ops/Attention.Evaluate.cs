using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

public sealed partial record Attention
{
    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (qt, kt, vt) = (context.Input(0), context.Input(1), context.Input(2));
        var e = Extents(SymbolicShape.Of(qt.Shape), SymbolicShape.Of(kt.Shape), SymbolicShape.Of(vt.Shape), context.OptionalInput(4) is { } past ? SymbolicShape.Of(past.Shape) : null);
        var (batch, heads, keyHeads) = (Known(e.Batch), Known(e.QueryHeads), Known(e.KeyHeads));
        var (queries, keys, pastKeys, size, valueSize) = (Known(e.Queries), Known(e.Keys), Known(e.PastKeys), Known(e.HeadSize), Known(e.ValueSize));
        if (keyHeads == 0 || heads % keyHeads != 0) throw context.Error($"{heads} query heads cannot share {keyHeads} key heads");
        var q = ByHead(qt.ToReals(), qt.Shape.Rank, batch, heads, queries, size);
        var k = Join(context.OptionalInput(4), ByHead(kt.ToReals(), kt.Shape.Rank, batch, keyHeads, keys - pastKeys, size), batch * keyHeads, pastKeys, keys, size);
        var v = Join(context.OptionalInput(5), ByHead(vt.ToReals(), vt.Shape.Rank, batch, keyHeads, keys - pastKeys, valueSize), batch * keyHeads, pastKeys, keys, valueSize);
        var valid = context.Integers(6);
        var mask = context.OptionalInput(3) is { } m ? Mask(context, m, [batch, heads, queries, keys]) : null;
        var scores = new double[(long)batch * heads * queries * keys];
        var result = new double[(long)batch * heads * queries * valueSize];
        var factor = Scale ?? 1 / Math.Sqrt(size);
        var (line, bias) = (new double[keys], new double[keys]);
        for (var b = 0; b < batch; b++)
            for (var h = 0; h < heads; h++)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                var shared = b * keyHeads + h / (heads / keyHeads);
                for (var i = 0; i < queries; i++)
                {
                    var row = ((b * heads + h) * queries) + i;
                    var query = q.AsSpan(row * size, size);
                    for (var j = 0; j < keys; j++)
                    {
                        double sum = 0;
                        var key = k.AsSpan((shared * keys + j) * size, size);
                        for (var d = 0; d < query.Length; d++) sum += query[d] * key[d];
                        line[j] = sum * factor;
                    }
                    Bias(bias, mask is null ? default : mask.AsSpan(row * keys, keys), i, pastKeys, queries, valid?[b]);
                    Attend(line, bias, scores.AsSpan(row * keys, keys));
                    for (var j = 0; j < keys; j++)
                    {
                        var value = v.AsSpan((shared * keys + j) * valueSize, valueSize);
                        var target = result.AsSpan(row * valueSize, valueSize);
                        for (var d = 0; d < target.Length; d++) target[d] += line[j] * value[d];
                    }
                }
            }
        if (qt.Shape.Rank == 4) context.Allocate(0, qt.DType, new Shape(batch, heads, queries, valueSize)).Store(result);
        else context.Allocate(0, qt.DType, new Shape(batch, queries, heads * valueSize)).Store(Swapped(result, batch, heads, queries, valueSize));
        if (context.OutputCount > 1) context.Allocate(1, kt.DType, new Shape(batch, keyHeads, keys, size)).Store(k);
        if (context.OutputCount > 2) context.Allocate(2, vt.DType, new Shape(batch, keyHeads, keys, valueSize)).Store(v);
        if (context.OutputCount > 3) context.Allocate(3, qt.DType, new Shape(batch, heads, queries, keys)).Store(scores);
    }

    private static int Known(Dim d) => checked((int)d.Constant!.Value);

    /// <summary>From raw scores to probabilities, in place; what output 3 shows goes to <paramref name="shown"/>.</summary>
    private void Attend(Span<double> line, ReadOnlySpan<double> bias, Span<double> shown)
    {
        if (Scores == AttentionScores.Raw) line.CopyTo(shown);
        if (Softcap > 0)
            foreach (ref var s in line) s = Softcap * Math.Tanh(s / Softcap);
        if (Scores == AttentionScores.Capped) line.CopyTo(shown);
        var masked = true;
        for (var j = 0; j < line.Length; j++)
        {
            line[j] += bias[j];
            masked &= double.IsNegativeInfinity(bias[j]);
        }
        if (Scores == AttentionScores.Masked) line.CopyTo(shown);
        if (masked) line.Clear();
        else Normalise(line);
        if (Scores == AttentionScores.Probabilities) line.CopyTo(shown);
    }

    private void Normalise(Span<double> line)
    {
        var largest = double.NegativeInfinity;
        foreach (ref var s in line)
        {
            if (SoftmaxPrecision is { } type) s = Numbers.Round(s, type);
            largest = Math.Max(largest, s);
        }
        if (double.IsNegativeInfinity(largest))
        {
            line.Clear();
            return;
        }
        double sum = 0;
        foreach (ref var s in line) sum += s = Math.Exp(s - largest);
        foreach (ref var s in line) s /= sum;
    }

    /// <summary>What is added to the scores of one query.</summary>
    private void Bias(Span<double> bias, ReadOnlySpan<double> mask, int query, int past, int queries, long? valid)
    {
        var position = query + (valid is { } n ? n - queries : past);
        for (var j = 0; j < bias.Length; j++)
        {
            var allowed = (!IsCausal || j <= position) && (LeftWindow < 0 || position - j <= LeftWindow) && (RightWindow < 0 || j - position <= RightWindow) && !(j >= valid);
            bias[j] = allowed ? mask.IsEmpty ? 0 : mask[j] : double.NegativeInfinity;
        }
    }

    private static double[] Mask(EvaluationContext context, Tensor mask, long[] target)
    {
        var values = mask.DType == DType.Bool ? Array.ConvertAll(mask.ToInt64(), v => v != 0 ? 0 : double.NegativeInfinity) : mask.ToReals();
        var s = new Shape([.. Enumerable.Repeat(1L, Math.Max(0, 4 - mask.Shape.Rank)), .. mask.Shape]);
        for (var i = 0; i < 4; i++)
            if (s.Rank != 4 || (i == 3 ? s[i] > target[i] : s[i] != 1 && s[i] != target[i]))
                throw context.Error($"the mask has shape {mask.Shape}; expected one that broadcasts to [{string.Join(",", target)}]");
        var r = new double[new Shape(target).Count];
        long at = 0;
        for (long b = 0; b < target[0]; b++)
            for (long h = 0; h < target[1]; h++)
                for (long i = 0; i < target[2]; i++)
                {
                    var from = (((s[0] == 1 ? 0 : b) * s[1] + (s[1] == 1 ? 0 : h)) * s[2] + (s[2] == 1 ? 0 : i)) * s[3];
                    for (long j = 0; j < target[3]; j++) r[at++] = j < s[3] ? values[from + j] : double.NegativeInfinity;
                }
        return r;
    }

    /// <summary>[batch, length, heads · size] as [batch, heads, length, size].</summary>
    private static double[] ByHead(double[] x, int rank, int batch, int heads, int length, int size) => rank == 4 ? x : Swapped(x, batch, length, heads, size);

    /// <summary>[a, b, c, d] as [a, c, b, d].</summary>
    private static double[] Swapped(double[] x, int a, int b, int c, int d)
    {
        var r = new double[x.Length];
        for (var i = 0; i < a; i++)
            for (var j = 0; j < b; j++)
                for (var k = 0; k < c; k++) x.AsSpan(((i * b + j) * c + k) * d, d).CopyTo(r.AsSpan(((i * c + k) * b + j) * d, d));
        return r;
    }

    private static double[] Join(Tensor? past, double[] added, int groups, int pastKeys, int keys, int size)
    {
        if (past is null) return added;
        var before = past.ToReals();
        var r = new double[groups * keys * size];
        for (var g = 0; g < groups; g++)
        {
            before.AsSpan(g * pastKeys * size, pastKeys * size).CopyTo(r.AsSpan(g * keys * size));
            added.AsSpan(g * (keys - pastKeys) * size, (keys - pastKeys) * size).CopyTo(r.AsSpan((g * keys + pastKeys) * size));
        }
        return r;
    }
}
