using AiOptix.Kernels.Attention;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Attention;

public unsafe class AttentionTests
{
    public static TheoryData<int> Rows => [.. Enumerable.Range(0, AttentionTable.Rows.Count)];

    private static AttentionKernel Row(int row)
    {
        var kernel = AttentionTable.Rows[row];
        Skip.IfNot(HostTarget.Current.Has(kernel.Isa), $"{kernel.Name} needs {kernel.Isa}");
        return kernel;
    }

    /// <summary>Attention over random tensors; positions outside or inside the heads, masks of several broadcasts.</summary>
    private sealed class Case : IDisposable
    {
        private readonly AttentionShape shape;
        private readonly GuardedBuffer q;
        private readonly GuardedBuffer k;
        private readonly GuardedBuffer v;
        private readonly GuardedBuffer mask;
        private readonly bool headsInside;
        private readonly int maskKind;
        private readonly bool causal;
        private readonly int offset;

        public Case(Random random, AttentionShape shape, bool headsInside, int maskKind, bool causal, int offset)
        {
            (this.shape, this.headsInside, this.maskKind, this.causal, this.offset) = (shape, headsInside, maskKind, causal, offset);
            q = Fill(random, (long)shape.Batch * shape.Heads * shape.Queries * shape.Width, 4);
            k = Fill(random, (long)shape.Batch * shape.KeyHeads * shape.Keys * shape.Width, 4);
            v = Fill(random, (long)shape.Batch * shape.KeyHeads * shape.Keys * shape.ValueWidth, 1);
            mask = Fill(random, (long)shape.Batch * shape.Heads * shape.Queries * shape.Keys, 2);
        }

        public Span<float> Mask => mask.Span;

        public override string ToString() => $"{shape} inside {headsInside} mask {maskKind} causal {causal} {offset}";

        private HeadStrides Strides(int heads, int positions, int width)
            => headsInside ? new((nint)positions * heads * width, width, heads * width) : new((nint)heads * positions * width, (nint)positions * width, width);

        private HeadStrides MaskStrides => maskKind switch
        {
            1 => new((nint)shape.Heads * shape.Queries * shape.Keys, (nint)shape.Queries * shape.Keys, shape.Keys),
            2 => new(shape.Keys, 0, 0),
            _ => new(0, 0, 1, 0),
        };

        public float[] Run(AttentionKernel kernel, int tasksAtOnce)
        {
            var plan = new AttentionPlan(shape, HostTarget.Current, kernel);
            using var scratch = new GuardedBuffer(plan.ScratchBytes / 4);
            using var y = new GuardedBuffer((long)shape.Batch * shape.Heads * shape.Queries * shape.ValueWidth);
            y.Span.Fill(-77);
            scratch.Span.Fill(float.NaN);
            var call = new AttentionCall
            {
                Q = q.Pointer, QStrides = Strides(shape.Heads, shape.Queries, shape.Width),
                K = k.Pointer, KStrides = Strides(shape.KeyHeads, shape.Keys, shape.Width),
                V = v.Pointer, VStrides = Strides(shape.KeyHeads, shape.Keys, shape.ValueWidth),
                Y = y.Pointer, YStrides = Strides(shape.Heads, shape.Queries, shape.ValueWidth),
                Mask = maskKind == 0 ? null : mask.Pointer, MaskStrides = MaskStrides, Scale = 0.3f, Causal = causal, CausalOffset = offset,
            };
            for (var task = plan.Tasks - 1; task >= 0; task -= tasksAtOnce) plan.Run(call, Math.Max(0, task - tasksAtOnce + 1), task + 1, (byte*)scratch.Pointer);
            return y.Span.ToArray();
        }

        public double[] Exact()
        {
            HeadStrides qs = Strides(shape.Heads, shape.Queries, shape.Width), ks = Strides(shape.KeyHeads, shape.Keys, shape.Width);
            HeadStrides vs = Strides(shape.KeyHeads, shape.Keys, shape.ValueWidth), ys = Strides(shape.Heads, shape.Queries, shape.ValueWidth), ms = MaskStrides;
            var y = new double[shape.Batch * shape.Heads * shape.Queries * shape.ValueWidth];
            var s = new double[shape.Keys];
            for (var b = 0; b < shape.Batch; b++)
            for (var h = 0; h < shape.Heads; h++)
            for (var i = 0; i < shape.Queries; i++)
            {
                var kh = h * shape.KeyHeads / shape.Heads;
                for (var j = 0; j < shape.Keys; j++)
                {
                    s[j] = 0;
                    for (var d = 0; d < shape.Width; d++) s[j] += (double)q.Span[(int)(qs.Of(b, h) + i * qs.Position + d)] * k.Span[(int)(ks.Of(b, kh) + j * ks.Position + d)];
                    s[j] = s[j] * 0.3f + (maskKind == 0 ? 0 : mask.Span[(int)(ms.Of(b, h) + i * ms.Position + j * ms.Element)]);
                    if (causal && j > i + offset) s[j] = double.NegativeInfinity;
                }
                var max = s.Max();
                var sum = s.Sum(x => Math.Exp(x - max));
                for (var j = 0; j < shape.Keys; j++)
                for (var d = 0; d < shape.ValueWidth; d++)
                    y[(int)(ys.Of(b, h) + i * ys.Position + d)] += Math.Exp(s[j] - max) / sum * v.Span[(int)(vs.Of(b, kh) + j * vs.Position + d)];
            }
            return y;
        }

