using AiOptix.Data;
using AiOptix.Tensors;

namespace AiOptix;

/// <summary>
/// Many samples in one file: an NPZ archive with an array for each input, or, for a model of one input, an NPY file. The first axis of the arrays runs over the samples: it is cut into
/// batches where the model's own first axis is open, and taken away where the array has one axis more than the input.
/// </summary>
public static class SampleFile
{
    /// <summary>Whether a path is read by this class, and not by <see cref="SampleFolder"/>.</summary>
    public static bool IsOne(string path) => Path.GetExtension(path) is ".npz" or ".npy" && File.Exists(path);

    /// <summary>Reads the samples.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file.</param>
    /// <param name="batch">Rows of a sample, where the model leaves them open; the last sample may have fewer.</param>
    /// <returns>For each sample, a tensor for each input of the model, in order.</returns>
    /// <exception cref="InvalidInputException">An array is missing or does not fit.</exception>
    /// <exception cref="InputTypeException">An array has the wrong element type.</exception>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public static IReadOnlyList<Tensor[]> Read(Model model, string path, int batch = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        if (model.Inputs.Count == 0) throw new InvalidInputException($"{path} holds samples, but the model has no inputs");
        using var data = Path.GetExtension(path) == ".npz" ? Datasets.Npz([path]) : Datasets.Npy([path], model.Inputs[0].Name);
        if (data.Count == 0) throw new InvalidInputException($"{path} holds no samples");
        using var one = new DataLoader(data, new() { BatchSize = null, Workers = 0, Prefetch = 1 });
        using var first = one.First();
        var rows = Array.ConvertAll([.. model.Inputs], i => Rows(i, first[Name(model, i, first.Names, path)], batch, path)).Distinct().ToArray();
        if (rows is not [var size]) throw new InvalidInputException($"{path}: some inputs take a row of their array, some several: the samples cannot be cut alike");
        if (model.Inputs.Any(i => i.Shape![0].IsConstant) && size is { } fixedRows && data.Count % fixedRows != 0)
            throw new InvalidInputException($"{path}: {data.Count} rows cannot be cut into samples of {fixedRows}, which the model takes");
        using var loader = new DataLoader(data, new() { BatchSize = size, Workers = 0 });
        var samples = new List<Tensor[]>();
        foreach (var part in loader)
            using (part) samples.Add([.. model.Inputs.Select(i => part[Name(model, i, part.Names, path)].Share())]);
        return samples;
    }

    /// <summary>Reads labels, one for each sample or for each row of the samples.</summary>
    /// <param name="path">An NPY file whose first axis runs over them.</param>
    /// <param name="samples">The samples.</param>
    public static IReadOnlyList<Tensor> Labels(string path, IReadOnlyList<Tensor[]> samples)
    {
        using var labels = NpyFile.Read(path);
        return Labels(labels, samples, path);
    }

    /// <summary>Cuts labels, one for each sample or for each row of the samples.</summary>
    /// <param name="labels">Its first axis runs over them.</param>
    /// <param name="samples">The samples.</param>
    /// <param name="source">Where they are from, for messages.</param>
    public static IReadOnlyList<Tensor> Labels(Tensor labels, IReadOnlyList<Tensor[]> samples, string source)
    {
        var there = labels.Shape.Rank == 0 ? 0 : labels.Shape[0];
        long Rows(Tensor[] sample) => sample.Length > 0 && sample[0].Shape.Rank > 0 ? sample[0].Shape[0] : 1;
        if (there == samples.Sum(Rows))
        {
            long at = 0;
            return [.. samples.Select(s => Slice(labels, (at += Rows(s)) - Rows(s), Rows(s)))];
        }
        if (there == samples.Count) return [.. samples.Select((_, i) => Slice(labels, i, 1))];
        throw new InvalidInputException($"{source} holds {there} labels; the data has {samples.Count} samples{(samples.Sum(Rows) != samples.Count ? $" of {samples.Sum(Rows)} rows" : "")}");
    }

    /// <summary>The array of an input: that of its name, or the only one for the only input.</summary>
    private static string Name(Model model, ValueInfo input, IReadOnlyList<string> arrays, string path)
    {
        if (arrays.Contains(input.Name)) return input.Name;
        if (model.Inputs.Count == 1 && arrays.Count == 1) return arrays[0];
        throw new InvalidInputException($"{path} has no array '{input.Name}'; it has {string.Join(", ", arrays.Select(k => $"'{k}'"))}, the model needs {string.Join(", ", model.Inputs.Select(i => $"'{i.Name}'"))}");
    }

    /// <summary>How many rows of an array a sample takes; null where a row is the input itself.</summary>
    private static int? Rows(ValueInfo input, Tensor row, int batch, string path)
    {
        if (input.Shape is not { } shape) throw new InvalidInputException($"{path}: input '{input.Name}' has no known rank; give its samples as a folder");
        if (row.DType != input.DType) throw new InputTypeException($"{path}: the array for input '{input.Name}' holds {row.DType.Name()}, expected {input.Type}");
        if (row.Shape.Rank == shape.Rank && shape.Rank > 0) return null;
        if (row.Shape.Rank + 1 != shape.Rank) throw new InvalidInputException($"{path}: the rows of the array for input '{input.Name}' are {row}, expected {input.Type} with the samples along its first axis, or along one more");
        return shape[0].Constant is { } rows ? checked((int)rows) : batch;
    }

    private static Tensor Slice(Tensor array, long from, long rows)
    {
        var shape = new Shape([rows, .. array.Shape.Skip(1)]);
        if (array.DType == DType.String)
        {
            var row = (int)array.Shape.Product(1, array.Shape.Rank);
            return Tensor.FromStrings(array.Strings[(int)(from * row)..(int)((from + rows) * row)], shape);
        }
        var piece = Tensor.Allocate(array.DType, shape);
        if (piece.ByteLength > 0) array.BytesAt(from * (array.ByteLength / array.Shape[0]), checked((int)piece.ByteLength)).CopyTo(piece.Bytes);
        GC.KeepAlive(array);
        return piece;
    }
}
