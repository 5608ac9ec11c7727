using AiOptix.Tensors;

namespace AiOptix.Differential.Tests.Recipes;

/// <summary>Operators that move elements.</summary>
internal static class Movement
{
    public static IEnumerable<Recipe> Recipes =>
    [
        new("Reshape", Reshape),
        new("Transpose", d => { var s = d.Shape(); d.In(s); if (s.Length > 0) d.Maybe("perm", d.Draw.Permutation(s.Length).Select(i => (long)i).ToArray()); }),
        new("Flatten", d => { var s = d.Shape(d.Since < 9 ? 1 : 0); var axis = d.Since >= 11 && s.Length > 0 ? (long)d.Draw.Between(-s.Length, s.Length) : d.Draw.Between(0, s.Length); d.In(s); if (s.Length == 0) d.Attr("axis", 0L); else d.Maybe("axis", axis); }),
        new("Squeeze", Squeeze), new("Unsqueeze", Unsqueeze),
        new("Concat", Concat), new("Split", Split), new("Slice", Slice),
        new("Gather", d => { var s = d.Shape(1, nonEmpty: true); var a = d.Axis(s.Length); d.In(s).Weight(d.Draw.Shape(d.Draw.Below(3)), Fill.Few).Attr("axis", a); Wrap(d, 1, s[At(a, s)]); }),
        new("GatherElements", d => { var s = d.Shape(1, nonEmpty: true); var a = d.Axis(s.Length); d.In(s).Weight([.. s.Select((e, i) => i == At(a, s) ? d.Draw.Between(1, 4) : (long)d.Draw.Between(1, (int)e))]).Attr("axis", a); Wrap(d, 1, s[At(a, s)]); }),
        new("GatherND", GatherND),
        new("ScatterElements", ScatterElements), new("Scatter", ScatterElements), new("ScatterND", ScatterND), new("TensorScatter", TensorScatter),
        new("Tile", Tile), new("Expand", Expand), new("Pad", Pad),
        new("DepthToSpace", d => { var b = d.Draw.Between(1, 3); d.In([d.Draw.Extent(), (long)b * b * d.Draw.Between(1, 2), d.Draw.Extent(), d.Draw.Extent()]).Attr("blocksize", (long)b); if (d.Since >= 11) d.Maybe("mode", d.Draw.Of("DCR", "CRD")); }),
        new("SpaceToDepth", d => { var b = d.Draw.Between(1, 3); d.In([d.Draw.Extent(), d.Draw.Extent(), b * d.Draw.Extent(), b * d.Draw.Extent()]).Attr("blocksize", (long)b); }),
        new("ReverseSequence", d => { var s = d.Shape(2, nonEmpty: true); var time = d.Draw.Below(2); d.In(s).Ints(Enumerable.Range(0, (int)s[1 - time]).Select(_ => (long)d.Draw.Between(1, (int)s[time]))).Attr("time_axis", (long)time).Attr("batch_axis", 1L - time); }),
        new("Trilu", d => { d.In(d.Shape(2)); if (d.Draw.Chance(0.6)) d.Ints([d.Draw.Between(-3, 3)], scalar: true); d.Maybe("upper", (long)d.Draw.Below(2)); }),
        new("OneHot", OneHot), new("TopK", TopK),
        new("Unique", d => { var s = d.Shape(1, 3, nonEmpty: true); d.In(s, Fill.Few).Maybe("sorted", (long)d.Draw.Below(2)).Out(d.Draw.Between(1, 4)); if (d.Draw.Chance(0.4)) d.Attr("axis", d.Axis(s.Length)); }),
        new("NonZero", d => d.In(d.Shape())),
        new("Compress", d => { var s = d.Shape(1); var a = d.Draw.Chance(0.6) ? d.Axis(s.Length) : (long?)null; var n = a is { } x ? s[At(x, s)] : s.Aggregate(1L, (p, e) => p * e); d.In(s).In([Math.Max(0, n - d.Draw.Below(2))]).Attr("axis", a); }),
        new("EyeLike", d => { d.In([d.Draw.Between(1, 4), d.Draw.Between(1, 4)]).Maybe("k", (long)d.Draw.Between(-2, 2)).Attr("dtype", (long)d["T2"]); }),
        new("Shape", d => { d.In(d.Shape()); if (d.Since >= 15) d.Maybe("start", (long)d.Draw.Between(-3, 3)).Maybe("end", (long)d.Draw.Between(-3, 4)); }),
        new("Size", d => d.In(d.Shape())),
        new("ConstantOfShape", d => d.Ints(d.Draw.Shape(d.Draw.Below(4))).Attr("value", d.Draw.Values(d["T2"], [1]))),
        new("Constant", d => d.Attr("value", d.Draw.Values(d["T"], d.Shape()))),
        new("Range", Range),
        .. Recipe.Each("CumSum CumProd", d => { var s = d.Shape(1); d.In(s).Ints([d.Axis(s.Length)], scalar: true).Maybe("exclusive", (long)d.Draw.Below(2)).Maybe("reverse", (long)d.Draw.Below(2)); }),
        new("CenterCropPad", d => { var s = d.Shape(1, nonEmpty: true); var axes = d.Draw.Some(s.Length, 1); d.In(s).Ints(axes.Select(_ => (long)d.Draw.Between(1, 6))).Attr("axes", axes.Select(a => d.Draw.Chance(0.3) ? (long)a - s.Length : a).ToArray()); }),
    ];

