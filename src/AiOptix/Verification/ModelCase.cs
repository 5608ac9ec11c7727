using AiOptix.Compiled;

namespace AiOptix.Verification;

/// <summary>One set of recorded inputs and outputs of a model.</summary>
/// <param name="Name">Its name: that of its folder.</param>
/// <param name="Inputs">A file for each graph input, in order. Null when the inputs are the ramp k / n, k from 0 to n - 1, over all n elements.</param>
/// <param name="Outputs">A file for each graph output, in order.</param>
public sealed record CaseData(string Name, IReadOnlyList<string>? Inputs, IReadOnlyList<string> Outputs);

/// <summary>A model with recorded answers.</summary>
/// <param name="Name">The name: the folder or file relative to where the search began.</param>
/// <param name="ModelPath">The model file.</param>
/// <param name="Data">The recordings, at least one.</param>
public sealed record ModelCase(string Name, string ModelPath, IReadOnlyList<CaseData> Data);

/// <summary>Finds models with recorded answers.</summary>
public static class ModelCases
{
    private const string SetPattern = "test_data_set_*";
    private const string RampSuffix = "_output_0.pb";

    /// <summary>
    /// The cases at a path. It is a folder with a model and <c>test_data_set_N</c> folders of <c>input_N.pb</c> and <c>output_N.pb</c> (the layout of the ONNX
    /// backend tests), the folder of a saved program (its recordings lie beside it, or beside the model that it was compiled from), a folder of models <c>NAME.onnx</c> with their first output in <c>NAME_output_0.pb</c> (the light models), or a folder that has such folders
    /// in it at any depth. Sorted by name.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static IReadOnlyList<ModelCase> Find(string path)
    {
        if (!Directory.Exists(path)) throw new DirectoryNotFoundException($"'{path}' is not a folder; give one that holds a model and its test_data_set folders");
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var found = new List<ModelCase>();
        Collect(root, root, found);
        return [.. found.OrderBy(c => c.Name, StringComparer.Ordinal)];
    }

    private static void Collect(string root, string folder, List<ModelCase> found)
    {
        var models = Directory.GetFiles(folder, "*.onnx");
        var sets = Directory.GetDirectories(folder, SetPattern);
        var (saved, name) = (SavedModel.Find(folder), Name(root, folder));
        if (saved is not null && sets.Length == 0 && Path.GetDirectoryName(SavedModel.OriginOf(saved)) is { } beside && Directory.Exists(beside))
            (sets, name) = (Directory.GetDirectories(beside, SetPattern), Path.GetFileName(beside));
        if (sets.Length > 0 && (saved ?? Model(models)) is { } model)
        {
            found.Add(new(name, model, [.. sets.Select(Recorded).Where(s => s.Outputs.Count > 0).OrderBy(s => s.Name, StringComparer.Ordinal)]));
            return;
        }
        foreach (var m in models)
        {
            var output = m[..^".onnx".Length] + RampSuffix;
            if (File.Exists(output)) found.Add(new(Name(root, m[..^".onnx".Length]), m, [new("ramp", null, [output])]));
        }
        foreach (var sub in Directory.GetDirectories(folder)) Collect(root, sub, found);
    }

    /// <summary>The model that the recordings belong to: <c>model.onnx</c>, or else the only one.</summary>
    private static string? Model(string[] models) => models.FirstOrDefault(m => Path.GetFileName(m) == "model.onnx") ?? (models is [var only] ? only : null);

    private static CaseData Recorded(string folder) => new(Path.GetFileName(folder), Numbered(folder, "input"), Numbered(folder, "output"));

    private static List<string> Numbered(string folder, string kind)
    {
        var files = new List<string>();
        while (Path.Combine(folder, $"{kind}_{files.Count}.pb") is var next && File.Exists(next)) files.Add(next);
        return files;
    }

    private static string Name(string root, string at) => at == root ? Path.GetFileName(root) : Path.GetRelativePath(root, at).Replace('\\', '/');
}
