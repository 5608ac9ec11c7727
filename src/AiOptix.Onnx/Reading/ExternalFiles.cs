using System.Globalization;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>
/// The files beside a model that hold the data of its tensors (<c>TensorProto.external_data</c>). A location is a path relative to the model's folder
/// and must stay in it: no absolute path, no <c>..</c>, no symbolic link that leads out.
/// </summary>
internal sealed class ExternalFiles(string? folder) : IDisposable
{
    private const int MaxLinks = 40;
    private readonly Dictionary<string, MemoryBlock> open = new(StringComparer.Ordinal);

    /// <summary>The files that are mapped.</summary>
    public IEnumerable<FileStamp?> Files => open.Values.Select(b => b.MappedFile);

    /// <summary>Where a tensor's data lies: the mapped file, the offset in it, and the length.</summary>
    /// <exception cref="ModelFormatException">The location is not allowed, is missing, or is too short.</exception>
    public (MemoryBlock Block, long Offset, long Length) Find(Proto.TensorProto tensor, long bytes, string what)
    {
        string? location = null;
        long offset = 0;
        long? length = null;
        foreach (var entry in tensor.ExternalData)
            switch (entry.Key)
            {
                case "location": location = entry.Value; break;
                case "offset": offset = Number(entry, what); break;
                case "length": length = Number(entry, what); break;
            }
        if (location is null) throw new ModelFormatException($"{what}: its external data has no location");
        if (length is { } l && l != bytes) throw new ModelFormatException($"{what}: its type and shape need {bytes} bytes, its external data has {l}");
        var file = Resolve(location, what);
        var there = new FileInfo(file).Length;
        if (offset > there || bytes > there - offset)
            throw new ModelFormatException($"{what}: needs {bytes} bytes at offset {offset} of '{location}', which has {there} bytes");
        var block = Map(file, location, what);
        if (bytes > block.Length - offset) throw new ModelFormatException($"{what}: the file '{location}' shrank while it was read");
        return (block, offset, bytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var b in open.Values) b.LetGo();
        open.Clear();
    }

    private static long Number(Proto.StringStringEntryProto entry, string what) =>
        long.TryParse(entry.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n
            : throw new ModelFormatException($"{what}: external data has {entry.Key} '{entry.Value}', expected a non-negative 64-bit number");

    private MemoryBlock Map(string file, string location, string what)
    {
        if (open.TryGetValue(file, out var block)) return block;
        try
        {
            return open[file] = MemoryBlock.MapFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException($"{what}: its external data '{location}' cannot be opened: {e.Message}", e);
        }
    }

    private string Resolve(string location, string what)
    {
        if (folder is null)
            throw new ModelFormatException($"{what}: its data is in the file '{location}', but the model was read from memory without a folder; give the folder or read the model by its path");
        var segments = location.Split('/', '\\');
        if (location.Contains('\0', StringComparison.Ordinal) || Path.IsPathRooted(location) || segments[0].Length == 0
            || segments[0].Contains(':', StringComparison.Ordinal) || segments.Contains(".."))
            throw new ModelFormatException($"{what}: external data location '{location}' is not allowed; it must be a relative path inside the model's folder");
        var inside = RealPath(folder, what);
        var path = RealPath(Path.Combine([folder, .. segments]), what);
        var border = Path.EndsInDirectorySeparator(inside) ? inside : inside + Path.DirectorySeparatorChar;
        if (!path.StartsWith(border, StringComparison.Ordinal))
            throw new ModelFormatException($"{what}: external data location '{location}' leads out of the model's folder through a symbolic link; that is not allowed");
        return File.Exists(path) ? path : throw new ModelFormatException($"{what}: its external data file '{location}' is missing from the model's folder");
    }

    /// <summary>The path with every symbolic link resolved.</summary>
    private static string RealPath(string path, string what)
    {
        var full = Path.GetFullPath(path);
        for (var links = 0; links <= MaxLinks; links++)
        {
            if (FirstLink(full) is not { } link) return full;
            var rest = Path.GetRelativePath(link.Path, full);
            var target = Path.Combine(Path.GetDirectoryName(link.Path)!, link.Target);
            full = Path.GetFullPath(rest == "." ? target : Path.Combine(target, rest));
        }
        throw new ModelFormatException($"{what}: more than {MaxLinks} symbolic links on the way to its external data");
    }

    private static (string Path, string Target)? FirstLink(string full)
    {
        var at = Path.GetPathRoot(full)!;
        foreach (var segment in full[at.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            at = Path.Combine(at, segment);
            if (new FileInfo(at).LinkTarget is { } target) return (at, target);
        }
        return null;
    }
}
