using AiOptix.Graphs;
using Google.Protobuf.Collections;

namespace AiOptix.Onnx;

/// <summary>Doc strings and metadata properties of messages, and the annotations that they are in a graph.</summary>
internal static class Annotations
{
    public static Annotation Of(Proto.GraphProto p) => Of(p.DocString, p.MetadataProps);

    public static Annotation Of(Proto.NodeProto p) => Of(p.DocString, p.MetadataProps);

    public static Annotation Of(Proto.ValueInfoProto p) => Of(p.DocString, p.MetadataProps);

    public static Annotation Of(Proto.TensorProto p) => Of(p.DocString, p.MetadataProps);

    /// <summary>Properties by key; of two with one key the last one counts.</summary>
    public static IReadOnlyDictionary<string, string> Properties(IEnumerable<Proto.StringStringEntryProto> entries)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var p in entries) properties[p.Key] = p.Value;
        return properties;
    }

    public static void Put(Annotation annotation, Proto.GraphProto on)
    {
        if (annotation.Documentation.Length > 0) on.DocString = annotation.Documentation;
        on.MetadataProps.AddRange(Entries(annotation.Properties));
    }

    public static void Put(Annotation annotation, Proto.NodeProto on)
    {
        if (annotation.Documentation.Length > 0) on.DocString = annotation.Documentation;
        on.MetadataProps.AddRange(Entries(annotation.Properties));
    }

    public static Proto.ValueInfoProto Put(Annotation annotation, Proto.ValueInfoProto on)
    {
        if (annotation.Documentation.Length > 0) on.DocString = annotation.Documentation;
        on.MetadataProps.AddRange(Entries(annotation.Properties));
        return on;
    }

    public static Proto.TensorProto Put(Annotation annotation, Proto.TensorProto on)
    {
        if (annotation.Documentation.Length > 0) on.DocString = annotation.Documentation;
        on.MetadataProps.AddRange(Entries(annotation.Properties));
        return on;
    }

    public static IEnumerable<Proto.StringStringEntryProto> Entries(IReadOnlyDictionary<string, string> properties) =>
        properties.Select(p => new Proto.StringStringEntryProto { Key = p.Key, Value = p.Value });

    private static Annotation Of(string documentation, RepeatedField<Proto.StringStringEntryProto> entries) =>
        documentation.Length == 0 && entries.Count == 0 ? Annotation.None : new(documentation, Properties(entries));
}