    private static int At(long axis, long[] shape) => (int)(axis < 0 ? axis + shape.Length : axis);

    /// <summary>Brings an operand of indices into range, negative ones among them from version 11 on.</summary>
    private static void Wrap(NodeDraft d, int input, long extent, bool distinct = false)
    {
        var old = (Tensor)d.Inputs[input]!.Value;
        var n = (int)old.Count;
        var order = distinct ? d.Draw.Permutation((int)extent) : null;
        var values = new double[n];
        for (var i = 0; i < n; i++)
        {
            long at = order is not null ? order[i % order.Length] : d.Draw.Below((int)extent);
            values[i] = d.Opset >= 11 && d.Draw.Chance(0.3) ? at - extent : at;
        }
        d.Inputs[input] = d.Inputs[input]! with { Value = Graphs.Evaluate.ElementTypes.From(values, old.DType, old.Shape) };
    }

    private static void Reshape(NodeDraft d)
    {
        var s = d.Shape();
        var count = s.Aggregate(1L, (p, e) => p * e);
        var target = new List<long>();
        var rest = count;
        while (rest > 1 && target.Count < 4)
        {
            var divisors = Enumerable.Range(1, (int)rest).Where(k => rest % k == 0).Select(k => (long)k).ToArray();
            target.Add(d.Draw.Of(divisors));
            rest /= target[^1];
        }
        target.Add(rest);
        if (count > 0 && d.Draw.Chance(0.4)) target[d.Draw.Below(target.Count)] = -1;
        else if (count > 0)
            for (var i = 0; i < target.Count; i++)
                if (i < s.Length && target[i] == s[i] && d.Draw.Chance(0.3)) target[i] = 0;
        if (d.Since < 5) { NodeDraft.Only(count > 0); d.In(s).Attr("shape", target.ToArray()); }
        else
        {
            if (count == 0) d.Attr("allowzero", d.Since >= 14 ? 1L : null);
            NodeDraft.Only(count > 0 || d.Since >= 14);
            d.In(s).Ints(target);
        }
    }

    private static void Squeeze(NodeDraft d)
    {
        var s = d.Shape(0, 3).ToList();
        var axes = new List<long>();
        for (var i = 0; i < d.Draw.Between(1, 2); i++) s.Insert(d.Draw.Between(0, s.Count), 1);
        for (var i = 0; i < s.Count; i++)
            if (s[i] == 1 && d.Draw.Chance(0.6)) axes.Add(d.Opset >= 11 && d.Draw.Chance(0.3) ? i - s.Count : i);
        d.In([.. s]);
        if (axes.Count == 0) return;
        if (d.Since < 13) d.Attr("axes", axes.ToArray());
        else d.Ints(axes);
    }

    private static void Unsqueeze(NodeDraft d)
    {
        var s = d.Shape(0, 3);
        var rank = s.Length + d.Draw.Between(1, 2);
        var axes = d.Draw.Permutation(rank).Take(rank - s.Length).Select(a => d.Opset >= 11 && d.Draw.Chance(0.3) ? (long)a - rank : a).ToArray();
        d.In(s);
        if (d.Since < 13) d.Attr("axes", axes);
        else d.Ints(axes);
    }

