namespace AiOptix.Onnx;

/// <summary>A file that appears under its name only when it is complete: written beside it under another name, and renamed at the end.</summary>
internal sealed class PendingFile : IDisposable
{
    private readonly string path;
    private readonly string temporary;
    private bool committed;

    /// <summary>Opens a file to write.</summary>
    /// <exception cref="IOException">The folder is not there or not writable.</exception>
    public PendingFile(string path)
    {
        this.path = Path.GetFullPath(path);
        temporary = $"{this.path}.{Guid.NewGuid():N}.tmp";
        Stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
    }

    /// <summary>Where the content goes.</summary>
    public FileStream Stream { get; }

    /// <summary>Brings the content to the disk.</summary>
    public void Finish()
    {
        if (!Stream.CanWrite) return;
        Stream.Flush(flushToDisk: true);
        Stream.Dispose();
    }

    /// <summary>Gives the file its name, in place of one that has it.</summary>
    public void Commit()
    {
        Finish();
        File.Move(temporary, path, overwrite: true);
        committed = true;
    }

    /// <summary>Removes what was not committed.</summary>
    public void Dispose()
    {
        Stream.Dispose();
        if (!committed) File.Delete(temporary);
    }
}
