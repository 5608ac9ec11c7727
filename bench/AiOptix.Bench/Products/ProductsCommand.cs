using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using AiOptix.Bench.Compare;
using AiOptix.Kernels;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Peak;
using AiOptix.Tensors;
using Spectre.Console;

namespace AiOptix.Bench.Products;

/// <summary><c>./bench.sh products</c>: float32 products on one thread beside OpenBLAS and oneDNN, and how much of the measured peak they reach.</summary>
internal static unsafe class ProductsCommand
{
    private const double SecondsATurn = 0.02;

    private static readonly (int M, int N, int K)[] shapes =
    [
        (8, 8, 8), (16, 16, 16), (24, 24, 24), (32, 32, 32), (48, 48, 48), (64, 64, 64), (96, 96, 96), (128, 128, 128), (192, 192, 192), (256, 256, 256), (384, 384, 384),
        (512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048),
        (7, 33, 65), (31, 37, 41), (1, 768, 768), (1, 4096, 4096), (4, 1000, 512), (49, 512, 2048), (128, 768, 768), (128, 3072, 768), (197, 768, 3072), (3136, 64, 64), (784, 128, 1152), (1500, 64, 1500), (4096, 16, 144),
    ];

    private delegate void Product(float* a, float* b, float* c);

    internal static Command Command()
    {
        var only = new Option<int?>("--m") { Description = "Only products of so many rows." };
        var rounds = new Option<int>("--rounds") { Description = "Rounds, at least 6.", DefaultValueFactory = _ => 9 };
        var json = new Option<string?>("--json") { Description = "Writes every figure to this file; a bare name goes to bench/results/<cpu>/." };
        var command = new Command("products", "Compares float32 matrix products on one thread with OpenBLAS's and oneDNN's; all operands as they lie in memory, and B packed beforehand.") { only, rounds, json };
        command.SetAction(p => Run(Math.Max(Statistics.FewestSamples, p.GetValue(rounds)), p.GetValue(json), p.GetValue(only)));
        return command;
    }

