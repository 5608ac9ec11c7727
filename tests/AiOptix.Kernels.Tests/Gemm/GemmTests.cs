using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Gemm;

public unsafe class GemmTests
{
    public static TheoryData<int> Rows => [.. Enumerable.Range(0, GemmTable.Rows.Count)];

    private static GemmKernel Row(int row)
    {
        var kernel = GemmTable.Rows[row];
        Skip.IfNot(HostTarget.Current.Has(kernel.Isa), $"{kernel.Name} needs {kernel.Isa}");
        return kernel;
    }

    private static readonly int[] Edges = [1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 16, 17, 20, 23, 25, 31, 32, 33, 40, 49, 65];

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Every_row_gives_the_bits_of_the_scalar_reference(int row)
    {
        var kernel = Row(row);
        var random = new Random(row + 1);
        for (var i = 0; i < 160; i++)
        {
            var shape = new GemmShape(Edges[random.Next(Edges.Length)], Edges[random.Next(Edges.Length)], random.Next(8) == 0 ? 0 : random.Next(1, 90), random.Next(1, 3), random.Next(1, 3));
            if (i % 20 == 0) shape = shape with { M = 1, N = random.Next(1, 400) };
            if (i % 20 == 1) shape = shape with { M = random.Next(1, 300), N = 1 };
            if (i % 20 == 2) shape = shape with { K = random.Next(500, 900), Batch1 = 1, Batch2 = 1 };
            using var test = new GemmCase(random, shape, random.Next(2) == 0, random.Next(3) == 0, random.Next(2) == 0, (Activation)random.Next(Enum.GetValues<Activation>().Length));
            var want = test.Run(GemmTable.Rows[^1], false, false, int.MaxValue / 2);
            var got = test.Run(kernel, random.Next(2) == 0, random.Next(2) == 0, random.Next(1, 4));
            for (var j = 0; j < want.Length; j++)
            {
                Assert.True(BitConverter.SingleToInt32Bits(want[j]) == BitConverter.SingleToInt32Bits(got[j]), $"{kernel.Name} {test}: [{j}] = {got[j]:R}, reference {want[j]:R}");
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Short_sums_in_place_give_the_bits_of_the_scalar_reference(int row)
    {
        var kernel = Row(row);
        var random = new Random(row + 7);
        foreach (var (m, n, k, batch) in ((int, int, int, int)[])[(8, 8, 8, 1), (1, 10, 84, 2), (16, 16, 16, 3), (29, 33, 7, 1), (43, 70, 50, 2), (900, 64, 64, 1), (601, 40, 96, 1)])
        {
            foreach (var activation in (Activation[])[Activation.None, Activation.Clip, Activation.Gelu])
            {
                using var test = new GemmCase(random, new GemmShape(m, n, k, 1, batch), random.Next(2) == 0, false, random.Next(4) > 0, activation) { RowBiases = false };
                var want = test.Run(GemmTable.Rows[^1], false, false, int.MaxValue / 2);
                Assert.Equal(want, test.Run(kernel, false, false, int.MaxValue / 2));
                Assert.Equal(want, test.Run(kernel, false, true, 1));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Task_grouping_and_packing_do_not_change_bits(int row)
    {
        var kernel = Row(row);
        var random = new Random(77);
        using var test = new GemmCase(random, new GemmShape(150, 170, 400), false, false, true, Activation.Gelu);
        var want = test.Run(kernel, false, false, 1);
        Assert.Equal(want, test.Run(kernel, true, true, 3));
        Assert.Equal(want, test.Run(kernel, true, false, 100));
        Assert.Equal(want, test.Run(kernel, false, true, 2));
        Assert.Equal(want, test.Run(kernel, false, true, 3, backwards: true));
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void A_row_over_panels_gives_the_same_bits_for_every_number_of_them_forwards_and_backwards(int row)
    {
        var kernel = Row(row);
        var random = new Random(78);
        for (var panels = 1; panels <= 13; panels++)
        {
            foreach (var less in (int[])[0, 1, kernel.Nr / 2, kernel.Nr - 1])
            {
                var n = panels * kernel.Nr - less;
                if (n <= 0) continue;
                using var test = new GemmCase(random, new GemmShape(1, n, 37), false, true, true, Activation.Tanh);
                var want = test.Run(kernel, false, false, 1);
                foreach (var backwards in (bool[])[false, true]) Assert.Equal(want, test.Run(kernel, false, true, 100, backwards: backwards));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void B_that_is_packed_on_the_way_gives_the_bits_of_the_scalar_reference(int row)
    {
        var kernel = Row(row);
        var target = HostTarget.Current with { L1Bytes = 48 << 10, L2Bytes = 32 << 10 };
        var random = new Random(row + 3);
        foreach (var (m, n, k, batch) in ((int, int, int, int)[])[(57, 100, 90, 2), (70, 90, 400, 1), (200, 33, 301, 1), (130, 65, 1024, 1), (61, 1024, 40, 1)])
        {
            foreach (var isTurned in (bool[])[false, true])
            {
                using var test = new GemmCase(random, new GemmShape(m, n, k, 1, batch), isTurned, false, random.Next(2) == 0, Activation.Gelu);
                Assert.Equal(test.Run(GemmTable.Rows[^1], false, false, int.MaxValue / 2), test.Run(kernel, false, false, 1, target));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Rows_beyond_the_second_level_cache_give_the_bits_of_the_scalar_reference(int row)
    {
        var kernel = Row(row);
        var random = new Random(row + 4);
        foreach (var (m, n, k) in ((int, int, int)[])[(200, 8, 40), (311, 33, 24), (97, 70, 90)])
        {
            using var test = new GemmCase(random, new GemmShape(m, n, k), false, false, random.Next(2) == 0, Activation.Relu);
            Assert.Equal(test.Run(GemmTable.Rows[^1], false, false, 1), test.Run(kernel, false, true, 1, HostTarget.Current with { L2Bytes = 16 << 10 }));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Rows_that_collide_give_the_same_bits_copied_apart_and_in_place(int row)
    {
        var kernel = Row(row);
        foreach (var k in (int[])[512, 1024, 1536])
        {
            using var test = new GemmCase(new Random(k), new GemmShape(30, 100, k), false, false, true, Activation.None);
            var want = test.Run(GemmTable.Rows[^1], false, false, int.MaxValue / 2);
            foreach (var ways in (int[])[8, 12])
                Assert.Equal(want, test.Run(kernel, false, true, 1, HostTarget.Current with { L1Bytes = ways * 4096 }));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Error_is_within_four_times_that_of_a_naive_loop(int row)
    {
        var kernel = Row(row);
        foreach (var (m, n, k) in ((int, int, int)[])[(13, 37, 1000), (1, 65, 700), (24, 64, 64)])
        {
            using var test = new GemmCase(new Random(m), new GemmShape(m, n, k), false, false, false, Activation.None);
            var (exact, naive) = test.Sums();
            var got = test.Run(kernel, true, false, 1);
            double worst = 0, naiveWorst = 0;
            for (var i = 0; i < exact.Length; i++)
            {
                worst = Math.Max(worst, Math.Abs(got[i] - exact[i]));
                naiveWorst = Math.Max(naiveWorst, Math.Abs(naive[i] - exact[i]));
            }
            Assert.True(worst <= 4 * naiveWorst, $"{kernel.Name}: {worst} against {naiveWorst}");
            Assert.True(worst < 1e-4);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Nan_and_infinity_stay_in_their_row(int row)
    {
        var kernel = Row(row);
        using var test = new GemmCase(new Random(3), new GemmShape(15, 35, 40), false, false, false, Activation.Relu);
        test.A[2 * 40 + 7] = float.NaN;
        test.A[9 * 40 + 3] = float.PositiveInfinity;
        var c = test.Run(kernel, false, false, 1);
        for (var i = 0; i < 15; i++)
        {
            for (var j = 0; j < 35; j++)
            {
                if (i == 2) Assert.True(float.IsNaN(c[i * 35 + j]));
                else if (i == 9) Assert.True(float.IsPositiveInfinity(c[i * 35 + j]) || c[i * 35 + j] == 0);
                else Assert.True(float.IsFinite(c[i * 35 + j]));
            }
        }
    }

    [Fact]
    public void Selection_depends_on_the_target_only_and_every_cap_has_a_row()
    {
        var all = new Target((Isa)63);
        var generating = new Target((Isa)127);
        Assert.Equal("gemm_f32_14x32_avx512_jit", GemmTable.Select(generating).Name);
        Assert.Equal("gemm_f32_6x16_avx2_jit", GemmTable.Select(generating.Cap(IsaCap.Avx2)).Name);
        Assert.Equal("gemm_f32_4x8_v128", GemmTable.Select(generating.Cap(IsaCap.None)).Name);
        Assert.Equal("gemm_f32_12x32_avx512", GemmTable.Select(all).Name);
        Assert.Equal("gemm_f32_6x16_avx2", GemmTable.Select(all.Cap(IsaCap.Avx2)).Name);
        Assert.Equal("gemm_f32_4x8_v128", GemmTable.Select(all.Cap(IsaCap.None)).Name);
        Assert.Equal(GemmTable.Rows.Count, GemmTable.Rows.Select(r => r.Name).Distinct(StringComparer.Ordinal).Count());
        foreach (var row in GemmTable.Rows) Assert.Equal(row.VectorWidth, GemvTable.For(row.VectorWidth).VectorWidth);
    }

    [Fact]
    public void A_large_product_has_many_tasks_and_an_empty_one_none()
    {
        var target = new Target(Isa.Avx2 | Isa.Avx512);
        Assert.InRange(new GemmPlan(new GemmShape(512, 512, 512), target).Tasks, 8, 64);
        Assert.InRange(new GemmPlan(new GemmShape(128, 3136, 576, PackedA: true), target).Tasks, 8, 64);
        Assert.Equal(1, new GemmPlan(new GemmShape(8, 8, 8), target).Tasks);
        Assert.Equal(0, new GemmPlan(new GemmShape(0, 8, 8), target).Tasks);
        Assert.Equal(0, new GemmPlan(new GemmShape(8, 8, 8, 0, 3), target).Tasks);
    }

    [Fact]
    public void The_packed_form_of_b_does_not_depend_on_m()
    {
        var target = HostTarget.Current;
        Assert.Equal(new GemmPlan(new GemmShape(1, 70, 30, PackedB: true), target).PackedBBytes, new GemmPlan(new GemmShape(999, 70, 30, PackedB: true), target).PackedBBytes);
    }
}
