using AiOptix.Data;
using AiOptix.Tensors;

namespace AiOptix.Optimizer.Tests;

/// <summary>The digits model with its labelled images, and where they are.</summary>
internal static class Networks
{
    public static string Folder { get; } = Path.Combine(Root(), "demo", "digits");

    public static Model Digits() => Model.Load(Path.Combine(Folder, "model.onnx"));

    /// <summary>The images as samples of so many rows, and their labels.</summary>
    public static (List<Tensor[]> Samples, List<Tensor> Labels) Images(int batch = 1, int count = 800)
    {
        using var images = NpyFile.Read(Path.Combine(Folder, "images.npy"));
        using var labels = NpyFile.Read(Path.Combine(Folder, "labels.npy"));
        var (pixels, classes) = (images.Span<byte>().ToArray(), labels.ToInt64());
        var samples = new List<Tensor[]>();
        var given = new List<Tensor>();
        for (var from = 0; from < count; from += batch)
        {
            var rows = Math.Min(batch, count - from);
            samples.Add([Tensor.From<float>([.. pixels.AsSpan(from * 64, rows * 64).ToArray().Select(p => p / 16f)], new Shape(rows, 1, 8, 8))]);
            given.Add(Tensor.Vector<long>(classes.AsSpan(from, rows)));
        }
        return (samples, given);
    }

    private static string Root()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "AiOptix.slnx"))) return at.FullName;
        throw new InvalidOperationException("the tests must run inside a checkout");
    }
}
