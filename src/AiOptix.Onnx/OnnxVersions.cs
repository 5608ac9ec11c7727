using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Which versions of the format and of its operator sets exist, and which go together (the release table of the specification).</summary>
internal static class OnnxVersions
{
    public const long LowestIr = 3;
    public const long HighestIr = 13;
    public const long HighestOpset = 28;

    /// <summary>The version of the default operator set that a graph is written for when it came from no file.</summary>
    public const long DefaultOpset = 13;

    /// <summary>The format version that brought metadata properties of graphs, nodes and values.</summary>
    public const long PropertiesIr = 10;

    /// <summary>The lowest format version in which an initializer need not be an input as well.</summary>
    private const long LowestWrittenIr = 4;

    /// <summary>The name of the default domain in operator set imports is empty or <c>ai.onnx</c>.</summary>
    public static string Domain(string name) => name == "ai.onnx" ? "" : name;

    /// <summary>The format version that came with a version of the default operator set.</summary>
    public static long IrOf(long opset) => opset switch
    {
        <= 9 => LowestWrittenIr,
        10 => 5,
        11 => 6,
        <= 14 => 7,
        <= 18 => 8,
        <= 20 => 9,
        <= 22 => 10,
        23 => 11,
        24 => 12,
        _ => 13,
    };

    /// <summary>The format version that brought an element type.</summary>
    public static long IrOf(DType type) => type switch
    {
        DType.UInt2 or DType.Int2 => 13,
        DType.Float8E8M0 => 12,
        DType.Float4E2M1 => 11,
        DType.UInt4 or DType.Int4 => 10,
        DType.Float8E4M3FN or DType.Float8E4M3FNUZ or DType.Float8E5M2 or DType.Float8E5M2FNUZ => 9,
        _ => LowestWrittenIr,
    };

    /// <summary>Checks the format version of a file.</summary>
    /// <exception cref="UnsupportedModelException">It is not supported.</exception>
    public static void CheckIr(long version)
    {
        if (version is < LowestIr or > HighestIr)
            throw new UnsupportedModelException($"the file has IR version {version}; supported are {LowestIr} to {HighestIr}");
    }

    /// <summary>The imports by domain.</summary>
    /// <exception cref="UnsupportedModelException">The default operator set's version is not supported.</exception>
    /// <exception cref="ModelFormatException">A domain is imported in two versions.</exception>
    public static Dictionary<string, long> Imports(IEnumerable<Proto.OperatorSetIdProto> imports)
    {
        var versions = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var i in imports)
        {
            var domain = Domain(i.Domain);
            if (!versions.TryAdd(domain, i.Version) && versions[domain] != i.Version)
                throw new ModelFormatException($"the operator set '{i.Domain}' is imported as version {versions[domain]} and as version {i.Version}");
            if (domain.Length == 0 && i.Version is < 1 or > HighestOpset)
                throw new UnsupportedModelException($"the file imports version {i.Version} of the default operator set; supported are 1 to {HighestOpset}");
        }
        return versions;
    }
}
