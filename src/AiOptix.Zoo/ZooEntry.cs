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

    /// <summary>How many layers a transformer has, blocks of attention and products; null for the published number. Ignored by other models.</summary>
    public int? Layers { get; init; }

    /// <summary>How wide a transformer is, a multiple of the width of its heads; null for the published width. Everything in it grows along. Ignored by other models.</summary>
    public int? Width { get; init; }

    /// <summary>How many frames of sound a speech model takes; null for the published number.</summary>
    public int? Frames { get; init; }

    /// <summary>Weights are zeros, for one who looks at a large model's layers only.</summary>
    internal bool IsBlank { get; init; }
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

    /// <summary>Integers that count on along the last axis after the past.</summary>
    Positions,
}

/// <summary>An input of a model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">Float32 or int64.</param>
/// <param name="Shape">Its shape; open extents are symbols, also of the form <c>past + sequence</c>.</param>
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

    /// <summary>
    /// The extents that samples have where the model leaves them open, unless the caller says otherwise: batch 1, sequence 128; a decoder takes one token after a
    /// past of 127.
    /// </summary>
    public IReadOnlyDictionary<string, long> SampleExtents { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal) { ["batch"] = 1, ["sequence"] = 128 };

    /// <summary>The extents of samples of a decoder with a cache.</summary>
    internal static IReadOnlyDictionary<string, long> DecodingExtents { get; } =
        new Dictionary<string, long>(StringComparer.Ordinal) { ["batch"] = 1, ["sequence"] = 1, ["past"] = 127 };

    /// <summary>Builds the model as an exporter would write it: nothing folded, nothing fused.</summary>
    public Graph Build(ZooOptions? options = null)
    {
        options ??= new ZooOptions();
        var builder = new Builder(this, options, inputs(options));
        build(builder);
        return builder.Finish();
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
                ZooContent.Positions => Positions(shape, Extent(input, Dim.Symbol("past"), extents)),
                ZooContent.Ones => Filled(input.DType, shape, 1),
                _ => Tensor.Allocate(input.DType, shape, zeroed: true),
            };
        }
        return samples;
    }

    private long Extent(ZooInput input, Dim dim, IReadOnlyDictionary<string, long>? extents)
    {
        long Of(string name) => extents is not null && extents.TryGetValue(name, out var given) || SampleExtents.TryGetValue(name, out given)
            ? given
            : throw new InvalidInputException($"input '{input.Name}' leaves '{name}' open; give its extent");
        return dim.SymbolName!.Split(" + ").Sum(Of);
    }

    private static Tensor Positions(Shape shape, long first)
    {
        var tensor = Tensor.Allocate(DType.Int64, shape);
        var span = tensor.Span<long>();
        for (var i = 0; i < span.Length; i++) span[i] = first + i % shape[-1];
        return tensor;
    }

    private static Tensor Filled(DType type, Shape shape, long value)
    {
        var tensor = Tensor.Allocate(type, shape);
        if (type == DType.Int64) tensor.Span<long>().Fill(value);
        else tensor.Span<float>().Fill(value);
        return tensor;
    }
}
