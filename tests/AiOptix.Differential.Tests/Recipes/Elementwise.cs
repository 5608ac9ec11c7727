using AiOptix.Tensors;

namespace AiOptix.Differential.Tests.Recipes;

/// <summary>Operators that work element by element.</summary>
internal static class Elementwise
{
    public static IEnumerable<Recipe> Recipes =>
    [
        .. Recipe.Each("Abs Neg Sign Floor Ceil Round Sin Cos Atan Sinh Cosh Asinh Tanh Erf Sigmoid Relu Softplus Softsign HardSwish Mish Exp Not BitwiseNot Identity", d => d.In(d.Shape())),
        new("IsNaN", d => d.In(d.Shape(), Fill.Special)),
        new("IsInf", d => d.In(d.Shape(), Fill.Special).Maybe("detect_negative", (long)d.Draw.Below(2)).Maybe("detect_positive", (long)d.Draw.Below(2))),
        .. Recipe.Each("Sqrt Log", d => d.In(d.Shape(), Fill.Positive)),
        .. Recipe.Each("Acos Asin Atanh Tan", d => d.In(d.Shape(), Fill.Unit)),
        new("Acosh", d => d.In(d.Shape(), Fill.AboveOne)),
        new("Reciprocal", d => d.In(d.Shape(), Fill.NonZero)),
        .. Recipe.Each("Elu LeakyRelu Celu ThresholdedRelu Selu", d =>
        {
            d.In(d.Shape()).Maybe("alpha", 0.5f + d.Draw.Below(3));
            if (d.OpType == "Selu") d.Maybe("gamma", 1.5f);
        }),
        new("HardSigmoid", d => d.In(d.Shape()).Maybe("alpha", 0.3f).Maybe("beta", 0.25f)),
        new("Shrink", d => d.In(d.Shape()).Maybe("bias", 0.75f).Maybe("lambd", 1.5f)),
        new("Gelu", d => d.In(d.Shape()).Maybe("approximate", d.Draw.Of("none", "tanh"))),
        new("Swish", d => d.In(d.Shape()).Maybe("alpha", 1.5f)),
        new("SwiGLU", d => { var s = d.Shape(); d.In(s).In(s).Maybe("alpha", 1.5f); }),
        new("PRelu", PRelu),
        new("Clip", Clip),
        new("Dropout", Dropout),
        .. Recipe.Each("Add Sub Mul And Or Xor Equal Greater Less GreaterOrEqual LessOrEqual BitwiseAnd BitwiseOr BitwiseXor StringConcat", d => Binary(d, Fill.Any, Fill.Any)),
        new("Div", d => Binary(d, Fill.Any, Fill.NonZero)),
        new("Mod", Mod),
        new("Pow", d => Binary(d, Fill.Positive, Fill.Few)),
        new("BitShift", d => Binary(d.Attr("direction", d.Draw.Of("LEFT", "RIGHT")), Fill.Full, Fill.Few)),
        .. Recipe.Each("Max Min Sum Mean", Variadic),
        new("Where", d => { var s = d.Broadcast(3); d.In(s[0]).In(s[1]).In(s[2]); }),
        new("Cast", d => Cast(d.In(d.Shape(), CastFill(d.TypeOf(0), d["T2"])).Attr("to", Number(d)), "T2")),
        new("CastLike", d => Cast(d.In(d.Shape(), CastFill(d.TypeOf(0), d.TypeOf(1))).In([1]), "T2")),
        new("BitCast", d =>
        {
            // Types of 2, 4 and 128 bits have few or no partners among those that are drawn.
            var other = d["T1"].Bits() == d["T2"].Bits() || d.Draw.Chance(0.5) ? d["T2"] : d["T1"];
            var from = other.Bits() == d["T1"].Bits() ? d["T1"] : other;
            d.In(d.Shape(), from.IsInteger() ? Fill.Full : Fill.Any, from).Attr("to", (long)other);
        }),
    ];

