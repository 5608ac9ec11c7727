using System.Text.Json;
using AiOptix.Codecs;
using AiOptix.Data;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>Data sets and options from the JSON of the public layer, which has checked names and kinds; Python objects are referred to by number.</summary>
internal sealed class LoaderSpec(IReadOnlyList<object> objects)
{
    /// <summary>The objects of a spec: callables, and tensors of arrays. The caller holds the GIL.</summary>
    public static IReadOnlyList<object> Objects(nint list)
    {
        long copies = 0;
        return Py.Items(list, object (o) => PyTensor.Type.Is(o) ? Borrowing.Value(o, null, "an array", mayCopy: true, ref copies) : new PythonFunction(o));
    }

    /// <summary>Opens a data set. Needs no GIL.</summary>
    public Dataset Open(JsonElement spec, Limits limits, out IReadOnlyList<string> classes)
    {
        classes = [];
        var paths = spec.TryGetProperty("paths", out var listed) ? Texts(listed) : [];
        var content = Text(spec, "per") switch
        {
            null or "row" => FileContent.Rows,
            "file" => FileContent.Sample,
            var other => throw new ArgumentException($"per must be 'row' or 'file', found '{other}'"),
        };
        var name = Text(spec, "name") ?? "x";
        var names = spec.TryGetProperty("names", out var given) && given.ValueKind == JsonValueKind.Array ? Texts(given) : null;
        return Text(spec, "kind") switch
        {
            "open" => Datasets.Open(paths, name, content),
            "npy" => Datasets.Npy(paths, name, content),
            "npz" => Datasets.Npz(paths, names, content, limits),
            "safetensors" => Datasets.Safetensors(paths, names, content),
            "raw" => Datasets.Raw(paths, name, Type(spec), new Shape(Integers(spec.GetProperty("shape"))), spec.GetProperty("offset").GetInt64()),
            "csv" => Datasets.Csv(paths, Fields(spec), new() { Separator = Separator(Text(spec, "separator")), HasHeader = spec.GetProperty("header").GetBoolean() }, limits),
            "jsonl" => Datasets.JsonLines(paths, Fields(spec)),
            "images" => Images(spec, paths, out classes),
            "arrays" => Arrays(spec, names!),
            "function" => Function(spec),
            "iterable" => new PythonStream(Callable(spec)),
            "zip" => Datasets.Zip([.. spec.GetProperty("parts").EnumerateArray().Select(p => Open(p, limits, out _) as IndexedDataset ?? throw new ArgumentException("an iterable cannot stand beside other sources"))]),
            var other => throw new ArgumentException($"there is no source '{other}'"),
        };
    }

    /// <summary>The options of a loader.</summary>
    public DataLoaderOptions Options(JsonElement spec, Limits limits) => new()
    {
        BatchSize = spec.GetProperty("batch_size") is { ValueKind: JsonValueKind.Number } size ? size.GetInt32() : null,
        Shuffle = spec.GetProperty("shuffle").GetBoolean(),
        Seed = spec.GetProperty("seed").GetInt64(),
        Workers = spec.GetProperty("workers") is { ValueKind: JsonValueKind.Number } workers ? workers.GetInt32() : null,
        Prefetch = spec.GetProperty("prefetch").GetInt32(),
        DropLast = spec.GetProperty("drop_last").GetBoolean(),
        Rank = spec.GetProperty("rank").GetInt32(),
        World = spec.GetProperty("world").GetInt32(),
        ShardEnd = Text(spec, "shard_end") switch { "pad" => ShardEnd.Pad, "drop" => ShardEnd.Drop, var other => throw new ArgumentException($"shard_end must be 'pad' or 'drop', found '{other}'") },
        OnError = Text(spec, "on_error") switch
        {
            "raise" => SampleErrorPolicy.Raise,
            "skip" => SampleErrorPolicy.Skip,
            "replace" => SampleErrorPolicy.Replace,
            var other => throw new ArgumentException($"on_error must be 'raise', 'skip' or 'replace', found '{other}'"),
        },
        Transforms = [.. spec.GetProperty("transforms").EnumerateArray().Select(Transform)],
        Limits = limits,
    };

