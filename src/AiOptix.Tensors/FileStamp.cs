namespace AiOptix.Tensors;

/// <summary>Which content of a file was mapped, as far as the file system tells.</summary>
/// <param name="Path">The full path.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Written">When it was last written, UTC.</param>
public sealed record FileStamp(string Path, long Length, DateTime Written)
{
    /// <summary>The stamp that the file has now; null when it is not there.</summary>
    public static FileStamp? Of(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? new(file.FullName, file.Length, file.LastWriteTimeUtc) : null;
    }
}
