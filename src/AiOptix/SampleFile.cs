using System.Runtime.ExceptionServices;
using AiOptix.Data;
using AiOptix.Tensors;

namespace AiOptix;

/// <summary>
/// Many samples in one file: an NPZ archive or a safetensors file with an array for each input, or, for a model of one input, an NPY file. The first axis of the arrays runs over the samples: it is cut into
/// batches where the model's own first axis is open, and taken away where the array has one axis more than the input.
/// </summary>
public static class SampleFile
{
    /// <summary>Whether a path is read by this class, and not by <see cref="SampleFolder"/>.</summary>
    public static bool IsOne(string path) => Path.GetExtension(path) is ".npz" or ".npy" or ".safetensors" && !Directory.Exists(path);

    /// <summary>Reads the samples.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file.</param>
    /// <param name="batch">Rows of a sample, where the model leaves them open; the last sample may have fewer.</param>
    /// <param name="limits">What the file may ask for.</param>
    /// <returns>For each sample, a tensor for each input of the model, in order.</returns>
    /// <exception cref="InvalidInputException">An input is missing, or an array does not fit.</exception>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public static IReadOnlyList<Tensor[]> Read(Model model, string path, int batch = 1, Limits? limits = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        var arrays = Arrays(path, limits);
        try
        {
            var columns = model.Inputs.Select(i => Cut(i, Find(model, i, arrays, path), batch, path)).ToArray();
            if (columns.Length == 0 || columns[0].Length == 0) throw new InvalidInputException($"{path} holds no samples");
            if (Array.Find(columns, c => c.Length != columns[0].Length) is not null)
                throw new InvalidInputException($"{path}: the arrays hold different numbers of samples: {string.Join(", ", model.Inputs.Zip(columns, (i, c) => $"{c.Length} of '{i.Name}'"))}");
            return [.. Enumerable.Range(0, columns[0].Length).Select(s => Array.ConvertAll(columns, c => c[s]))];
        }
        finally
        {
            foreach (var array in arrays.Values) array.Dispose();
        }
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
            return [.. samples.Select(s => Slice(labels, (at += Rows(s)) - Rows(s), Rows(s), drop: false))];
        }
        if (there == samples.Count) return [.. samples.Select((_, i) => Slice(labels, i, 1, drop: false))];
        throw new InvalidInputException($"{source} holds {there} labels; the data has {samples.Count} samples{(samples.Sum(Rows) != samples.Count ? $" of {samples.Sum(Rows)} rows" : "")}");
    }

    private static Tensor Find(Model model, ValueInfo input, Dictionary<string, Tensor> arrays, string path)
    {
        if (arrays.TryGetValue(input.Name, out var array)) return array;
        if (model.Inputs.Count == 1 && arrays.Count == 1) return arrays.Values.First();
        throw new InvalidInputException($"{path} has no array '{input.Name}'; it has {string.Join(", ", arrays.Keys.Select(k => k.Length == 0 ? "one without a name" : $"'{k}'"))}, the model needs {string.Join(", ", model.Inputs.Select(i => $"'{i.Name}'"))}");
    }

    private static Tensor[] Cut(ValueInfo input, Tensor array, int batch, string path)
    {
        if (input.Shape is not { } shape) throw new InvalidInputException($"{path}: input '{input.Name}' has no known rank; give its samples as a folder");
        if (array.DType != input.DType) throw new InputTypeException($"{path}: the array for input '{input.Name}' is {array}, expected {input.Type}");
        var count = array.Shape.Rank == 0 ? 0 : array.Shape[0];
        if (array.Shape.Rank == shape.Rank + 1) return [.. Enumerable.Range(0, checked((int)count)).Select(i => Slice(array, i, 1, drop: true))];
        if (array.Shape.Rank != shape.Rank || shape.Rank == 0) throw new InvalidInputException($"{path}: the array for input '{input.Name}' is {array}, expected {input.Type} with the samples along its first axis, or along one more");
        var rows = shape[0].Constant ?? batch;
        if (shape[0].IsConstant && (rows == 0 || count % rows != 0)) throw new InvalidInputException($"{path}: {count} rows for input '{input.Name}' cannot be cut into samples of {rows}");
        return [.. Enumerable.Range(0, checked((int)((count + rows - 1) / rows))).Select(i => Slice(array, i * rows, Math.Min(rows, count - i * rows), drop: false))];
    }

    private static Tensor Slice(Tensor array, long from, long rows, bool drop)
    {
        var shape = new Shape([.. drop ? [] : new[] { rows }, .. array.Shape.Skip(1)]);
        if (array.DType == DType.String)
        {
            var row = (int)array.Shape.Product(1, array.Shape.Rank);
            return Tensor.FromStrings(array.Strings[(int)(from * row)..(int)((from + rows) * row)], shape);
        }
        return array.View(from * array.Shape.Product(1, array.Shape.Rank), shape);
    }

    /// <summary>The arrays of a file by name; of an NPY file one without a name, mapped.</summary>
    private static Dictionary<string, Tensor> Arrays(string path, Limits? limits)
    {
        if (Path.GetExtension(path) == ".npy") return new() { [""] = NpyFile.Read(path) };
        using var file = Datasets.Open([path], content: FileContent.Sample);
        using var loader = new DataLoader(file, new() { BatchSize = null, Workers = 0, Limits = limits ?? Limits.Default });
        try
        {
            using var arrays = loader.Single();
            return arrays.Names.ToDictionary(n => n, n => arrays[n].Share(), StringComparer.Ordinal);
        }
        catch (SampleException e)
        {
            ExceptionDispatchInfo.Throw(e.Error.Cause);
            throw;
        }
    }
}
