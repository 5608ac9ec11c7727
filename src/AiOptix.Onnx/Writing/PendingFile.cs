namespace AiOptix.Onnx;

/// <summary>
/// A file that appears under its name only when it is complete: written beside it under another name, and renamed at the end. What a writer left that was killed, the next one
/// of that file removes.
/// </summary>
internal sealed class PendingFile : IDisposable
{
    private const string Ending = ".tmp";

    private readonly string path;
    private readonly string temporary;
    private bool committed;

    /// <summary>Opens a file to write.</summary>
    /// <exception cref="IOException">The folder is not there or not writable.</exception>
    public PendingFile(string path)
    {
        this.path = Path.GetFullPath(path);
        temporary = $"{this.path}.{Guid.NewGuid():N}{Ending}";
        Stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Delete, bufferSize: 1 << 16);
        RemoveAbandoned();
    }

    /// <summary>Where the content goes.</summary>
    public FileStream Stream { get; }

    /// <summary>Brings the content to the disk.</summary>
    public void Finish()
    {
        if (Stream.CanWrite) Stream.Flush(flushToDisk: true);
    }

    /// <summary>Gives the file its name, in place of one that has it.</summary>
    public void Commit()
    {
        Finish();
        File.Move(temporary, path, overwrite: true);
        committed = true;
        Stream.Dispose();
    }

    /// <summary>Removes what was not committed.</summary>
    public void Dispose()
    {
        Stream.Dispose();
        if (!committed) File.Delete(temporary);
    }

    /// <summary>A file that somebody writes is open, and cannot be opened for one alone.</summary>
    private void RemoveAbandoned()
    {
        var begin = Path.GetFileName(path) + ".";
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(path)!).Where(f => f != temporary))
        {
            var name = Path.GetFileName(file);
            if (!name.StartsWith(begin, StringComparison.Ordinal) || !name.EndsWith(Ending, StringComparison.Ordinal)) continue;
            if (!Guid.TryParseExact(name.AsSpan()[begin.Length..^Ending.Length], "N", out _)) continue;
            try
            {
                using (new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.None)) File.Delete(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }
    }
}
