using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>The operators that the user brings to the reading of a file.</summary>
internal sealed class CustomOperators
{
    private readonly ILookup<(string Domain, string Name), OperatorDefinition>? byName;

    /// <exception cref="ArgumentException">One is an operator of this library, or two are for one version.</exception>
    public CustomOperators(IReadOnlyList<OperatorDefinition> definitions)
    {
        if (definitions.Count == 0) return;
        byName = definitions.ToLookup(d => (d.Domain, d.Name));
        foreach (var d in definitions)
        {
            if (OnnxRegistry.Find(d.Domain, d.Name) is not null) throw new ArgumentException($"the operator {Label(d.Domain, d.Name)} belongs to this library and cannot be replaced; choose another name or domain");
            if (byName[(d.Domain, d.Name)].Any(o => o != d && o.FirstVersion <= d.LastVersion && d.FirstVersion <= o.LastVersion))
                throw new ArgumentException($"the operator {Label(d.Domain, d.Name)} is defined twice for the same versions");
        }
    }

    /// <summary>True when there is a definition for some version.</summary>
    public bool Names(string domain, string name) => byName is not null && byName.Contains((domain, name));

    /// <summary>The definition for a version; null when the user brings none of that name.</summary>
    /// <exception cref="UnsupportedModelException">There are only ones for other versions.</exception>
    public OperatorDefinition? Find(string domain, string name, long version, string what)
    {
        if (!Names(domain, name)) return null;
        var all = byName![(domain, name)].ToArray();
        return Array.Find(all, d => d.FirstVersion <= version && version <= d.LastVersion) ?? throw new UnsupportedModelException(
            $"{what}: the file imports version {version} of '{domain}'; {Label(domain, name)} is registered for {string.Join(" and ", all.Select(Versions))}");
    }

    /// <summary>The operator of a node.</summary>
    /// <exception cref="UnsupportedModelException">It holds subgraphs.</exception>
    public static CustomOperator Make(OperatorDefinition definition, long version, Dictionary<string, object> attributes, string what) =>
        attributes.FirstOrDefault(a => a.Value is Graph or Graph[]) is { Key: { } name }
            ? throw new UnsupportedModelException($"{what}: attribute '{name}' is a graph; a user's operator cannot have any")
            : new(definition, version, attributes);

    private static string Label(string domain, string name) => domain.Length == 0 ? name : $"{domain}::{name}";

    private static string Versions(OperatorDefinition d) => d.LastVersion == long.MaxValue ? $"version {d.FirstVersion} and later"
        : d.FirstVersion == d.LastVersion ? $"version {d.FirstVersion}" : $"versions {d.FirstVersion} to {d.LastVersion}";
}
