using System.Text.Json;
using AiOptix.Data;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Cli.Tests;

/// <summary>What one command line gave.</summary>
internal sealed record Outcome(int Code, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public string LastLine => Output.TrimEnd().Split('\n')[^1].TrimEnd();
}

/// <summary>A temporary folder, the digits model, and command lines run in this process.</summary>
internal sealed class Desk : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("aioptix-");

    public static string Digits { get; } = Path.Combine(Root(), "demo", "digits", "model.onnx");

    public string File(string name) => Path.Combine(folder.FullName, name);

    public static Outcome Run(params string[] arguments) => Run(null, arguments);

    public static Outcome Run(int? width, string[] arguments)
    {
        using StringWriter output = new(), error = new();
        var code = CommandLine.Run(arguments, new Terminal(output, error, width));
        return new(code, output.ToString(), error.ToString());
    }

    /// <summary>A folder with the digits model and one recording of its answers, an element of which may be wrong.</summary>
    public string Case(string name, float wrongBy = 0)
    {
        var set = Directory.CreateDirectory(Path.Combine(File(name), "test_data_set_0")).FullName;
        System.IO.File.Copy(Digits, Path.Combine(File(name), "model.onnx"));
        var model = Model.Load(Digits);
        var input = SampleInputs.Draw(model, seed: 5).Values[0];
        using var session = model.Compile(new CompileOptions { Rewrite = false });
        var output = (Tensor)session.Run([input])[0];
        output.Span<float>()[3] += wrongBy;
        TensorFile.Write(Path.Combine(set, "input_0.pb"), input);
        TensorFile.Write(Path.Combine(set, "output_0.pb"), output);
        return File(name);
    }

    /// <summary>The first images of the demo as the model takes them.</summary>
    public string Images(int count)
    {
        using var pixels = NpyFile.Read(Path.Combine(Path.GetDirectoryName(Digits)!, "images.npy"));
        var values = pixels.Span<byte>()[..(count * 64)].ToArray().Select(p => p / 16f).ToArray();
        NpyFile.Write(File("image.npy"), Tensor.From<float>(values, new Shape(count, 1, 8, 8)));
        return File("image.npy");
    }

    /// <summary>The first images of the demo as an archive, and their labels.</summary>
    public (string Data, string Labels) Archive(int count = 800)
    {
        Images(count);
        using (var archive = System.IO.Compression.ZipFile.Open(File("images.npz"), System.IO.Compression.ZipArchiveMode.Create))
            System.IO.Compression.ZipFileExtensions.CreateEntryFromFile(archive, File("image.npy"), "image.npy");
        using var labels = NpyFile.Read(Path.Combine(Path.GetDirectoryName(Digits)!, "labels.npy"));
        NpyFile.Write(File("labels.npy"), Tensor.From<byte>(labels.Bytes[..count], new Shape(count)));
        return (File("images.npz"), File("labels.npy"));
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static string Root()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (System.IO.File.Exists(Path.Combine(at.FullName, "AiOptix.slnx"))) return at.FullName;
        throw new InvalidOperationException($"no AiOptix.slnx above {AppContext.BaseDirectory}");
    }
}
