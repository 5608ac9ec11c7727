using System.Runtime.ExceptionServices;
using AiOptix.Data;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix;

/// <summary>
/// Sample inputs of a model, in one of these forms: a folder of files <c>NAME.npy</c>, one for each input, which make one sample; a folder of folders that each hold such files; a folder of
/// folders <c>test_data_set_N</c> that hold <c>input_N.pb</c>, as the ONNX backend tests do; or one file of many samples (<see cref="SampleFile"/>). A character of an input's name that is not
/// a letter, digit, hyphen, underscore or dot is an underscore in the name of an NPY file.
/// </summary>
public static class SampleFolder
{
    /// <summary>Opens a folder of samples, in the order of their names. Each has a field for each input of the model; files are read when their sample is.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidInputException">It holds no samples.</exception>
    public static IndexedDataset Open(Model model, string path)
    {
        var names = model.Inputs.Select(i => i.Name).ToArray();
        if (!Directory.Exists(path)) throw new DirectoryNotFoundException($"there is no folder '{path}' with sample inputs");
        if (IsSample(path)) return Folders(model, names, [path]);
        string[] folders = [.. Directory.GetDirectories(path).Where(IsSample).OrderBy(f => f.Length).ThenBy(f => f, StringComparer.Ordinal)];
        return folders.Length > 0 ? Folders(model, names, folders)
            : throw new InvalidInputException($"'{path}' holds no samples; expected {string.Join(", ", names.Select(FileName))}, folders of these, or test_data_set_N folders");
    }

    /// <summary>Reads all samples, of a folder or of one file.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The folder or file.</param>
    /// <param name="batch">Rows of a sample of one file, where the model leaves them open.</param>
    /// <param name="limits">What files may ask for.</param>
    /// <returns>For each sample, a tensor for each input of the model, in order.</returns>
    /// <exception cref="IOException">There is no such folder or file.</exception>
    /// <exception cref="InvalidInputException">It holds no samples, or one lacks an input.</exception>
    /// <exception cref="ModelFormatException">A file is damaged.</exception>
    public static IReadOnlyList<Tensor[]> Read(Model model, string path, int batch = 1, Limits? limits = null)
    {
        if (SampleFile.IsOne(path)) return SampleFile.Read(model, path, batch, limits);
        using var samples = Open(model, path);
        try
        {
            return [.. samples.Tensors([.. model.Inputs.Select(i => i.Name)], limits)];
        }
        catch (SampleException e)
        {
            ExceptionDispatchInfo.Throw(e.Error.Cause);
            throw;
        }
    }

    /// <summary>The file of an input or output: its name with what paths treat specially as underscores, and <c>.npy</c>.</summary>
    public static string FileName(string name)
    {
        var plain = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_'));
        return (plain.StartsWith('.') ? "_" + plain[1..] : plain) + ".npy";
    }

    private static bool IsSample(string folder) => File.Exists(Recorded(folder, 0)) || Directory.EnumerateFiles(folder, "*.npy").Any();

    private static string Recorded(string folder, int index) => Path.Combine(folder, $"input_{index}.pb");

    private static IndexedDataset Folders(Model model, string[] names, string[] folders) => Datasets.Function(folders.Length, (index, context) =>
    {
        var folder = folders[index];
        var recorded = File.Exists(Recorded(folder, 0));
        var values = new List<Tensor>(names.Length);
        try
        {
            foreach (var name in names)
            {
                var path = recorded ? Recorded(folder, values.Count) : Path.Combine(folder, FileName(name));
                if (!File.Exists(path)) throw new InvalidInputException($"input '{name}' is missing: there is no {path}");
                values.Add(recorded ? TensorFile.Read(path, context.Limits) : NpyFile.Read(path));
            }
            return new(names, values);
        }
        catch
        {
            foreach (var value in values) value.Dispose();
            throw;
        }
    }, string.Join('\n', folders.Select(f => Path.GetFileName(f))));
}