    private static void Concat(NodeDraft d)
    {
        var s = d.Shape(1);
        var a = d.Axis(s.Length);
        var count = d.Draw.Between(1, 4);
        for (var i = 0; i < count; i++)
        {
            var part = (long[])s.Clone();
            if (i > 0) part[At(a, s)] = d.Draw.Extent();
            d.In(part);
        }
        if (d.Since >= 4 || a != 1 || d.Draw.Chance(0.5)) d.Attr("axis", a);
    }

    private static void Split(NodeDraft d)
    {
        var s = d.Shape(1, nonEmpty: true);
        var a = d.Axis(s.Length);
        var count = d.Draw.Between(1, 3);
        var parts = Enumerable.Range(0, count).Select(_ => (long)d.Draw.Between(d.Since >= 2 && d.Draw.Chance(0.1) ? 0 : 1, 3)).ToArray();
        var equal = d.Draw.Chance(0.4);
        s[At(a, s)] = equal ? count * parts[0] : parts.Sum();
        d.In(s).Attr("axis", a).Out(count);
        if (equal)
        {
            if (d.Since >= 18) d.Attr("num_outputs", (long)count);
        }
        else if (d.Since < 13) d.Attr("split", parts);
        else d.Ints(parts);
    }

    private static void Slice(NodeDraft d)
    {
        var s = d.Shape(1);
        var axes = d.Draw.Some(s.Length, 1).Select(a => (long)a).ToArray();
        var steps = axes.Select(_ => d.Since >= 10 ? (long)d.Draw.Of(1, 1, 2, -1, -2) : 1).ToArray();
        var starts = axes.Select((a, i) => d.Draw.Chance(0.2) ? (steps[i] > 0 ? 0 : long.MaxValue >> 1) : d.Draw.Between((int)-s[a] - 1, (int)s[a] + 1)).ToArray();
        var ends = axes.Select((a, i) => d.Draw.Chance(0.3) ? (steps[i] > 0 ? int.MaxValue : int.MinValue) : (long)d.Draw.Between((int)-s[a] - 1, (int)s[a] + 1)).ToArray();
        var all = axes.Length == s.Length && d.Draw.Chance(0.3);
        if (d.Since < 10)
        {
            d.In(s).Attr("starts", starts.Select(x => Math.Min(x, int.MaxValue)).ToArray()).Attr("ends", ends).Attr("axes", all ? null : axes);
            return;
        }
        var t = d.TypeOf(1);
        if (t == DType.Int32) starts = [.. starts.Select(x => Math.Clamp(x, int.MinValue, int.MaxValue))];
        d.In(s).Ints(starts).Ints(ends);
        if (all && steps.All(x => x == 1)) return;
        if (all) d.Skip();
        else d.Ints(axes.Select(a => d.Draw.Chance(0.3) ? a - s.Length : a));
        if (steps.Any(x => x != 1) || d.Draw.Chance(0.3)) d.Ints(steps);
    }

    private static void GatherND(NodeDraft d)
    {
        var s = d.Shape(1, nonEmpty: true);
        var batch = d.Since >= 12 ? d.Draw.Below(Math.Min(2, s.Length)) : 0;
        var depth = d.Draw.Between(1, s.Length - batch);
        long[] outer = [.. s.Take(batch), .. d.Draw.Shape(d.Draw.Between(0, 2), nonEmpty: true)];
        var count = outer.Aggregate(1L, (p, e) => p * e);
        var values = new long[count * depth];
        for (var i = 0; i < values.Length; i++) values[i] = d.Draw.Below((int)s[batch + i % depth]) - (d.Draw.Chance(0.2) ? s[batch + i % depth] : 0);
        d.In(s).Value(Tensor.From<long>(values, new Shape([.. outer, depth])), d.Draw.Chance(0.5));
        if (batch > 0) d.Attr("batch_dims", (long)batch);
    }

