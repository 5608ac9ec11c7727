using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>
/// A model file and the data file beside it, which must change together. The data goes under a name that the model in place does not use (<c>NAME.data</c> or
/// <c>NAME.1.data</c>), the model takes its name last, and only then the data of the former model goes: whenever it ends, one whole pair is there.
/// </summary>
internal sealed class PendingModel : IDisposable
{
    private readonly string path;
    private readonly string[] former;
    private readonly PendingFile model;
    private PendingFile? data;
    private bool dataInPlace;
    private bool committed;

    /// <summary>Begins to write a model.</summary>
    /// <exception cref="IOException">The folder is not there or not writable.</exception>
    public PendingModel(string path)
    {
        this.path = Path.GetFullPath(path);
        var used = DataOf(this.path);
        former = [.. Candidates().Where(c => used.Contains(Path.GetFileName(c)))];
        DataPath = Candidates().FirstOrDefault(c => !former.Contains(c))
            ?? throw new IOException($"'{path}' uses both {path}.data and {path}.1.data, so there is no name for the new data; remove the model or write to another path");
        model = new PendingFile(path);
    }

    /// <summary>Where the data will be.</summary>
    public string DataPath { get; }

    /// <summary>Where the model's content goes.</summary>
    public FileStream Model => model.Stream;

    /// <summary>Where the data goes; asking for it makes the file.</summary>
    public FileStream Data => (data ??= new PendingFile(DataPath)).Stream;

    /// <summary>First the data gets its name. The former pair is untouched.</summary>
    public void CommitData()
    {
        model.Finish();
        data?.Commit();
        dataInPlace = data is not null;
    }

    /// <summary>Then the model gets its name, and the former data goes.</summary>
    public void CommitModel()
    {
        model.Commit();
        committed = true;
        foreach (var file in former) File.Delete(file);
    }

    /// <summary>Removes what was not committed.</summary>
    public void Dispose()
    {
        model.Dispose();
        data?.Dispose();
        if (dataInPlace && !committed) File.Delete(DataPath);
    }

    /// <summary>This writer's models name one data file, so one of two names is free.</summary>
    private string[] Candidates() => [path + ".data", path + ".1.data"];

    /// <summary>The data files that the model in place names; none when there is no model that can be read.</summary>
    private static HashSet<string> DataOf(string path)
    {
        if (!File.Exists(path)) return [];
        try
        {
            using var source = ModelSource.Open(path, Limits.Default);
            var graph = source.Parse(Proto.ModelProto.Parser, MessageKind.Model).Graph;
            return graph is null ? [] : TensorsOf(graph).SelectMany(t => t.ExternalData).Where(e => e.Key == "location").Select(e => e.Value).ToHashSet(StringComparer.Ordinal);
        }
        catch (Exception e) when (e is AiOptixException or IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static IEnumerable<Proto.TensorProto> TensorsOf(Proto.GraphProto graph) => graph.Initializer.Concat(graph.Node.SelectMany(n => n.Attribute)
        .SelectMany(a => (a.T is null ? a.Tensors : a.Tensors.Prepend(a.T)).Concat((a.G is null ? a.Graphs : a.Graphs.Prepend(a.G)).SelectMany(TensorsOf))));
}
