using AiOptix.Graphs;
using AiOptix.Passes.Quantize;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Optimization.Calibrate;

/// <summary>What was seen of a graph's activations: histograms, and for the inputs of products the mean and the largest magnitude of every channel. Samples pass by one after another; none is kept.</summary>
public sealed class Calibration
{
    private readonly Dictionary<string, Histogram> histograms = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Channels> channels = new(StringComparer.Ordinal);

    private Calibration() { }

    /// <summary>The mean of every channel of the products' inputs, by value.</summary>
    public IReadOnlyDictionary<string, double[]> Means => channels.Where(c => c.Value.Places > 0).ToDictionary(c => c.Key, c => Array.ConvertAll(c.Value.Sums, s => s / c.Value.Places), StringComparer.Ordinal);

    /// <summary>The largest magnitude in every channel of the products' inputs, by value.</summary>
    public IReadOnlyDictionary<string, double[]> Maxima => channels.Where(c => c.Value.Places > 0).ToDictionary(c => c.Key, c => c.Value.Maxima, StringComparer.Ordinal);

    /// <summary>The ranges that a method chooses, by value.</summary>
    public IReadOnlyDictionary<string, ActivationRange> Ranges(CalibrationMethod method) => histograms.Where(h => h.Value.Count > 0).ToDictionary(h => h.Key, h => h.Value.Range(method), StringComparer.Ordinal);

    /// <summary>Runs samples through a graph and watches every value that may be quantised.</summary>
    /// <param name="graph">The graph, as plans for it name its values.</param>
    /// <param name="backend">The machine.</param>
    /// <param name="samples">The samples.</param>
    /// <param name="limits">Bounds on what the model may ask for.</param>
    /// <param name="threads">Threads of a run; 0 takes the machine's default.</param>
    /// <param name="progress">Told of each sample.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static Calibration Collect(Graph graph, IBackend backend, IEnumerable<Tensor[]> samples, Limits limits, int threads, Action<int>? progress = null, CancellationToken cancellation = default)
    {
        var watched = graph.Clone();
        var values = Quantizable.Watched(watched);
        var outputs = watched.Outputs.Count;
        var axes = new Dictionary<Value, int>();
        foreach (var product in Quantizable.Products(watched)) axes.TryAdd(product.Node.Inputs[0]!, product.Channels);
        var given = values.Where(v => v.Producer is null).ToArray();
        foreach (var value in values.Except(given)) watched.AddOutput(value);
        using var session = new Session(backend.Compile(watched, limits), backend.CreateRunner(threads));
        var calibration = new Calibration();
        var count = 0;
        foreach (var sample in samples)
        {
            var results = session.Run(sample, cancellation);
            for (var i = outputs; i < results.Length; i++) calibration.Add(watched.Outputs[i], (Tensor)results[i], axes);
            foreach (var value in given) calibration.Add(value, sample[watched.Inputs.ToList().IndexOf(value)], axes);
            foreach (var result in results) result.Dispose();
            progress?.Invoke(++count);
        }
        return calibration;
    }

    private void Add(Value value, Tensor tensor, Dictionary<Value, int> axes)
    {
        if (!histograms.TryGetValue(value.Name, out var histogram)) histograms[value.Name] = histogram = new();
        var numbers = tensor.Span<float>();
        histogram.Add(numbers);
        if (axes.TryGetValue(value, out var axis) && tensor.Count > 0)
        {
            var extent = (int)tensor.Shape[axis];
            if (!channels.TryGetValue(value.Name, out var found)) channels[value.Name] = found = new(extent);
            found.Add(numbers, (int)tensor.Shape.Product(axis + 1, tensor.Shape.Rank));
        }
        GC.KeepAlive(tensor);
    }

    private sealed class Channels(int extent)
    {
        public double[] Sums { get; } = new double[extent];

        public double[] Maxima { get; } = new double[extent];

        public long Places { get; private set; }

        public void Add(ReadOnlySpan<float> values, int inner)
        {
            for (var i = 0; i < values.Length; i += inner)
            {
                var c = i / inner % extent;
                double sum = 0, most = Maxima[c];
                foreach (var v in values.Slice(i, inner))
                {
                    if (!float.IsFinite(v)) continue;
                    sum += v;
                    most = Math.Max(most, Math.Abs(v));
                }
                Sums[c] += sum;
                Maxima[c] = most;
            }
            Places += values.Length / extent;
        }
    }
}
