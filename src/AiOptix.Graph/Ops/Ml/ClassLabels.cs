using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>The names of classes: integers or strings, one of the two lists being empty.</summary>
/// <param name="Integers">Integer labels.</param>
/// <param name="Strings">String labels.</param>
public sealed record ClassLabels(ValueList<long> Integers = default, ValueList<string> Strings = default)
{
    /// <summary>How many.</summary>
    public int Count => Integers.Count + Strings.Count;

    /// <summary>The element type.</summary>
    public DType Type => Strings.Count > 0 ? DType.String : DType.Int64;

    /// <summary>All labels as a vector.</summary>
    internal Tensor ToTensor() => Strings.Count > 0 ? Tensor.FromStrings([.. Strings], new Shape(Strings.Count)) : Tensor.Vector<long>(Integers.Span);

    /// <summary>The labels of rows of ranks [N, classes]: those of the largest; of one class 1 stands for its label and 0 for none.</summary>
    internal Value Compose(Composition to, Value ranks, int classes)
    {
        if (classes > 1)
        {
            var largest = to.Add(new ArgMax(1, KeepDims: false), ranks);
            return Count == 0 ? largest : to.Add(new Gather(), to.Constant(ToTensor()), largest);
        }
        var labels = Strings.Count > 0 ? Tensor.FromStrings(["", Strings[0]], new Shape(2)) : Tensor.Vector(0L, Integers.Count > 0 ? Integers[0] : 0L);
        return to.Add(new Gather(), to.Constant(labels), to.Add(new Squeeze(), to.Add(new Cast(DType.Int64), ranks), to.Integers(1)));
    }

    /// <summary>Writes the label of a class; -1 stands for none (0 or an empty string).</summary>
    internal void Put(Tensor output, int row, int index)
    {
        if (Strings.Count > 0) output.Strings[row] = index < 0 ? "" : Strings[index];
        else output.Span<long>()[row] = index < 0 ? 0 : Integers.Count > 0 ? Integers[index] : index;
    }

    /// <summary>Sets the types of label and score outputs: [N] and [N, scores].</summary>
    internal void Infer(InferenceContext context, int scores)
    {
        if (Integers.Count > 0 && Strings.Count > 0) throw context.Error("class labels must be integers or strings, not both");
        var rows = FeatureRows.Count(context);
        context.Set(0, Type, new SymbolicShape(rows));
        context.Set(1, DType.Float32, new SymbolicShape(rows, scores));
    }

    /// <summary>The index of the largest score; of equal ones the first.</summary>
    internal static int Largest(ReadOnlySpan<double> scores)
    {
        var best = 0;
        for (var i = 1; i < scores.Length; i++)
            if (scores[i] > scores[best]) best = i;
        return best;
    }
}
