using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Gemm;

/// <summary>Weights of 28 bits: nothing is lost.</summary>
public class CompactTests
{
    private static readonly float[] outliers = [0f, -0f, 1e-30f, -1e-42f, 3e20f, -7e-9f, float.Epsilon];

    public static TheoryData<int> Rows => [.. Enumerable.Range(0, GemmTable.Rows.Count - 1)];

    private static GemmKernel Row(int row)
    {
        var kernel = GemmTable.Rows[row];
        Skip.IfNot(HostTarget.Current.Has(kernel.Isa), $"{kernel.Name} needs {kernel.Isa}");
        return kernel;
    }

    private static GemmCase Case(Random random, int m, int listed, int? columns = null)
    {
        var shape = new GemmShape(m, columns ?? random.Next(1, 300), random.Next(64, 500));
        var test = new GemmCase(random, shape, random.Next(2) == 0, random.Next(2) == 0, random.Next(2) == 0, Activation.None);
        // Exponents that the form has room for; then some that it has not.
        foreach (ref var v in test.B) v = MathF.CopySign(MathF.ScaleB(1 + random.NextSingle(), -random.Next(2, 16)), v);
        for (var i = 0; i < listed; i++) test.B[random.Next(test.B.Length)] = outliers[random.Next(outliers.Length)];
        return test;
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Many_rows_have_the_bits_of_plain_weights(int row)
    {
        var (kernel, random) = (Row(row), new Random(row));
        for (var i = 0; i < 40; i++)
        {
            using var test = Case(random, random.Next(9, 60), i % 4 * 20);
            if (i % 8 == 1) (test.B[random.Next(test.B.Length)], test.B[random.Next(test.B.Length)]) = (float.NaN, float.NegativeInfinity);
            Assert.Equal(test.Run(kernel, false, true, 1), test.Run(kernel, i % 2 == 0, true, 3, compactB: true));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Few_rows_have_the_bits_of_plain_weights_when_none_is_an_outlier(int row)
    {
        var (kernel, random) = (Row(row), new Random(row + 10));
        for (var i = 0; i < 40; i++)
        {
            using var test = Case(random, 1 + i % 8, 0);
            Assert.Equal(test.Run(kernel, false, true, 1), test.Run(kernel, false, true, 2, compactB: true));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Few_rows_with_outliers_are_within_the_error_of_a_naive_loop(int row)
    {
        var (kernel, random) = (Row(row), new Random(row + 20));
        double worst = 0, naiveWorst = 0;
        for (var i = 0; i < 60; i++)
        {
            var shape = new GemmShape(1 + i % 8, random.Next(1, 300), random.Next(64, 500));
            using var test = new GemmCase(random, shape, random.Next(2) == 0, random.Next(2) == 0, false, Activation.None);
            for (var j = 0; j < i; j++) test.B[random.Next(test.B.Length)] = random.Next(3) == 0 ? random.NextSingle() * 1e-7f : random.Next(2) * 40f;
            var (exact, naive) = test.Sums();
            var got = test.Run(kernel, false, true, 1, compactB: true);
            for (var j = 0; j < exact.Length; j++)
            {
                worst = Math.Max(worst, Math.Abs(got[j] - exact[j]));
                naiveWorst = Math.Max(naiveWorst, Math.Abs(naive[j] - exact[j]));
            }
        }
        Assert.True(worst <= 4 * naiveWorst, $"{kernel.Name}: {worst} against {naiveWorst}");
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Nan_and_infinity_act_as_with_plain_weights(int row)
    {
        var (kernel, random) = (Row(row), new Random(row + 30));
        for (var i = 0; i < 60; i++)
        {
            using var test = Case(random, 1 + i % 5, 60, 200);
            if (i % 2 == 0) test.B[random.Next(test.B.Length)] = i % 4 == 0 ? float.NaN : float.PositiveInfinity;
            test.A[random.Next(test.A.Length)] = (i % 3) switch { 0 => float.NaN, 1 => float.PositiveInfinity, _ => float.NegativeInfinity };
            var want = test.Run(kernel, false, true, 1);
            var got = test.Run(kernel, false, true, 1, compactB: true);
            for (var j = 0; j < want.Length; j++) Assert.True(float.IsFinite(want[j]) ? MathF.Abs(want[j] - got[j]) <= 1e-4f * Math.Max(1, MathF.Abs(want[j])) : want[j].Equals(got[j]), $"{kernel.Name} {i}: [{j}] = {got[j]:R}, plain {want[j]:R}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Weights_with_many_outliers_stay_as_they_are(int row)
    {
        var (kernel, random) = (Row(row), new Random(row + 40));
        foreach (var m in (int[])[1, 7, 17])
        {
            using var test = Case(random, m, 0);
            for (var i = 0; i < test.B.Length; i += 2) test.B[i] = 0;
            Assert.Equal(test.Run(kernel, false, true, 1), test.Run(kernel, false, true, 1, compactB: true));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void A_damaged_form_computes_something_and_reads_nothing_outside(int row)
    {
        var (kernel, random) = (Row(row), new Random(row + 50));
        for (var i = 0; i < 40; i++)
        {
            var shape = new GemmShape(1 + i % 4 * 5, random.Next(1, 100), random.Next(64, 200));
            using var test = new GemmCase(random, shape, false, false, false, Activation.None)
            {
                Damage = floats =>
                {
                    var tail = floats[^Math.Min(floats.Length, 40)..];
                    foreach (ref var v in i % 4 == 0 ? floats : tail) v = BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
                },
            };
            Assert.Equal(shape.M * shape.N, test.Run(kernel, false, true, 1, compactB: true).Length);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public unsafe void A_run_allocates_nothing(int row)
    {
        var kernel = Row(row);
        foreach (var m in (int[])[1, 20])
        {
            var plan = new GemmPlan(new GemmShape(m, 100, 70, PackedB: true, CompactB: true), HostTarget.Current, kernel);
            using GuardedBuffer a = new(m * 70), b = new(70 * 100), c = new(m * 100), packed = new(plan.PackedBBytes / sizeof(float)), scratch = new(plan.ScratchBytes / sizeof(float));
            b.Span.Fill(0.5f);
            plan.PackB(b.Pointer, 100, 1, packed.Pointer);
            var call = new GemmCall { A = a.Pointer, ARowStride = 70, B = packed.Pointer, C = c.Pointer, CRowStride = 100 };
            plan.Run(call, 0, plan.Tasks, (byte*)scratch.Pointer);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 10; i++) plan.Run(call, 0, plan.Tasks, (byte*)scratch.Pointer);
            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
    }

    [Fact]
    public void A_form_that_a_kernel_does_not_have_is_refused()
    {
        var target = HostTarget.Current;
        Assert.Throws<ArgumentException>(() => new GemmPlan(new GemmShape(1, 100, 20, PackedB: true, CompactB: true), target));
        Assert.Throws<ArgumentException>(() => new GemmPlan(new GemmShape(1, 100, 100, CompactB: true), target));
        Assert.Throws<ArgumentException>(() => new GemmPlan(new GemmShape(1, 100, 100, PackedB: true, CompactB: true), target, GemmTable.Rows[^1]));
    }
}
