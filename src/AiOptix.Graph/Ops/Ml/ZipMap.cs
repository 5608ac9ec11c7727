using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>ONNX ML ZipMap: every row of float32 [N, C] ([C] counts as one row) becomes a map from the classes to the row's elements; the result is the sequence of the maps.</summary>
/// <param name="Labels">The keys.</param>
public sealed record ZipMap(ClassLabels Labels) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => t == DType.Float32, "float32");
        FeatureRows.Count(context);
        if (context.Shape(0)?[-1].Constant is { } n && n != Labels.Count) throw context.Error($"{Labels.Count} keys do not fit {n} columns");
        context.Set(0, new SequenceType(new MapType(Labels.Type, new TensorType(DType.Float32, new SymbolicShape()))));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var (rows, columns) = FeatureRows.Of(context, x.Shape);
        if (columns != Labels.Count) throw context.Error($"{Labels.Count} keys do not fit {columns} columns");
        var maps = new RuntimeValue[rows];
        for (var row = 0; row < rows; row++) maps[row] = new MapValue(Labels.ToTensor(), Tensor.Vector<float>(x.Span<float>().Slice(row * columns, columns)));
        context.Set(0, new SequenceValue(maps));
        GC.KeepAlive(x);
    }
}
