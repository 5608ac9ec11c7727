namespace AiOptix.Onnx.Tests;

/// <summary>Models and cases that lie beside the repository; tests that need them are skipped, and counted as such, where they are absent.</summary>
internal static class SharedData
{
    public static string? Root { get; } = Find();

    public static string Folder(string name)
    {
        var folder = Root is null ? null : Path.Combine(Root, name);
        Skip.If(folder is null || !Directory.Exists(folder), $"shared/{name} is not there");
        return folder!;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("AIOPTIX_SHARED") is { Length: > 0 } given) return given;
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "AiOptix.slnx"))) return Path.Combine(at.Parent!.FullName, "shared");
        return null;
    }
}
