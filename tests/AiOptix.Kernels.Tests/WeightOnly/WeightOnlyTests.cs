using AiOptix.Kernels.WeightOnly;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.WeightOnly;

/// <summary>Products with weights of 4 and 8 bits against the definition in float64, on buffers that end at an inaccessible page; all rows of a form agree bit by bit where multiply-add is fused.</summary>
public unsafe class WeightOnlyTests
{
    public static TheoryData<string> Names => [.. WeightOnlyTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Rows_give_the_product(string name)
    {
        var row = WeightOnlyTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        foreach (var (m, n, k, block) in new[] { (1, 1, 1, 1), (1, 70, 100, 32), (3, 33, 37, 16), (2, 64, 20, 3), (5, 40, 65, 65), (8, 45, 50, 7), (9, 31, 8, 8), (4, 100, 130, 128), (0, 3, 4, 4) })
            foreach (var isTransposed in new[] { false, true })
            {
                var shape = new WeightOnlyShape(m, n, k, row.Bits, block, row.HasZeros);
                var (found, expected, magnitude) = Run(shape, row, isTransposed);
                for (var i = 0; i < found.Length; i++) Assert.True(Math.Abs(found[i] - expected[i]) <= 2e-6 * magnitude[i], $"{name} {shape}: element {i} is {found[i]:R}, expected {expected[i]:R}");
                if (m is 0 or > 7 || !HostTarget.Current.Has(Isa.Avx2) || name.EndsWith("v128", StringComparison.Ordinal)) continue;
                var reference = WeightOnlyTable.Rows.Last(r => r.Bits == row.Bits && r.HasZeros == row.HasZeros);
                Sweep.AssertSame(Run(shape, reference, isTransposed).Found, found, $"{name} {shape}");
            }
    }

    private static (float[] Found, double[] Expected, double[] Magnitude) Run(WeightOnlyShape s, WeightOnlyKernel row, bool isTransposed)
    {
        var random = new Random(7);
        var (least, most) = s.Bits == 4 ? (-8, 8) : (-128, 128);
        var q = new sbyte[s.K * s.N];
        for (var i = 0; i < q.Length; i++) q[i] = (sbyte)random.Next(least, most);
        var zeros = new float[s.Blocks * s.N];
        for (var i = 0; i < zeros.Length; i++) zeros[i] = s.HasZeros ? random.Next(least, most) : 0;
        using var a = new GuardedBuffer(Sweep.Floats(random, s.M * s.K));
        using var scales = new GuardedBuffer(Sweep.Floats(random, s.Blocks * s.N, scale: 0.1f));
        var plan = new WeightOnlyPlan(s, HostTarget.Current, row);
        using var packed = new GuardedArray<byte>(plan.PackedBytes);
        using var c = new GuardedBuffer(s.M * s.N);
        using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
        fixed (sbyte* w = q)
        fixed (float* z = zeros)
            plan.Pack(new() { Q = w, TermStride = isTransposed ? 1 : s.N, ColumnStride = isTransposed ? s.K : 1, Scales = scales.Pointer, Zeros = z, BlockStride = isTransposed ? 1 : s.N, ScaleStride = isTransposed ? s.Blocks : 1 }, packed.Pointer);
        Sweep.Scattered(plan.Tasks, (from, to) => plan.Run(a.Pointer, packed.Pointer, c.Pointer, from, to, scratch.Pointer));
        var (expected, magnitude) = (new double[s.M * s.N], new double[s.M * s.N]);
        for (var i = 0; i < s.M; i++)
            for (var j = 0; j < s.N; j++)
                for (var t = 0; t < s.K; t++)
                {
                    var at = isTransposed ? j * s.Blocks + t / s.Block : t / s.Block * s.N + j;
                    var term = a.Span[i * s.K + t] * (double)((q[isTransposed ? j * s.K + t : t * s.N + j] - zeros[at]) * scales.Span[at]);
                    expected[i * s.N + j] += term;
                    magnitude[i * s.N + j] += Math.Abs(term);
                }
        return (c.Span.ToArray(), expected, magnitude);
    }
}
