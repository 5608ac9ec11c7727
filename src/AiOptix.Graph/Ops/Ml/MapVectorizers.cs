using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>Maps as inputs.</summary>
internal static class Maps
{
    public static (DType Key, DType Value) Require(InferenceContext context) =>
        context.Type(0) is MapType { Value: TensorType v } m ? (m.Key, v.DType) : throw context.Error($"input 0 must be a map, found {context.Type(0)}");

    public static MapValue Of(EvaluationContext context) => context.Value(0) as MapValue ?? throw context.Error("input 0 must be a map");
}

/// <summary>ONNX ML DictVectorizer: the values of a map at the places of their keys in a vocabulary, as [1, vocabulary]; where no key is, 0 or an empty string.</summary>
/// <param name="Vocabulary">The keys.</param>
public sealed record DictVectorizer(ClassLabels Vocabulary) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var (key, value) = Maps.Require(context);
        if (key != Vocabulary.Type) throw context.Error($"a vocabulary of {Vocabulary.Type.Name()} does not fit keys of {key.Name()}");
        context.Set(0, value, new SymbolicShape(1, Vocabulary.Count));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var map = Maps.Of(context);
        var output = context.Allocate(0, map.Values.DType, new Shape(1, Vocabulary.Count), zeroed: true);
        var mover = new ElementMover(map.Values, output);
        var integers = map.Keys.DType == DType.String ? null : map.Keys.ToInt64();
        for (var i = 0; i < map.Keys.Count; i++)
        {
            var place = integers is null ? Vocabulary.Strings.Span.IndexOf(map.Keys.Strings[i]) : Vocabulary.Integers.Span.IndexOf(integers[i]);
            if (place >= 0) mover.Copy(i, place, 1);
        }
    }
}

/// <summary>ONNX ML CastMap: the values of a map with int64 keys, in the order of the keys, as [1, C] of another type: side by side, or each at the place that its key names.</summary>
/// <param name="To">float32, int64 or string.</param>
/// <param name="Sparse">Keys are places.</param>
/// <param name="Length">How many places there are then.</param>
public sealed record CastMap(DType To = DType.Float32, bool Sparse = false, long Length = 1) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var (key, _) = Maps.Require(context);
        if (key != DType.Int64) throw context.Error($"keys must be int64, found {key.Name()}");
        if (To is not (DType.Float32 or DType.Int64 or DType.String)) throw context.Error($"{To.Name()} is none of float32, int64 and string");
        context.Set(0, To, new SymbolicShape(1, Sparse ? Length : context.Fresh()));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var map = Maps.Of(context);
        var keys = map.Keys.ToInt64();
        var order = Enumerable.Range(0, keys.Length).OrderBy(i => keys[i]).ToArray();
        using var values = ElementTypes.Convert(map.Values, To);
        var output = context.Allocate(0, To, new Shape(1, Sparse ? Length : keys.Length), zeroed: true);
        if (Sparse && To == DType.String && map.Values.DType != DType.String) Array.Fill(output.Strings, "0");
        var mover = new ElementMover(values, output);
        for (var i = 0; i < order.Length; i++)
        {
            if (Sparse && (keys[order[i]] < 0 || keys[order[i]] >= Length)) throw context.Error($"key {keys[order[i]]} is not in 0 to {Length - 1}");
            mover.Copy(order[i], Sparse ? keys[order[i]] : i, 1);
        }
    }
}
