using System.CommandLine;
using System.Diagnostics;
using AiOptix.Bench.Ort;
using AiOptix.Tensors;

namespace AiOptix.Bench;

/// <summary>Opens and runs a model with ONNX Runtime alone: shows that the peer works before anything is compared with it.</summary>
internal static class OrtSmoke
{
    internal static Command Command()
    {
        var model = new Argument<string>("model") { Description = "An ONNX file." };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 1 };
        var open = new Option<int>("--open") { Description = "The extent to use where the model leaves one open.", DefaultValueFactory = _ => 1 };
        var command = new Command("ort-smoke", "Runs a model with ONNX Runtime on made-up inputs.") { model, threads, open };
        command.Hidden = true;
        command.SetAction(parsed => Run(parsed.GetRequiredValue(model), parsed.GetValue(threads), parsed.GetValue(open)));
        return command;
    }

    private static int Run(string model, int threads, int open)
    {
        try
        {
            using var session = new OrtSession(model, threads);
            Console.WriteLine($"ONNX Runtime {OrtSession.Version}");
            foreach (var value in session.Inputs) Console.WriteLine($"in  {value}");
            foreach (var value in session.Outputs) Console.WriteLine($"out {value}");
            var inputs = session.Inputs.ToDictionary(v => v.Name, v => MadeUp(v, open));
            using var prepared = session.Prepare(inputs);
            prepared.Run();
            var watch = Stopwatch.StartNew();
            var runs = 0;
            for (; runs < 1000 && watch.ElapsedMilliseconds < 300; runs++) prepared.Run();
            Console.WriteLine($"{watch.Elapsed.TotalMicroseconds / runs:F1} µs a run over {runs} runs, {threads} threads");
            foreach (var (name, tensor) in session.Run(inputs)) Console.WriteLine($"{name} {tensor}: {Head(tensor)}");
            return 0;
        }
        catch (AiOptixException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static Tensor MadeUp(OrtValueInfo info, int open)
    {
        if (info.Kind != OrtKind.Tensor) throw new UnsupportedModelException($"input '{info.Name}' is a {info.Kind}; only tensors can be made up");
        var tensor = Tensor.Allocate(info.DType, new([.. info.Dims.Select(d => d < 0 ? open : d)]), zeroed: true);
        if (info.DType == DType.Float32)
        {
            var random = new Random(1);
            foreach (ref var x in tensor.Span<float>()) x = random.NextSingle();
        }
        return tensor;
    }

    private static string Head(Tensor tensor) => tensor.DType switch
    {
        DType.Float32 => string.Join(" ", tensor.Span<float>()[..(int)Math.Min(8, tensor.Count)].ToArray()),
        DType.String => string.Join(" ", tensor.Strings.Take(8)),
        DType.Int64 => string.Join(" ", tensor.ToInt64().Take(8)),
        _ => $"{tensor.ByteLength} bytes",
    };
}
