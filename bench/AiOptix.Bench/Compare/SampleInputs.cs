using AiOptix.Bench.Ort;
using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>Inputs made up within the types and shapes that a model declares: numbers of 0..1, integers of 0..1, masks of ones.</summary>
internal static class SampleInputs
{
    private const long Sequence = 128;
    private const long Image = 224;

    internal static IReadOnlyDictionary<string, Tensor> Draw(IReadOnlyList<OrtValueInfo> inputs, CompareOptions options)
    {
        var random = new Random(options.Seed);
        return inputs.ToDictionary(i => i.Name, i => Draw(i, options, random), StringComparer.Ordinal);
    }

    private static Tensor Draw(OrtValueInfo info, CompareOptions options, Random random)
    {
        if (info.Kind != OrtKind.Tensor) throw new UnsupportedModelException($"input '{info.Name}' is a {info.Kind}; only tensors can be drawn, record one as input_N.pb");
        var shape = new Shape([.. info.Dims.Select((d, axis) => d >= 0 ? d : Extent(info, axis, options))]);
        var t = Tensor.Allocate(info.DType, shape, zeroed: true);
        var mask = info.Name.Contains("mask", StringComparison.OrdinalIgnoreCase);
        switch (info.DType)
        {
            case DType.Float32:
                foreach (ref var x in t.Span<float>()) x = mask ? 1 : random.NextSingle();
                break;
            case DType.Float64:
                foreach (ref var x in t.Span<double>()) x = mask ? 1 : random.NextDouble();
                break;
            case DType.Float16:
                foreach (ref var x in t.Span<Half>()) x = mask ? Half.One : (Half)random.NextSingle();
                break;
            case DType.Int64:
                foreach (ref var x in t.Span<long>()) x = mask ? 1 : random.Next(2);
                break;
            case DType.Int32:
                foreach (ref var x in t.Span<int>()) x = mask ? 1 : random.Next(2);
                break;
            case DType.UInt8:
                random.NextBytes(t.Span<byte>());
                break;
            case DType.Bool:
                t.Span<byte>().Fill(1);
                break;
            case DType.String:
                Array.Fill(t.Strings, "text");
                break;
            default:
                break;
        }
        return t;
    }

    private static long Extent(OrtValueInfo info, int axis, CompareOptions options)
    {
        var symbol = info.Symbols[axis];
        if (options.Extents.TryGetValue(symbol, out var given)) return given;
        if (symbol.Contains("seq", StringComparison.OrdinalIgnoreCase) && !symbol.Contains("past", StringComparison.OrdinalIgnoreCase)) return Sequence;
        return info.Dims.Length == 4 && axis >= 2 && info.DType is DType.Float32 or DType.UInt8 ? Image : 1;
    }
}
