namespace AiOptix.Data;

public static partial class Datasets
{
    private static readonly string[] tables = [".csv", ".tsv", ".jsonl", ".ndjson"];

    /// <summary>Files of a kind that their ending tells: NPY, NPZ, safetensors, or images.</summary>
    /// <param name="paths">Files, folders, patterns.</param>
    /// <param name="name">The name of the field, where files have none of their own.</param>
    /// <param name="content">What a file of tensors holds.</param>
    /// <exception cref="IOException">A file is not there or cannot be opened.</exception>
    /// <exception cref="ArgumentException">The ending is not known, or needs to be told more.</exception>
    public static IndexedDataset Open(IEnumerable<string> paths, string name = "x", FileContent content = FileContent.Rows)
    {
        var given = paths.ToArray();
        var files = DataFiles.Find(given, [".npy", ".npz", ".safetensors", .. tables, .. imageEndings]);
        var endings = files.Select(f => Path.GetExtension(f).ToLowerInvariant()).Distinct().ToArray();
        if (endings is [".npy"]) return Npy(files, name, content);
        if (endings is [".npz"]) return Npz(files, null, content);
        if (endings is [".safetensors"]) return Safetensors(files, null, content);
        if (endings.All(e => imageEndings.Contains(e))) return Images(files, null, new() { Name = name });
        var found = string.Join(", ", endings.Select(e => $"'{e}'"));
        if (endings.Any(e => tables.Contains(e))) throw new ArgumentException($"files that end in {found} need to be told which columns are which fields");
        throw new ArgumentException($"files that end in {found} are of no known kind, or of several; expected .npy, .npz, .safetensors or images ({string.Join(", ", imageEndings)})");
    }
}
