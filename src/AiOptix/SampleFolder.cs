using AiOptix.Data;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix;

/// <summary>
/// Sample inputs in a folder, in one of three forms: files <c>NAME.npy</c>, one for each input of the model, which make one sample; or folders that each hold such
/// files; or folders <c>test_data_set_N</c> that hold <c>input_N.pb</c>, as the ONNX backend tests do. A character of an input's name that is not a letter, digit,
/// hyphen, underscore or dot is an underscore in the file's name.
/// </summary>
public static class SampleFolder
{
    /// <summary>Reads the samples, folders by name.</summary>
    /// <returns>For each sample, a tensor for each input of the model, in order.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidInputException">It holds no samples, or one lacks an input.</exception>
    /// <exception cref="ModelFormatException">A file is damaged.</exception>
    public static IReadOnlyList<Tensor[]> Read(Model model, string folder, Limits? limits = null)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"there is no folder '{folder}' with sample inputs");
        if (IsSample(folder)) return [Sample(model, folder, limits)];
        string[] folders = [.. Directory.GetDirectories(folder).Where(IsSample).OrderBy(f => f.Length).ThenBy(f => f, StringComparer.Ordinal)];
        return folders.Length > 0 ? [.. folders.Select(f => Sample(model, f, limits))]
            : throw new InvalidInputException($"'{folder}' holds no samples; expected {string.Join(", ", model.Inputs.Select(i => FileName(i.Name)))}, folders of these, or test_data_set_N folders");
    }

    /// <summary>The file of an input or output: its name with what paths treat specially as underscores, and <c>.npy</c>.</summary>
    public static string FileName(string name)
    {
        var plain = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_'));
        return (plain.StartsWith('.') ? "_" + plain[1..] : plain) + ".npy";
    }

    private static bool IsSample(string folder) => File.Exists(Recorded(folder, 0)) || Directory.EnumerateFiles(folder, "*.npy").Any();

    private static string Recorded(string folder, int index) => Path.Combine(folder, $"input_{index}.pb");

    private static Tensor[] Sample(Model model, string folder, Limits? limits)
    {
        var recorded = File.Exists(Recorded(folder, 0));
        return [.. model.Inputs.Select((input, i) =>
        {
            var path = recorded ? Recorded(folder, i) : Path.Combine(folder, FileName(input.Name));
            if (!File.Exists(path)) throw new InvalidInputException($"input '{input.Name}' is missing: there is no {path}");
            return recorded ? TensorFile.Read(path, limits) : NpyFile.Read(path);
        })];
    }
}
