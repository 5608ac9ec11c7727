using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>
/// ONNX ML LabelEncoder (version 4): every element replaced by the value that stands at its key's place; one that is no key by the default. Of equal keys the last counts;
/// NaN is a key like any other.
/// </summary>
/// <param name="Keys">A vector of the input's type.</param>
/// <param name="Values">As many values.</param>
/// <param name="Default">One value.</param>
public sealed record LabelEncoder(TensorAttribute Keys, TensorAttribute Values, TensorAttribute Default) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var (keys, values) = (Keys.Tensor, Values.Tensor);
        context.Require(0, t => t == keys.DType, $"{keys.DType.Name()}, the type of the keys");
        if (keys.Count != values.Count) throw context.Error($"{keys.Count} keys do not fit {values.Count} values");
        if (Default.Tensor.DType != values.DType || Default.Tensor.Count != 1) throw context.Error($"the default {Default.Tensor} does not fit values of type {values.DType.Name()}");
        context.Set(0, values.DType, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var places = x.DType switch
        {
            DType.String => Find(Keys.Tensor.Strings, x.Strings),
            var t when Numbers.IsReal(t) => Find(Keys.Tensor.ToReals(), x.ToReals()),
            _ => Find(Keys.Tensor.ToInt64(), x.ToInt64()),
        };
        var output = context.Allocate(0, Values.Tensor.DType, x.Shape);
        var known = new ElementMover(Values.Tensor, output);
        var unknown = new ElementMover(Default.Tensor, output);
        for (long i = 0; i < places.Length; i++)
            if (places[i] < 0) unknown.Copy(0, i, 1);
            else known.Copy(places[i], i, 1);
    }

    private static int[] Find<T>(T[] keys, T[] elements) where T : notnull
    {
        var places = new Dictionary<T, int>();
        for (var i = 0; i < keys.Length; i++) places[keys[i]] = i;
        return Array.ConvertAll(elements, e => places.GetValueOrDefault(e, -1));
    }
}