    private static int Run(int rounds, string? json, int? only)
    {
        try
        {
            Blas.OneThread();
        }
        catch (Exception e) when (e is AiOptixException or DllNotFoundException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        var target = HostTarget.Current;
        var peak = PeakProbe.FmaGflops(target);
        Console.WriteLine(FormattableString.Invariant($"AI Optix {Versions.Optix}; {Machine.Cpu}; one thread, {rounds} rounds, peak {peak:F0} Gflop/s"));
        var table = new Table().AddColumns("M", "N", "K", "AI Optix", "of peak", "B packed", "of peak", "OpenBLAS", "oneDNN", "over OpenBLAS", "over oneDNN");
        foreach (var column in table.Columns) column.RightAligned();
        var all = new JsonArray();
        foreach (var (m, n, k) in shapes.Where(s => only is null || s.M == only))
        {
            var found = Measure(m, n, k, target, rounds);
            var gflops = Array.ConvertAll(found, turns => 2e-9 * m * n * k / Statistics.Median(turns));
            Estimate Over(int peer) => Statistics.OfMedian([.. found[peer].Zip(found[0], (theirs, ours) => theirs / ours)]);
            var (blas, dnnl) = (Over(2), Over(3));
            string[] cells = [$"{m}", $"{n}", $"{k}", Number(gflops[0], "F1"), Number(gflops[0] / peak, "P0"), Number(gflops[1], "F1"), Number(gflops[1] / peak, "P0"), Number(gflops[2], "F1"), Number(gflops[3], "F1"), Number(blas.Median, "F2"), Number(dnnl.Median, "F2")];
            table.AddRow(cells);
            all.Add(new JsonObject
            {
                ["m"] = m, ["n"] = n, ["k"] = k, ["gflops"] = gflops[0], ["packed_gflops"] = gflops[1], ["openblas_gflops"] = gflops[2], ["onednn_gflops"] = gflops[3],
                ["over_openblas"] = Interval(blas), ["over_onednn"] = Interval(dnnl),
            });
        }
        Report.Terminal().Write(table);
        var document = new JsonObject { ["cpu"] = Machine.Cpu, ["optix"] = Versions.Optix, ["threads"] = 1, ["rounds"] = rounds, ["peak_gflops"] = peak, ["products"] = all };
        if (json is not null) Console.WriteLine($"written: {JsonReport.Write(json, document)}");
        return 0;
    }

    private static string Number(double value, string format) => value.ToString(format, System.Globalization.CultureInfo.InvariantCulture);

    private static JsonArray Interval(Estimate e) => [e.Median, e.Low, e.High];

    /// <summary>Seconds a product, for each round: ours with B as it lies, ours with B packed, OpenBLAS, oneDNN; they take turns.</summary>
    private static double[][] Measure(int m, int n, int k, Target target, int rounds)
    {
        using var memory = new Buffers();
        float* a = memory.Floats((long)m * k), b = memory.Floats((long)k * n), c = memory.Floats((long)m * n);
        // Every element's product in float64, to hold the answers to.
        var random = new Random(0);
        for (long i = 0; i < (long)m * k; i++) a[i] = random.NextSingle() - 0.5f;
        for (long i = 0; i < (long)k * n; i++) b[i] = random.NextSingle() - 0.5f;
        var inPlace = Plan(m, n, k, target, isPacked: false);
        var packed = Plan(m, n, k, target, isPacked: true);
        var panels = memory.Floats(packed.PackedBBytes / sizeof(float));
        packed.PackB(b, n, 1, panels);
        var scratch = (byte*)memory.Floats(Math.Max(inPlace.ScratchBytes, packed.ScratchBytes) / sizeof(float));
        // As a bound program keeps it; a run fills in where its operands lie.
        var call = new GemmCall { ARowStride = k, BRowStride = n, CRowStride = n };
        Product[] products =
        [
            (x, y, z) =>
            {
                call.A = x;
                call.B = y;
                call.C = z;
                inPlace.Run(call, 0, inPlace.Tasks, scratch);
            },
            (x, _, z) =>
            {
                call.A = x;
                call.B = panels;
                call.C = z;
                packed.Run(call, 0, packed.Tasks, scratch);
            },
            (x, y, z) => Blas.OpenBlas(m, n, k, x, y, z),
            (x, y, z) => Blas.OneDnn(m, n, k, x, y, z),
        ];
        var repeats = new int[products.Length];
        for (var i = 0; i < products.Length; i++)
        {
            new Span<float>(c, m * n).Fill(float.NaN);
            products[i](a, b, c);
            Check(m, n, k, a, b, c, i);
            var once = Seconds(products[i], a, b, c, 3) / 3;
            repeats[i] = (int)Math.Clamp(SecondsATurn / once, 1, 1_000_000);
        }
        var found = Array.ConvertAll(products, _ => new double[rounds]);
        for (var round = 0; round < rounds; round++)
            for (var i = 0; i < products.Length; i++)
                found[i][round] = Seconds(products[i], a, b, c, repeats[i]) / repeats[i];
        return found;
    }

    private static GemmPlan Plan(int m, int n, int k, Target target, bool isPacked)
    {
        var problem = new GemmProblem(m, n, k, B: isPacked ? GemmOperand.Packed : GemmOperand.InPlace);
        return new(new GemmShape(m, n, k, PackedB: isPacked), target, GemmProblem.Form(problem.Pick(target)).Kernel);
    }

    private static double Seconds(Product product, float* a, float* b, float* c, int repeats)
    {
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < repeats; i++) product(a, b, c);
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static void Check(int m, int n, int k, float* a, float* b, float* c, int which)
    {
        var random = new Random(which);
        for (var i = 0; i < 100; i++)
        {
            int row = random.Next(m), column = random.Next(n);
            double sum = 0;
            for (var p = 0; p < k; p++) sum += (double)a[(long)row * k + p] * b[(long)p * n + column];
            if (!(Math.Abs(c[(long)row * n + column] - sum) <= 1e-5 * Math.Sqrt(k) + 1e-5)) throw new AiOptixException($"product {which} of {m}x{n}x{k}: [{row},{column}] is {c[(long)row * n + column]}, expected {sum}");
        }
    }

    /// <summary>Aligned memory of one measurement.</summary>
    private sealed class Buffers : IDisposable
    {
        private readonly List<MemoryBlock> blocks = [];

        public float* Floats(long count)
        {
            var block = MemoryBlock.Allocate(count * sizeof(float) + MemoryBlock.Alignment, zeroed: true);
            blocks.Add(block);
            return (float*)block.Pointer;
        }

        public void Dispose() => blocks.ForEach(b => b.LetGo());
    }
}
