using AiOptix.Data;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix;

/// <summary>
/// Sample inputs of a model, in one of these forms: a folder of files <c>NAME.npy</c>, one for each input, which make one sample; a folder of folders that each hold such files; a folder of
/// folders <c>test_data_set_N</c> that hold <c>input_N.pb</c>, as the ONNX backend tests do; files <c>.npz</c> or <c>.safetensors</c> (a path, or a pattern), each of which is one sample with
/// a member for each input. A character of an input's name that is not a letter, digit, hyphen, underscore or dot is an underscore in the name of an NPY file.
/// </summary>
public static class SampleFolder
{
    /// <summary>Opens the samples, in the order of their names. Each has a field for each input of the model; files are read when their sample is.</summary>
    /// <exception cref="IOException">There is no such folder or file.</exception>
    /// <exception cref="InvalidInputException">It holds no samples.</exception>
    public static IndexedDataset Open(Model model, string path)
    {
        var names = model.Inputs.Select(i => i.Name).ToArray();
        if (!Directory.Exists(path))
        {
            var ending = Path.GetExtension(path).ToLowerInvariant();
            if (ending == ".npz") return Datasets.Npz([path], names, FileContent.Sample);
            if (ending == ".safetensors") return Datasets.Safetensors([path], names, FileContent.Sample);
            throw new DirectoryNotFoundException($"there is no folder '{path}' with sample inputs, and it names no .npz or .safetensors files");
        }
        if (IsSample(path)) return Folders(model, names, [path]);
        string[] folders = [.. Directory.GetDirectories(path).Where(IsSample).OrderBy(f => f.Length).ThenBy(f => f, StringComparer.Ordinal)];
        return folders.Length > 0 ? Folders(model, names, folders)
            : throw new InvalidInputException($"'{path}' holds no samples; expected {string.Join(", ", names.Select(FileName))}, folders of these, or test_data_set_N folders");
    }

    /// <summary>Reads all samples.</summary>
    /// <returns>For each sample, a tensor for each input of the model, in order.</returns>
    /// <exception cref="IOException">There is no such folder or file.</exception>
    /// <exception cref="InvalidInputException">It holds no samples.</exception>
    /// <exception cref="SampleException">One lacks an input, or a file is damaged.</exception>
    public static IReadOnlyList<Tensor[]> Read(Model model, string path, Limits? limits = null)
    {
        using var samples = Open(model, path);
        return [.. samples.Tensors([.. model.Inputs.Select(i => i.Name)], limits)];
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
