using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX Col2Im: columns [N, C · block, blocks] added up into images [N, C, d…]; inputs 1 and 2 give the extents of image and block. Of bool the sum is whether any is true;
/// strings have none, so no two may meet.
/// </summary>
/// <param name="Strides">Steps between blocks; empty means 1.</param>
/// <param name="Pads">All begins, then all ends; empty means 0.</param>
/// <param name="Dilations">Distances between the elements of a block; empty means 1.</param>
public sealed record Col2Im(ValueList<long> Strides = default, ValueList<long> Pads = default, ValueList<long> Dilations = default) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.DType(0);
        context.RequireRank(0, 3);
        var image = context.ShapeFrom(1);
        var block = context.Integers(2);
        if (image is null)
        {
            context.Set(0, type, null);
            return;
        }
        if (block is not null && block.Length != image.Rank) throw context.Error($"a block of {block.Length} axes does not fit an image of {image.Rank}");
        var s = context.Shape(0);
        context.Set(0, type, new([s?[0] ?? context.Fresh(), s is not null && block is not null ? Dim.FloorDiv(s[1], block.Aggregate(1L, (a, b) => a * b)) : context.Fresh(), .. image]));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var image = context.Shape(context.RequiredIntegers(1));
        var block = context.Shape(context.RequiredIntegers(2));
        if (block.Rank != image.Rank) throw context.Error($"a block of {block.Rank} axes does not fit an image of {image.Rank}");
        var geometry = new ConvGeometry(new(block.Dims), Strides, Dilations, Pads);
        if (geometry.Problem() is { } problem) throw context.Error(problem);
        var blocks = geometry.Outputs(image.Dims);
        var count = context.Shape(blocks).Count;
        if (x.Shape.Rank != 3 || x.Shape[2] != count || block.Count == 0 || x.Shape[1] % block.Count != 0) throw context.Error($"columns {x} do not fit {count} blocks of {block.Count} elements");
        var taps = new long[block.Count];
        var channels = x.Shape[1] / taps.Length;
        var output = context.Allocate(0, x.DType, new Shape([x.Shape[0], channels, .. image.Dims]));
        var parts = Numbers.IsComplex(x.DType) ? 2 : 1;
        var values = x.DType == DType.String ? [] : x.ToComponents();
        var sums = new double[values.Length == 0 ? 0 : output.Count * parts];
        var texts = x.DType == DType.String ? new string?[output.Count] : null;
        var plane = image.Count;
        for (long p = 0; p < count; p++)
        {
            geometry.Taps(image.Dims, blocks, p, taps);
            for (long nc = 0; nc < x.Shape[0] * channels; nc++)
                for (var t = 0; t < taps.Length; t++)
                {
                    if (taps[t] < 0) continue;
                    var (from, to) = ((nc * taps.Length + t) * count + p, nc * plane + taps[t]);
                    if (texts is null)
                        for (var part = 0; part < parts; part++) sums[to * parts + part] += values[from * parts + part];
                    else texts[to] = texts[to] is null ? x.Strings[from] : throw context.Error("blocks of strings overlap, and strings have no sum");
                }
        }
        if (texts is not null) context.Set(0, Tensor.FromStrings(Array.ConvertAll(texts, t => t ?? ""), output.Shape));
        else if (x.DType == DType.Bool) ElementTypes.Write(output, 0, Array.ConvertAll(sums, v => v == 0 ? 0.0 : 1));
        else output.StoreComponents(sums);
    }
}
