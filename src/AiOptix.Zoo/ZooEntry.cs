using AiOptix.Graphs;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>What most of a model's work is.</summary>
public enum ZooKind
{
    /// <summary>Convolutions.</summary>
    Convolution,

    /// <summary>Attention and matrix products.</summary>
    Transformer,

    /// <summary>Loops over a sequence.</summary>
    Recurrent,

    /// <summary>Anything else.</summary>
    Other,
}

/// <summary>How a model is built.</summary>
public sealed record ZooOptions
{
    /// <summary>Seeds every weight.</summary>
    public int Seed { get; init; }

    /// <summary>The side of the square image that a vision model takes; null for the published one. The weights do not depend on it.</summary>
    public int? ImageSize { get; init; }
}

/// <summary>What samples of an input look like.</summary>
public enum ZooContent
{
    /// <summary>Numbers with mean 0 and deviation 1, like a normalised image.</summary>
    Normal,

    /// <summary>Integers below a limit, like the ids of words.</summary>
    Ids,

    /// <summary>Ones, like a mask that hides nothing.</summary>
    Ones,

    /// <summary>Zeros.</summary>
    Zeros,
}

/// <summary>An input of a model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">Float32 or int64.</param>
/// <param name="Shape">Its shape; open extents are symbols.</param>
/// <param name="Content">What samples look like.</param>
/// <param name="Limit">One above the largest id.</param>
public sealed record ZooInput(string Name, DType DType, SymbolicShape Shape, ZooContent Content, long Limit = 0);

/// <summary>A well-known architecture that can be built with seeded weights.</summary>
public sealed class ZooEntry
{
    private readonly Func<ZooOptions, IReadOnlyList<ZooInput>> inputs;
    private readonly Action<Builder> build;

    internal ZooEntry(string name, string description, ZooKind kind, int opset, Func<ZooOptions, IReadOnlyList<ZooInput>> inputs, Action<Builder> build)
    {
        Name = name;
        Description = description;
        Kind = kind;
        Opset = opset;
        this.inputs = inputs;
        this.build = build;
    }

    /// <summary>The name: lower case, with hyphens.</summary>
    public string Name { get; }

    /// <summary>What it is, in one line.</summary>
    public string Description { get; }

    /// <summary>What most of its work is.</summary>
    public ZooKind Kind { get; }

    /// <summary>The ONNX operator set that its file is written for: the one that exporters of its time use.</summary>
    public int Opset { get; }

    /// <summary>The extents that samples have where the model leaves them open, unless the caller says otherwise: batch 1, sequence 128.</summary>
    public static IReadOnlyDictionary<string, long> SampleExtents { get; } = new Dictionary<string, long>(StringComparer.Ordinal) { ["batch"] = 1, ["sequence"] = 128 };

    /// <summary>Builds the model as an exporter would write it: nothing folded, nothing fused.</summary>
    public Graph Build(ZooOptions? options = null)
    {
        options ??= new ZooOptions();
        var builder = new Builder(this, options, inputs(options));
        build(builder);
        builder.Graph.RemoveUnusedConstants();
        return builder.Graph;
    }

    /// <summary>Builds the model and writes it as an ONNX file.</summary>
    public void Write(string path, ZooOptions? options = null) => OnnxFile.Write(Build(options), path);

    /// <summary>Inputs for a run, drawn from a seed.</summary>
    /// <param name="seed">Another seed gives other inputs.</param>
    /// <param name="extents">Extents by symbol; those that are missing are taken from <see cref="SampleExtents"/>.</param>
    /// <param name="options">As the model was built.</param>
    /// <returns>A tensor for every input, by name; the caller's to dispose of.</returns>
    public IReadOnlyDictionary<string, RuntimeValue> Inputs(int seed, IReadOnlyDictionary<string, long>? extents = null, ZooOptions? options = null)
    {
        var samples = new Dictionary<string, RuntimeValue>(StringComparer.Ordinal);
        foreach (var input in inputs(options ?? new ZooOptions()))
        {
            var shape = new Shape([.. input.Shape.Select(d => d.Constant ?? Extent(input, d, extents))]);
            var draw = new Draw(seed, "input:" + input.Name);
            samples[input.Name] = input.Content switch
            {
                ZooContent.Normal => draw.Normal(shape, 0, 1),
                ZooContent.Ids => draw.Below(shape, input.Limit),
                ZooContent.Ones => Filled(input.DType, shape, 1),
                _ => Tensor.Allocate(input.DType, shape, zeroed: true),
            };
        }
        return samples;
    }

    private static long Extent(ZooInput input, Dim dim, IReadOnlyDictionary<string, long>? extents)
    {
        var name = dim.SymbolName!;
        if (extents is not null && extents.TryGetValue(name, out var given)) return given;
        return SampleExtents.TryGetValue(name, out var usual) ? usual : throw new InvalidInputException($"input '{input.Name}' leaves '{name}' open; give its extent");
    }

    private static Tensor Filled(DType type, Shape shape, long value)
    {
        var tensor = Tensor.Allocate(type, shape);
        if (type == DType.Int64) tensor.Span<long>().Fill(value);
        else tensor.Span<float>().Fill(value);
        return tensor;
    }
}
