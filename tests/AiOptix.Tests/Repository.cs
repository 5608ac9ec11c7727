namespace AiOptix.Tests;

/// <summary>Where things are in a checkout.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string Digits => Path.Combine(Root, "demo", "digits", "model.onnx");

    /// <summary>The folder of the shared models, which may not be here.</summary>
    public static string SharedModels { get; } = Path.Combine(Environment.GetEnvironmentVariable("AIOPTIX_SHARED") ?? Path.Combine(Root, "..", "shared"), "models");

    /// <summary>The file of a shared model, which may not be here.</summary>
    public static string SharedModel(string name) => Path.Combine(SharedModels, name, "model.onnx");

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "AiOptix.slnx"))) return folder.FullName;
        throw new InvalidOperationException("the tests must run inside a checkout");
    }
}
