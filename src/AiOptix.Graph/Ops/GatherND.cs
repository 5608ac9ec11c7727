using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX GatherND: each vector along the last axis of input 1 points at an element or a slice of input 0.</summary>
/// <param name="BatchDims">How many leading axes both inputs share.</param>
public sealed record GatherND(long BatchDims = 0) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(1, t => t == DType.Int64, "int64");
        var type = context.DType(0);
        if (context.Shape(0) is not { } data || context.Shape(1) is not { } indices)
        {
            context.Set(0, type, null);
            return;
        }
        if (data.Rank == 0 || indices.Rank == 0) throw context.Error("both inputs must have at least one axis");
        if (BatchDims < 0 || BatchDims >= Math.Min(data.Rank, indices.Rank)) throw context.Error($"batch_dims {BatchDims} is out of range for shapes {data} and {indices}");
        var batch = Queries.Each((int)BatchDims, i => context.Same(data[i], indices[i], $"batch axis {i}"));
        if (indices[-1].Constant is not { } depth)
        {
            context.Set(0, type, null);
            return;
        }
        if (depth < 1 || depth > data.Rank - BatchDims) throw context.Error($"the last axis of indices {indices} must be 1..{data.Rank - BatchDims}");
        context.Set(0, type, new([.. batch, .. indices.Skip((int)BatchDims).SkipLast(1), .. data.Skip((int)(BatchDims + depth))]));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var data = context.Input(0);
        var shape = context.Input(1).Shape;
        var indices = context.RequiredIntegers(1);
        var depth = (int)shape[-1];
        var batches = shape.Product(0, (int)BatchDims);
        var perBatch = shape.Product((int)BatchDims, shape.Rank - 1);
        var run = data.Shape.Product((int)BatchDims + depth, data.Shape.Rank);
        var whole = data.Shape.Product((int)BatchDims, data.Shape.Rank);
        var output = context.Allocate(0, data.DType, new Shape([.. shape.SkipLast(1), .. data.Shape.Skip((int)BatchDims + depth)]), zeroed: data.DType.IsPacked());
        var strides = data.Shape.Strides();
        var mover = new ElementMover(data, output);
        long at = 0;
        for (long b = 0; b < batches; b++)
            for (long i = 0; i < perBatch; i++, at++)
            {
                var from = b * whole;
                for (var k = 0; k < depth; k++)
                {
                    var index = indices[at * depth + k];
                    var extent = data.Shape[(int)BatchDims + k];
                    if (index < -extent || index >= extent) throw context.Error($"index {index} is out of range for axis {BatchDims + k} of shape {data.Shape}");
                    from += (index < 0 ? index + extent : index) * strides[(int)BatchDims + k];
                }
                mover.Copy(from, at * run, run);
            }
    }
}