    private static void ScatterElements(NodeDraft d)
    {
        var s = d.Shape(1, nonEmpty: true);
        var a = d.Axis(s.Length);
        var at = At(a, s);
        var type = d.OpType == "Scatter" ? d.Draw.Of(DType.Float32, DType.Int64, DType.Int32) : d.TypeOf(0);
        var index = d.OpType == "Scatter" ? d.Draw.Of(DType.Int32, DType.Int64) : d.TypeOf(1);
        var reduction = d.Since >= 16 ? d.Draw.Of(d.Since >= 18 ? (string[])["none", "add", "mul", "max", "min"] : ["none", "add", "mul"]) : "none";
        NodeDraft.Only(reduction == "none" || (type != DType.String && type != DType.Bool && type is not (DType.Complex64 or DType.Complex128)));
        var part = s.Select((e, i) => (long)d.Draw.Between(1, (int)e)).ToArray();
        var rows = part.Where((_, i) => i != at).Aggregate(1L, (p, e) => p * e);
        d.In(s, type: type).Value(Distinct(d, part, at, s[at], index, reduction != "none"), d.Draw.Chance(0.4)).In(part, type: type).Attr("axis", a);
        if (reduction != "none") d.Attr("reduction", reduction);
    }

    /// <summary>Indices along an axis, no two the same in a line unless that has a meaning.</summary>
    private static Tensor Distinct(NodeDraft d, long[] shape, int axis, long extent, DType type, bool repeats)
    {
        var values = new double[shape.Aggregate(1L, (p, e) => p * e)];
        var inner = shape.Skip(axis + 1).Aggregate(1L, (p, e) => p * e);
        var order = d.Draw.Permutation((int)extent);
        for (var i = 0; i < values.Length; i++)
        {
            var k = i / inner % shape[axis];
            values[i] = repeats ? d.Draw.Below((int)extent) : order[k];
            if (d.Opset >= 11 && d.Draw.Chance(0.2)) values[i] -= extent;
        }
        return Graphs.Evaluate.ElementTypes.From(values, type, new Shape(shape));
    }

    private static void ScatterND(NodeDraft d)
    {
        var s = d.Shape(1, nonEmpty: true);
        var depth = d.Draw.Between(1, s.Length);
        var reduction = d.Since >= 16 ? d.Draw.Of(d.Since >= 18 ? (string[])["none", "add", "mul", "max", "min"] : ["none", "add", "mul"]) : "none";
        NodeDraft.Only(reduction == "none" || (d.TypeOf(0) != DType.String && d.TypeOf(0) != DType.Bool && d.TypeOf(0) is not (DType.Complex64 or DType.Complex128)));
        var places = s.Take(depth).Aggregate(1L, (p, e) => p * e);
        var count = reduction == "none" ? d.Draw.Between(1, (int)places) : d.Draw.Between(1, 5);
        var order = d.Draw.Permutation((int)places);
        var values = new long[count * depth];
        for (var i = 0; i < count; i++)
        {
            long place = reduction == "none" ? order[i] : d.Draw.Below((int)places);
            for (var k = depth - 1; k >= 0; k--)
            {
                values[i * depth + k] = place % s[k] - (d.Draw.Chance(0.2) ? s[k] : 0);
                place /= s[k];
            }
        }
        d.In(s).Value(Tensor.From<long>(values, new Shape(count, depth)), d.Draw.Chance(0.5)).In([count, .. s.Skip(depth)]);
        if (reduction != "none") d.Attr("reduction", reduction);
    }

    private static void TensorScatter(NodeDraft d)
    {
        var s = d.Shape(3, nonEmpty: true);
        var axis = d.Draw.Between(1, s.Length - 1);
        var update = (long[])s.Clone();
        update[axis] = d.Draw.Between(1, (int)s[axis]);
        var circular = d.Draw.Chance(0.4);
        d.In(s).In(update).Attr("axis", (long)(d.Draw.Chance(0.5) ? axis : axis - s.Length)).Attr("mode", circular ? "circular" : "linear");
        if (d.Draw.Chance(0.7)) d.Ints(Enumerable.Range(0, (int)s[0]).Select(_ => (long)d.Draw.Below((int)(circular ? s[axis] : s[axis] - update[axis] + 1))));
    }

    private static void Tile(NodeDraft d)
    {
        if (d.Since == 1)
        {
            var whole = d.Shape(1);
            d.In(whole).Ints([d.Draw.Between(1, 3)], d.TypeOf(0), scalar: true).Ints([d.Draw.Below(whole.Length)], d.TypeOf(0), scalar: true);
            return;
        }
        var s = d.Shape();
        d.In(s).Ints(s.Select(_ => (long)d.Draw.Between(d.Draw.Chance(0.1) ? 0 : 1, 3)));
    }

