using AiOptix.Onnx;
using AiOptix.Tensors;
using AiOptix.Zoo;

namespace AiOptix.Bench.Compare;

/// <summary>A model to compare, and where its inputs come from.</summary>
/// <param name="Name">What reports call it.</param>
/// <param name="Path">The model file.</param>
/// <param name="Data">A folder of recorded inputs (<c>input_N.pb</c>), or null.</param>
/// <param name="Entry">The zoo's entry, or null.</param>
internal sealed record BenchCase(string Name, string Path, string? Data = null, ZooEntry? Entry = null)
{
    /// <summary>Everything that the options ask for. Models of the zoo are built and written here.</summary>
    /// <exception cref="AiOptixException">A path does not exist.</exception>
    internal static IReadOnlyList<BenchCase> Find(CompareOptions options)
    {
        bool Wanted(string name) => options.Only.Count == 0 || options.Only.Any(o => name.Contains(o, StringComparison.OrdinalIgnoreCase));
        var cases = options.Models.SelectMany(InPath).Where(c => Wanted(c.Name)).ToList();
        cases.AddRange(options.Light.SelectMany(InPath).Where(c => Wanted(c.Name)).Select(c => LightModels.Seeded(c, options.Seed)));
        if (options.Zoo || options.Int8) cases.AddRange(ModelZoo.Entries.Where(e => Wanted(e.Name)).Select(e => Built(e, options.Seed)));
        return cases;
    }

    /// <summary>The inputs: recorded ones, the zoo's samples, or drawn within types and shapes.</summary>
    /// <param name="declared">What the model says of its inputs.</param>
    /// <param name="options">Seed and extents.</param>
    internal IReadOnlyDictionary<string, Tensor> Inputs(IReadOnlyList<Ort.OrtValueInfo> declared, CompareOptions options)
    {
        if (Entry is not null)
            return Entry.Inputs(options.Seed, options.Extents).ToDictionary(p => p.Key, p => (Tensor)p.Value, StringComparer.Ordinal);
        if (Data is null) return SampleInputs.Draw(declared, options);
        var inputs = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        for (var i = 0; i < declared.Count; i++)
        {
            var file = System.IO.Path.Combine(Data, FormattableString.Invariant($"input_{i}.pb"));
            if (!File.Exists(file)) throw new InvalidInputException($"the model takes {declared.Count} inputs, but there is no {file}");
            inputs[declared[i].Name] = TensorFile.Read(file);
        }
        return inputs;
    }

    private static IEnumerable<BenchCase> InPath(string path)
    {
        if (File.Exists(path)) return [new(System.IO.Path.GetFileNameWithoutExtension(path), path)];
        if (!Directory.Exists(path)) throw new AiOptixException($"there is no model file or folder '{path}'");
        if (InFolder(path) is { } one) return [one];
        var folders = Directory.EnumerateDirectories(path).Order(StringComparer.Ordinal).Select(InFolder).OfType<BenchCase>();
        var files = Directory.EnumerateFiles(path, "*.onnx").Order(StringComparer.Ordinal).Select(f => new BenchCase(System.IO.Path.GetFileNameWithoutExtension(f), f));
        return folders.Concat(files);
    }

    private static BenchCase? InFolder(string folder)
    {
        var model = System.IO.Path.Combine(folder, "model.onnx");
        if (!File.Exists(model)) return null;
        var data = System.IO.Path.Combine(folder, "test_data_set_0");
        return new(System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(folder))), model, Directory.Exists(data) ? data : null);
    }

    private static BenchCase Built(ZooEntry entry, int seed)
    {
        var folder = System.IO.Path.Combine(Repository.Root, "artifacts", "zoo");
        Directory.CreateDirectory(folder);
        var path = System.IO.Path.Combine(folder, FormattableString.Invariant($"{entry.Name}-{seed}.onnx"));
        entry.Write(path, new ZooOptions { Seed = seed });
        return new(entry.Name, path, Entry: entry);
    }
}
