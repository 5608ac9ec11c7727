using System.IO.Compression;
using AiOptix.Tensors;

namespace AiOptix.Data;

public static partial class Datasets
{
    /// <summary>NPZ archives, as <c>numpy.savez</c> writes them: each member is a field. Archives of rows are unpacked into memory when they are opened; those that are one sample each, when they are read.</summary>
    /// <param name="paths">Files, folders, patterns.</param>
    /// <param name="names">Which members to read, in which order; none reads all of them.</param>
    /// <param name="content">What a file holds.</param>
    /// <param name="limits">What an archive may ask for.</param>
    /// <exception cref="IOException">A file is not there or cannot be opened.</exception>
    /// <exception cref="ModelFormatException">An archive is damaged, a member's name is a path, or a member does not hold what it claims.</exception>
    /// <exception cref="LimitExceededException">An archive unpacks to more than allowed.</exception>
    public static IndexedDataset Npz(IEnumerable<string> paths, IReadOnlyList<string>? names = null, FileContent content = FileContent.Rows, Limits? limits = null)
    {
        var files = DataFiles.Find(paths, ".npz");
        limits ??= Limits.Default;
        if (content == FileContent.Sample) return new FilesDataset(files, (index, context) => NpzFile.Read(files[(int)index], names, context.Limits, context.Rent));
        var found = names ?? NpzFile.Names(files[0]);
        long held = 0;
        return Rows(found, files, file =>
        {
            var tensors = NpzFile.Read(file, found, limits, static (type, shape) => Tensor.Allocate(type, shape)).Tensors;
            foreach (var tensor in tensors) held = limits.Charge(held, tensor, "the archives");
            return tensors;
        });
    }
}

/// <summary>Reads NPZ archives. Nothing is ever written by the names in them.</summary>
internal static class NpzFile
{
    private const int MostMembers = 65536;

    /// <summary>The names of an archive's members.</summary>
    public static IReadOnlyList<string> Names(string path)
    {
        using var archive = Open(path);
        return [.. archive.Entries.Select(e => Name(e, path))];
    }

    /// <summary>Reads members.</summary>
    public static Sample Read(string path, IReadOnlyList<string>? names, Limits limits, Func<DType, Shape, Tensor> allocate)
    {
        using var archive = Open(path);
        var entries = archive.Entries.ToDictionary(e => Name(e, path), StringComparer.Ordinal);
        names ??= [.. entries.Keys];
        var values = new List<Tensor>(names.Count);
        long held = 0;
        try
        {
            foreach (var name in names)
            {
                if (!entries.TryGetValue(name, out var entry)) throw new ModelFormatException($"{path} has no member '{name}'; it has {string.Join(", ", entries.Keys.Select(k => $"'{k}'"))}");
                using var stream = entry.Open();
                values.Add(NpyFile.Load(stream.Read, entry.Length, $"{path}, member '{name}'", limits, allocate));
                held = limits.Charge(held, values[^1], path);
            }
            return new(names, values);
        }
        catch (Exception e)
        {
            foreach (var value in values) value.Dispose();
            if (e is InvalidDataException) throw new ModelFormatException($"{path} is damaged: {e.Message}", e);
            throw;
        }
    }

    private static ZipArchive Open(string path)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        try
        {
            var archive = new ZipArchive(stream, ZipArchiveMode.Read);
            if (archive.Entries.Count is 0 or > MostMembers) throw new ModelFormatException($"{path} has {archive.Entries.Count} members; expected 1 to {MostMembers}");
            if (archive.Entries.GroupBy(e => e.FullName, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice) throw new ModelFormatException($"{path} has two members '{twice.Key}'");
            return archive;
        }
        catch (InvalidDataException e)
        {
            stream.Dispose();
            throw new ModelFormatException($"{path} is no NPZ archive: {e.Message}", e);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    private static string Name(ZipArchiveEntry entry, string path)
    {
        var name = entry.FullName;
        if (name.Contains("..", StringComparison.Ordinal) || name.IndexOfAny(['/', '\\', ':', '\0']) >= 0)
            throw new ModelFormatException($"{path}: the member '{name}' is named like a path; members of an NPZ archive are plain names");
        return name.EndsWith(".npy", StringComparison.Ordinal) ? name[..^4] : throw new ModelFormatException($"{path}: the member '{name}' is no NPY file");
    }
}