    private Transform Transform(JsonElement spec)
    {
        var field = Text(spec, "field");
        int Integer(string name) => spec.GetProperty(name).GetInt32();
        int? Optional(string name) => spec.GetProperty(name) is { ValueKind: JsonValueKind.Number } value ? value.GetInt32() : null;
        return Text(spec, "kind") switch
        {
            "resize" => Optional("width") is { } width ? new Resize(Integer("height"), width) { Crop = Optional("crop"), Field = field } : new Resize(Integer("height")) { Crop = Optional("crop"), Field = field },
            "center_crop" => new CenterCrop(Integer("height"), Integer("width")) { Field = field },
            "random_crop" => new RandomCrop(Integer("height"), Integer("width")) { Field = field },
            "random_flip" => new RandomFlip(spec.GetProperty("probability").GetDouble()) { Field = field },
            "normalize" => new Normalize(Floats(spec.GetProperty("mean")), Floats(spec.GetProperty("std")))
            {
                Scale = spec.GetProperty("scale") is { ValueKind: JsonValueKind.Number } scale ? scale.GetSingle() : null,
                ChannelsFirst = spec.GetProperty("channels_first").GetBoolean(),
                Field = field,
            },
            "channels_first" => new ChannelsFirst { Field = field },
            "reshape" => new Reshape(Integers(spec.GetProperty("shape"))) { Field = field },
            "cast" => new Cast(Type(spec)) { Field = field },
            "call" => new PythonTransform(Callable(spec), spec.GetProperty("seeded").GetBoolean()),
            var other => throw new ArgumentException($"there is no transform '{other}'"),
        };
    }

    private static IndexedDataset Images(JsonElement spec, string[] paths, out IReadOnlyList<string> classes)
    {
        var options = new ImageOptions
        {
            Name = Text(spec, "name") ?? "image",
            Label = Text(spec, "label"),
            Channels = Text(spec, "channels") switch
            {
                "rgb" => ImageChannels.Rgb,
                "bgr" => ImageChannels.Bgr,
                "grey" => ImageChannels.Grey,
                var other => throw new ArgumentException($"channels must be 'rgb', 'bgr' or 'grey', found '{other}'"),
            },
        };
        var labels = spec.GetProperty("labels") is { ValueKind: JsonValueKind.Array } given ? Integers(given) : null;
        return Datasets.Images(paths, options, labels, out classes);
    }

    private IndexedDataset Arrays(JsonElement spec, string[] names)
    {
        var first = spec.TryGetProperty("first", out var at) ? at.GetInt32() : 0;
        return Datasets.Arrays(names.Select((name, i) => (name, (Tensor)objects[first + i])).ToDictionary(p => p.name, p => p.Item2, StringComparer.Ordinal));
    }

    private IndexedDataset Function(JsonElement spec)
    {
        var function = Callable(spec);
        return Datasets.Function(spec.GetProperty("count").GetInt64(), (index, _) => function.Call(() => [Py.Integer(index)], PythonFunction.Sample), "a Python sequence");
    }

    private PythonFunction Callable(JsonElement spec) => (PythonFunction)objects[spec.GetProperty("object").GetInt32()];

    private static ColumnField[] Fields(JsonElement spec) => [.. spec.GetProperty("fields").EnumerateArray().Select(f => new ColumnField(Text(f, "name")!, Texts(f.GetProperty("columns")), Type(f)))];

    private static char? Separator(string? text) => text switch
    {
        null => null,
        { Length: 1 } => text[0],
        _ => throw new ArgumentException($"a separator is one character, found '{text}'"),
    };

    private static DType Type(JsonElement spec) => DTypeFormat.Parse(Text(spec, "dtype")!);

    private static string? Text(JsonElement spec, string name) => spec.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string[] Texts(JsonElement list) => [.. list.EnumerateArray().Select(e => e.GetString()!)];

    private static long[] Integers(JsonElement list) => [.. list.EnumerateArray().Select(e => e.GetInt64())];

    private static float[] Floats(JsonElement list) => [.. list.EnumerateArray().Select(e => e.GetSingle())];
}
