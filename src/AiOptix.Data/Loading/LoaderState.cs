using System.Text;
using System.Text.Json;
using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>The saved position of a loader: JSON with the position and with everything that the order depends on.</summary>
internal static class LoaderState
{
    private const int Version = 1;

    public static string Write(long epoch, long batch, DataLoaderOptions options, Dataset data)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", Version);
            writer.WriteNumber("epoch", epoch);
            writer.WriteNumber("batch", batch);
            foreach (var (name, value) in Facts(options, data)) writer.WriteString(name, value);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    public static (long Epoch, long Batch) Read(string text, DataLoaderOptions options, Dataset data)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            if (root.GetProperty("version").GetInt32() != Version) throw new InvalidInputException($"the loader's state is of version {root.GetProperty("version")}; this version of AI Optix reads version {Version}");
            var different = Facts(options, data).Where(f => root.GetProperty(f.Name).GetString() != f.Value).Select(f => $"{f.Name} was {root.GetProperty(f.Name)}, is {f.Value}").ToArray();
            if (different.Length > 0) throw new InvalidInputException($"the loader's state does not belong to these data and options: {string.Join("; ", different)}");
            var (epoch, batch) = (root.GetProperty("epoch").GetInt64(), root.GetProperty("batch").GetInt64());
            return epoch >= 0 && batch >= 0 ? (epoch, batch) : throw new InvalidInputException($"the loader's state names epoch {epoch}, batch {batch}; both count from 0");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidInputException($"the loader's state is damaged: {e.Message}", e);
        }
    }

    private static (string Name, string Value)[] Facts(DataLoaderOptions options, Dataset data) =>
    [
        ("data", Mark(data.Identity)),
        ("samples", data is IndexedDataset indexed ? $"{indexed.Count}" : "stream"),
        ("batch_size", $"{options.BatchSize ?? 0}"),
        ("shuffle", options.Shuffle ? "true" : "false"),
        ("seed", $"{options.Seed}"),
        ("drop_last", options.DropLast ? "true" : "false"),
        ("shard", $"{options.Rank} of {options.World}, {(options.ShardEnd == ShardEnd.Pad ? "pad" : "drop")}"),
    ];

    private static string Mark(string identity) => $"{Checksum.Of(Encoding.UTF8.GetBytes(identity)):x16}";
}
