using System.Globalization;
using AiOptix.Cpu;
using AiOptix.Onnx;
using AiOptix.Optimization.Calibrate;
using AiOptix.Passes.Quantize;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>Models written in static int8, and what that gains over fp32 by the same engine.</summary>
internal static class Quantized
{
    private const int CalibrationSamples = 4;

    /// <summary>Whether a model is one of those that int8 is for: convolution networks and transformers of the zoo.</summary>
    internal static bool Suits(BenchCase model) => model.Entry is not null && model.Name is not ("lstm-tagger" or "random-forest");

    /// <summary>The model with all its products static int8, ranges from inputs drawn like those it is timed with. Nobody asks how well it answers: its weights are made up.</summary>
    internal static BenchCase Of(BenchCase model, CompareOptions options)
    {
        var path = Path.Combine(Repository.Root, "artifacts", "zoo", string.Create(CultureInfo.InvariantCulture, $"{model.Name}-{options.Seed}-int8.onnx"));
        var (rewritten, _) = Model.Load(model.Path).Rewrite();
        var samples = Enumerable.Range(0, CalibrationSamples).Select(s => model.Entry!.Inputs(options.Seed + s, options.Extents)).Select(i => rewritten.Inputs.Select(v => (Tensor)i[v.Name]).ToArray());
        var calibration = Calibration.Collect(rewritten.Graph, new CpuBackend(), samples, Limits.Default, threads: 0);
        var plan = new QuantizationPlan
        {
            Nodes = Quantizable.Products(rewritten.Graph).ToDictionary(p => p.Name, _ => QuantizedForm.Static, StringComparer.Ordinal),
            Ranges = calibration.Ranges(CalibrationMethod.MinMax),
        };
        OnnxFile.Write(QuantizationWriter.Write(rewritten.Graph, plan), path);
        return model with { Name = $"{model.Name} int8", Path = path };
    }

    /// <summary>How many times faster int8 runs than fp32, in turns.</summary>
    internal static Estimate OverFloats(BenchCase floats, BenchCase integers, int threads, CompareOptions options)
    {
        var inputs = floats.Entry!.Inputs(options.Seed, options.Extents).ToDictionary(p => p.Key, p => (Tensor)p.Value, StringComparer.Ordinal);
        using var slow = new OptixEngine(floats.Path, threads, inputs);
        using var fast = new OptixEngine(integers.Path, threads, inputs);
        return Statistics.OfMedian([.. Timing.Rounds(fast, slow, options.Rounds, threads).Select(r => r.Ratio)]);
    }

    /// <summary><c>own fp32: geomean 2.10 over 11 models, least 1.20 (yolov8-n), 1 threads</c>.</summary>
    internal static string Closing(IReadOnlyList<(string Name, Estimate Ratio)> all, int threads)
    {
        var least = all.MinBy(a => a.Ratio.Median);
        return string.Create(CultureInfo.InvariantCulture, $"own fp32: geomean {Statistics.GeometricMean(all.Select(a => a.Ratio.Median)):F2} over {all.Count} models, least {least.Ratio.Median:F2} ({least.Name}), {threads} threads");
    }
}