    private static void Expand(NodeDraft d)
    {
        var s = d.Shape().Select(e => d.Draw.Chance(0.3) ? 1 : e).ToArray();
        var target = s.Select(e => e == 1 ? d.Draw.Between(1, 4) : d.Draw.Chance(0.3) ? 1 : e).ToList();
        while (d.Draw.Chance(0.3) && target.Count < 6) target.Insert(0, d.Draw.Between(1, 3));
        if (target.Count > 1 && d.Draw.Chance(0.2)) target.RemoveAt(0);
        d.In(s).Ints(target);
    }

    private static void Pad(NodeDraft d)
    {
        var mode = d.Draw.Of(d.Since >= 19 ? (string[])["constant", "reflect", "edge", "wrap"] : ["constant", "reflect", "edge"]);
        NodeDraft.Only(mode == "constant" || d.TypeOf(0) is not (DType.Complex64 or DType.Complex128));
        var s = d.Shape(1, nonEmpty: mode != "constant");
        var pads = new long[2 * s.Length];
        for (var i = 0; i < pads.Length; i++)
            pads[i] = mode == "constant" ? d.Draw.Between(0, 3) : mode == "reflect" ? d.Draw.Between(0, (int)s[i % s.Length] - 1) : mode == "wrap" ? d.Draw.Between(0, (int)s[i % s.Length]) : d.Draw.Between(0, 3);
        if (mode == "constant" && d.Draw.Chance(0.2))
            for (var i = 0; i < s.Length; i++)
                if (s[i] > 1) pads[i] = -1;
        d.In(s);
        if (mode != "constant" || d.Draw.Chance(0.3)) d.Attr("mode", mode);
        if (d.Since < 11)
        {
            d.Attr(d.Since == 1 ? "paddings" : "pads", pads);
            if (mode == "constant") d.Maybe("value", 1.5f);
            return;
        }
        var axes = d.Since >= 18 && d.Draw.Chance(0.3) ? d.Draw.Some(s.Length, 1) : null;
        d.Ints(axes is null ? pads : [.. axes.Select(a => pads[a]), .. axes.Select(a => pads[a + s.Length])]);
        if (mode == "constant" && d.Draw.Chance(0.5)) d.Weight([]);
        else if (axes is not null) d.Skip();
        if (axes is not null) d.Ints(axes.Select(a => d.Draw.Chance(0.3) ? (long)a - s.Length : a));
    }

    private static void OneHot(NodeDraft d)
    {
        var s = d.Shape(d.Since < 11 ? 1 : 0, 3);
        var depth = d.Draw.Between(1, 5);
        d.In(s, Fill.Few).Ints([depth], scalar: d.Draw.Chance(0.5)).In([2]).Maybe("axis", (long)d.Draw.Between(-s.Length - 1, s.Length));
    }

    private static void TopK(NodeDraft d)
    {
        var s = d.Shape(1, nonEmpty: true);
        var a = d.Axis(s.Length);
        var k = d.Draw.Between(d.Since >= 10 ? 0 : 1, (int)s[At(a, s)]);
        d.Value(Shuffled(d, s), false).Attr("axis", a).Out(2);
        if (d.Since < 10) d.Attr("k", (long)k);
        else d.Ints([k]);
        if (d.Since >= 11) d.Maybe("largest", (long)d.Draw.Below(2));
    }

    /// <summary>Different values, so that the order is told.</summary>
    private static Tensor Shuffled(NodeDraft d, long[] s)
    {
        var count = (int)s.Aggregate(1L, (p, e) => p * e);
        NodeDraft.Only(count < 100);
        return Graphs.Evaluate.ElementTypes.From([.. d.Draw.Permutation(count).Select(v => (double)v)], d.TypeOf(0), new Shape(s));
    }

    private static void Range(NodeDraft d)
    {
        var (start, step) = (d.Draw.Between(-5, 5), d.Draw.Of(1, 2, -1, -3));
        d.Ints([start], scalar: true).Ints([start + step * d.Draw.Between(-1, 5) + d.Draw.Below(2)], scalar: true).Ints([step], scalar: true);
        if (d.Opset >= 27) d.Maybe("stash_type", 1L);
    }
}
