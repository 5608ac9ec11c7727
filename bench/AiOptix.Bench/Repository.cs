using AiOptix.Tensors;

namespace AiOptix.Bench;

/// <summary>Where this checkout lies.</summary>
internal static class Repository
{
    /// <summary>The folder that holds <c>AiOptix.slnx</c>, found upwards from the program.</summary>
    /// <exception cref="AiOptixException">The program was moved out of its checkout.</exception>
    internal static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "AiOptix.slnx"))) return folder.FullName;
        throw new AiOptixException($"no AiOptix.slnx above {AppContext.BaseDirectory}; run the benchmark from its checkout with ./bench.sh");
    }
}
