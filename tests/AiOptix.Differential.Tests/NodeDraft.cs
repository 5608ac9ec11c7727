using AiOptix.Graphs;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>An operand of a drawn node.</summary>
/// <param name="Value">Its value: a tensor, a sequence, an optional or a map.</param>
/// <param name="Constant">Whether the file holds it; otherwise it is an input.</param>
internal sealed record Operand(RuntimeValue Value, bool Constant)
{
    public DType DType => Value is Tensor t ? t.DType : DType.Undefined;
}

/// <summary>The recipe does not go with the types that were drawn.</summary>
internal sealed class RejectedException : Exception;

/// <summary>A node that a recipe draws: operands, attributes, how many outputs.</summary>
internal sealed class NodeDraft(Draw draw, string domain, OperatorTypes.Signature? signature, string op, long opset, IReadOnlyDictionary<string, DType> types)
{
    private Operand? chained;

    public Draw Draw { get; } = draw;

    public string Domain { get; } = domain;

    public string OpType { get; } = op;

    public long Opset { get; } = opset;

    public long Since { get; } = signature?.Since ?? 1;

    public List<Operand?> Inputs { get; } = [];

    public Dictionary<string, object> Attributes { get; } = new(StringComparer.Ordinal);

    public int Outputs { get; private set; } = 1;

    /// <summary>Whether two engines may give other values (random operators).</summary>
    public bool IsRandom { get; set; }

    /// <summary>An output that the peer leaves unset; none when negative.</summary>
    public int Uncompared { get; set; } = -1;

    /// <summary>How much further than usual results may lie apart, for operators that lose digits.</summary>
    public double Slack { get; set; } = 1;

    /// <summary>An operand that the first fitting input takes, so that nodes make chains; null when none wants it.</summary>
    public Operand? Chained { init => chained = value; }

    /// <summary>The element type of an input, as the signature says.</summary>
    public DType TypeOf(int input)
    {
        var inputs = signature!.Inputs;
        if (inputs.Length == 0) throw new InvalidOperationException($"the table lists no inputs for {OpType}-{Since}");
        var p = input < inputs.Length ? inputs[input] : inputs[^1];
        return types.TryGetValue(p.Variable, out var t) ? t : throw new RejectedException();
    }

    /// <summary>The element type of a type variable.</summary>
    public DType this[string variable] => types.TryGetValue(variable, out var t) ? t : throw new RejectedException();

    public override string ToString() =>
        $"{(Domain.Length > 0 ? Domain + "::" : "")}{OpType}-{Opset}({string.Join(", ", Inputs.Select(i => i is null ? "-" : i.Constant ? $"{i.Value} constant" : $"{i.Value}"))}"
        + $"{string.Concat(Attributes.Select(a => $", {a.Key}={(a.Value is Array l ? $"[{string.Join(",", l.Cast<object>())}]" : a.Value)}"))}) → {Outputs}";

    public static void Reject(bool unless = false)
    {
        if (!unless) throw new RejectedException();
    }

    /// <summary>Says that the types must be among these.</summary>
    public static void Only(bool holds) => Reject(holds);

    public NodeDraft Out(int count)
    {
        Outputs = count;
        return this;
    }

    public NodeDraft Attr(string name, object? value)
    {
        if (value is not null) Attributes[name] = value;
        return this;
    }

    /// <summary>Sets an attribute half of the time, so that defaults are tried as well.</summary>
    public NodeDraft Maybe(string name, object value) => Draw.Chance(0.5) ? Attr(name, value) : this;

    /// <summary>An input of the signature's type.</summary>
    public NodeDraft In(long[] shape, Fill fill = Fill.Any, DType? type = null, double constant = 0.15)
    {
        var t = type ?? TypeOf(Inputs.Count);
        if (chained is { Value: Tensor value } c && value.DType == t && fill == Fill.Any && value.Shape.Dims.SequenceEqual(shape))
        {
            Inputs.Add(c);
            chained = null;
            return this;
        }
        Inputs.Add(new(Draw.Values(t, shape, fill), Draw.Chance(constant)));
        return this;
    }

    /// <summary>A weight: mostly a constant.</summary>
    public NodeDraft Weight(long[] shape, Fill fill = Fill.Any, DType? type = null) => In(shape, fill, type, 0.7);

    /// <summary>Integers that steer the operator, mostly a constant.</summary>
    public NodeDraft Ints(IEnumerable<long> values, DType? type = null, bool scalar = false, bool constant = false)
    {
        long[] all = [.. values];
        var t = type ?? TypeOf(Inputs.Count);
        return Value(Graphs.Evaluate.ElementTypes.From(Array.ConvertAll(all, v => (double)v), t, scalar ? Tensors.Shape.Scalar : new Shape(all.Length)), constant || Draw.Chance(0.7));
    }

    public NodeDraft Value(RuntimeValue value, bool constant = false)
    {
        Inputs.Add(new(value, constant));
        return this;
    }

    public NodeDraft Skip()
    {
        Inputs.Add(null);
        return this;
    }

    /// <summary>A shape for the main operand; that of the chained one when it has one.</summary>
    public long[] Shape(int least = 0, int most = 4, bool nonEmpty = false)
    {
        if (chained?.Value is Tensor t && t.Shape.Rank >= least && t.Shape.Rank <= most && (!nonEmpty || t.Count > 0)) return t.Shape.Dims.ToArray();
        var rank = Draw.Chance(0.05) ? Draw.Between(least, Math.Max(most, most >= 4 ? 8 : most)) : Draw.Between(least, most);
        return Draw.Shape(rank, nonEmpty);
    }

    /// <summary>An axis, counted from the end now and then where the version allows that.</summary>
    public long Axis(int rank, long negativeSince = 11, int from = 0)
    {
        var axis = Draw.Between(from, rank - 1);
        return Opset >= negativeSince && Draw.Chance(0.4) ? axis - rank : axis;
    }

    /// <summary>Shapes that broadcast to one.</summary>
    public long[][] Broadcast(int count)
    {
        var whole = Shape();
        var result = new long[count][];
        for (var i = 0; i < count; i++)
        {
            var drop = i > 0 && Draw.Chance(0.4) ? Draw.Below(whole.Length + 1) : 0;
            result[i] = [.. whole.Skip(drop).Select(d => (i > 0 && Draw.Chance(0.25)) ? 1 : d)];
        }
        if (chained is null && count > 1 && Draw.Chance(0.4)) (result[0], result[^1]) = (result[^1], result[0]);
        return result;
    }
}
