namespace AiOptix.Data.Tests;

/// <summary>A folder of one test's own, removed with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("aioptix-");

    public string Path => folder.FullName;

    public string File(string name) => System.IO.Path.Combine(folder.FullName, name);

    public string File(string name, byte[] content)
    {
        System.IO.File.WriteAllBytes(File(name), content);
        return File(name);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