        public void Dispose()
        {
            foreach (var buffer in (GuardedBuffer[])[q, k, v, mask]) buffer.Dispose();
        }

        private static GuardedBuffer Fill(Random random, long n, float size)
        {
            var buffer = new GuardedBuffer(n);
            foreach (ref var x in buffer.Span) x = (random.NextSingle() - 0.5f) * size;
            return buffer;
        }
    }

    private static Case Make(Random random, int i)
    {
        int keyHeads = random.Next(1, 3), heads = keyHeads * random.Next(1, 4);
        var shape = new AttentionShape(random.Next(1, 3), heads, keyHeads, i % 4 == 0 ? 1 : random.Next(1, 50), random.Next(1, 80), random.Next(1, 40), random.Next(1, 40));
        if (i % 10 == 7) shape = shape with { Queries = 70, Keys = 700 };
        return new(random, shape, random.Next(2) == 0, random.Next(4), random.Next(3) == 0, random.Next(0, 9));
    }

    private static void SameBits(string what, float[] want, float[] got)
    {
        for (var j = 0; j < want.Length; j++)
            Assert.True(BitConverter.SingleToInt32Bits(want[j]) == BitConverter.SingleToInt32Bits(got[j]) || (float.IsNaN(want[j]) && float.IsNaN(got[j])), $"{what}: [{j}] = {got[j]:R}, expected {want[j]:R}");
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Every_row_gives_the_bits_of_the_scalar_reference(int row)
    {
        var kernel = Row(row);
        var random = new Random(21);
        for (var i = 0; i < 60; i++)
        {
            using var test = Make(random, i);
            SameBits($"{kernel.Name} {test}", test.Run(AttentionTable.Rows[^1], 1000), test.Run(kernel, random.Next(1, 4)));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Every_row_agrees_with_f64(int row)
    {
        var kernel = Row(row);
        var random = new Random(22);
        for (var i = 0; i < 30; i++)
        {
            using var test = Make(random, i);
            var want = test.Exact();
            var got = test.Run(kernel, 3);
            for (var j = 0; j < want.Length; j++) Assert.True(Math.Abs(want[j] - got[j]) < 3e-6, $"{kernel.Name} {test}: [{j}] = {got[j]:R}, f64 {want[j]:R}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void A_row_without_any_key_is_zero_and_leaves_the_others_alone(int row)
    {
        var kernel = Row(row);
        var shape = new AttentionShape(1, 1, 1, 20, 20, 8, 8);
        using var masked = new Case(new Random(1), shape, false, 1, false, 0);
        masked.Mask.Slice(5 * 20, 20).Fill(float.NegativeInfinity);
        masked.Mask.Slice(6 * 20, 19).Fill(float.NegativeInfinity);
        var y = masked.Run(kernel, 1);
        using var causal = new Case(new Random(1), shape, false, 0, true, -3);
        var z = causal.Run(kernel, 1);
        for (var i = 0; i < 160; i++)
        {
            Assert.Equal(i / 8 == 5, y[i] == 0);
            Assert.Equal(i / 8 < 3, z[i] == 0);
        }
    }

    [Fact]
    public void Names_are_unique_and_every_cap_has_a_row()
    {
        var all = new Target((Isa)63);
        Assert.Equal("attention_f32_12x32_avx512", AttentionTable.Select(all).Name);
        Assert.Equal("attention_f32_6x16_avx2", AttentionTable.Select(all.Cap(IsaCap.Avx2)).Name);
        Assert.Equal("attention_f32_4x8_v128", AttentionTable.Select(all.Cap(IsaCap.None)).Name);
        Assert.InRange(new AttentionPlan(new(1, 12, 12, 128, 128, 64, 64), all).Tasks, 12, 48);
        Assert.Equal(0, new AttentionPlan(new(1, 12, 12, 0, 128, 64, 64), all).Tasks);
    }
}