    /// <summary>Before version 7 the second operand goes along axes of the first from a given one on.</summary>
    private static void Binary(NodeDraft d, Fill first, Fill second)
    {
        if (d.Since >= 7)
        {
            var s = d.Broadcast(2);
            d.In(s[0], first).In(s[1], second);
            return;
        }
        var whole = d.Shape(1);
        if (d.Draw.Chance(0.4))
        {
            d.In(whole, first).In(whole, second);
            return;
        }
        var from = d.Draw.Below(whole.Length);
        var to = d.Draw.Between(from + 1, whole.Length);
        d.In(whole, first).In(whole[from..to], second).Attr("broadcast", 1L);
        if (to < whole.Length || d.Draw.Chance(0.5)) d.Attr("axis", (long)from);
    }

    private static void Mod(NodeDraft d)
    {
        var real = d.TypeOf(0).IsFloat();
        if (real) d.Attr("fmod", 1L);
        else d.Maybe("fmod", (long)d.Draw.Below(2));
        Binary(d, Fill.Any, Fill.NonZero);
    }

    private static void PRelu(NodeDraft d)
    {
        if (d.Since >= 7)
        {
            var x = d.Shape();
            d.In(x).In([.. x.Skip(d.Draw.Below(x.Length + 1)).Select(e => d.Draw.Chance(0.4) ? 1 : e)]);
            return;
        }
        var shape = d.Shape(2);
        d.In(shape).In(d.Draw.Of<long[]>([1], [shape[1]]));
    }

    private static void Clip(NodeDraft d)
    {
        if (d.Since < 11)
        {
            d.In(d.Shape()).Maybe("min", -1f).Maybe("max", 1.5f);
            return;
        }
        d.In(d.Shape());
        if (d.Draw.Chance(0.7)) d.Weight([], d.Draw.Of(Fill.Any, Fill.Few));
        else d.Skip();
        if (d.Draw.Chance(0.7)) d.Weight([], d.Draw.Of(Fill.Any, Fill.Positive));
    }

    private static void Dropout(NodeDraft d)
    {
        d.In(d.Shape());
        if (d.Since < 7) d.Attr("is_test", 1L);
        if (d.Since < 12)
        {
            d.Maybe("ratio", 0.25f);
            if (d.Since >= 7 && d.Draw.Chance(0.3)) d.Out(2);
            return;
        }
        if (d.Draw.Chance(0.6))
        {
            d.Value(Graphs.Evaluate.ElementTypes.From([0.25], d.TypeOf(1), Shape.Scalar), d.Draw.Chance(0.5));
            if (d.Draw.Chance(0.5)) d.Value(Graphs.Evaluate.ElementTypes.From([0], DType.Bool, Shape.Scalar), constant: true);
        }
        if (d.Draw.Chance(0.5)) d.Out(2);
    }

    private static void Variadic(NodeDraft d)
    {
        var count = d.Draw.Between(1, 4);
        if (d.Since >= 8) foreach (var s in d.Broadcast(count)) d.In(s);
        else
        {
            var shape = d.Shape();
            for (var i = 0; i < count; i++) d.In(shape);
        }
    }

    private static object Number(NodeDraft d) => d.Since == 1 ? d["T2"].Name().ToUpperInvariant() switch
    {
        "FLOAT32" => "FLOAT",
        "FLOAT64" => "DOUBLE",
        var n => n,
    } : (long)d["T2"];

    /// <summary>Values that both types hold; where a conversion is left undefined there is nothing to compare.</summary>
    private static Fill CastFill(DType from, DType to) => from.IsFloat() && !to.IsFloat() ? Fill.Few : to.IsPacked() || from == DType.String ? Fill.Few : Fill.Any;

    private static void Cast(NodeDraft d, string target)
    {
        if (d.Inputs[0] is { Value: Tensor { DType: DType.String } t } && d[target] != DType.String)
            d.Inputs[0] = d.Inputs[0]! with { Value = Tensor.FromStrings([.. Enumerable.Range(0, (int)t.Count).Select(_ => d.Draw.Of("0", "1", "1", d[target].IsFloat() ? "1.5" : "1"))], t.Shape) };
        if (d.Since >= 19 && (d[target].IsNarrowFloat() && !d[target].IsPacked()) && d[target] != DType.Float8E8M0) d.Maybe("saturate", (long)d.Draw.Below(2));
    }
}
