using System.Buffers;
using AiOptix.Codecs;
using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>How images become fields.</summary>
public sealed record ImageOptions
{
    /// <summary>The field of the pixels, uint8 [height, width, channels].</summary>
    public string Name { get; init; } = "image";

    /// <summary>The channels.</summary>
    public ImageChannels Channels { get; init; }

    /// <summary>The field of the class, int64: the number of the image's folder among the folders' names in order. Null: no such field.</summary>
    public string? Label { get; init; }
}

public static partial class Datasets
{
    private static readonly string[] imageEndings = [".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".jp2", ".ppm", ".pgm", ".pbm"];

    /// <summary>Images, decoded when they are read. With a label and no classes given, the path is a folder of folders, one a class.</summary>
    /// <param name="paths">Files, folders, patterns; with classes by folder one folder.</param>
    /// <param name="options">Names of the fields, channels.</param>
    /// <param name="labels">The class of each file, in the order of the files.</param>
    /// <param name="classes">The names of the classes, in order; empty unless folders name them.</param>
    /// <exception cref="IOException">There is no such file or folder, or no image in it.</exception>
    public static IndexedDataset Images(IEnumerable<string> paths, ImageOptions? options, IReadOnlyList<long>? labels, out IReadOnlyList<string> classes)
    {
        options ??= new();
        var roots = paths.ToArray();
        if (options.Label is null || labels is not null)
        {
            classes = [];
            return Images(DataFiles.Find(roots, imageEndings), labels, options);
        }
        if (roots is not [var root] || !Directory.Exists(root)) throw new ArgumentException($"class labels need one folder that holds a folder for each class; found '{string.Join("', '", roots)}'", nameof(paths));
        string[] folders = [.. Directory.GetDirectories(root).Order(StringComparer.Ordinal)];
        classes = [.. folders.Select(f => Path.GetFileName(f))];
        var files = new List<string>();
        var numbers = new List<long>();
        for (var c = 0; c < folders.Length; c++)
        {
            string[] found = [.. Directory.EnumerateFiles(folders[c], "*", SearchOption.AllDirectories).Where(IsImage).Order(StringComparer.Ordinal)];
            files.AddRange(found);
            numbers.AddRange(Enumerable.Repeat((long)c, found.Length));
        }
        return files.Count > 0 ? Images(files, numbers, options) : throw new FileNotFoundException($"the folders in '{root}' hold no image; known are {string.Join(", ", imageEndings)}", root);
    }

    /// <summary>Images of files that are named, with a class each.</summary>
    /// <param name="files">The files.</param>
    /// <param name="labels">The class of each file; null without labels.</param>
    /// <param name="options">Names of the fields, channels.</param>
    public static IndexedDataset Images(IReadOnlyList<string> files, IReadOnlyList<long>? labels, ImageOptions? options = null)
    {
        options ??= new();
        if (labels is not null && labels.Count != files.Count) throw new ArgumentException($"{labels.Count} labels for {files.Count} files", nameof(labels));
        string[] names = labels is null ? [options.Name] : [options.Name, options.Label ?? "label"];
        return new FilesDataset(files, (index, context) =>
        {
            var pixels = Decode(files[(int)index], options.Channels, context.Limits);
            return labels is null ? new(names, [pixels]) : new(names, [pixels, Tensor.Scalar(labels[(int)index])]);
        });
    }

    private static bool IsImage(string file) => Array.Exists(imageEndings, e => file.EndsWith(e, StringComparison.OrdinalIgnoreCase));

    private static Tensor Decode(string path, ImageChannels channels, Limits limits)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var length = RandomAccess.GetLength(file);
        limits.CheckTensor(DType.UInt8, new Shape(length), path);
        if (length > Array.MaxLength) throw new LimitExceededException($"{path} has {length} bytes; an image file of at most {Array.MaxLength} can be read");
        var bytes = ArrayPool<byte>.Shared.Rent((int)length);
        try
        {
            var there = 0;
            while (there < length && RandomAccess.Read(file, bytes.AsSpan(there, (int)length - there), there) is > 0 and var n) there += n;
            return ImageFile.Decode(bytes.AsSpan(0, there), channels, limits);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
