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

    /// <summary>What a query sees, beside all keys.</summary>
    private sealed record Sight(int Mask = 0, int Position = 0, int Before = int.MaxValue, int After = int.MaxValue, bool HasValid = false, float Softcap = 0);

    /// <summary>Attention over random tensors; positions outside or inside the heads, masks of several broadcasts, as addends or as booleans.</summary>
    private sealed class Case : IDisposable
    {
        private const float Scale = 0.3f;

        private readonly AttentionShape shape;
        private readonly GuardedBuffer q;
        private readonly GuardedBuffer k;
        private readonly GuardedBuffer v;
        private readonly GuardedBuffer mask;
        private readonly GuardedArray<byte> allowed;
        private readonly GuardedArray<long> valid;
        private readonly bool headsInside;
        private readonly Sight sight;

        public Case(Random random, AttentionShape shape, bool headsInside, Sight sight)
        {
            (this.shape, this.headsInside, this.sight) = (shape, headsInside, sight);
            q = Fill(random, (long)shape.Batch * shape.Heads * shape.Queries * shape.Width, 4);
            k = Fill(random, (long)shape.Batch * shape.KeyHeads * shape.Keys * shape.Width, 4);
            v = Fill(random, (long)shape.Batch * shape.KeyHeads * shape.Keys * shape.ValueWidth, 1);
            var scores = (long)shape.Batch * shape.Heads * shape.Queries * shape.Keys;
            mask = Fill(random, scores, 2);
            allowed = new(scores);
            foreach (ref var b in allowed.Span) b = (byte)(random.Next(3) == 0 ? 0 : random.Next(1, 256));
            valid = new(shape.Batch);
            foreach (ref var n in valid.Span) n = random.Next(0, shape.Keys + 1);
        }

        public Span<float> Mask => mask.Span;

        public override string ToString() => $"{shape} inside {headsInside} {sight}";

        private HeadStrides Strides(int heads, int positions, int width)
            => headsInside ? new((nint)positions * heads * width, width, heads * width) : new((nint)heads * positions * width, (nint)positions * width, width);

        private int MaskKeys => sight.Mask == 4 ? (shape.Keys + 1) / 2 : shape.Keys;

        private HeadStrides MaskStrides => sight.Mask switch
        {
            2 or 5 => new(MaskKeys, 0, 0),
            4 => new(0, 0, MaskKeys),
            _ => new((nint)shape.Heads * shape.Queries * MaskKeys, (nint)shape.Queries * MaskKeys, MaskKeys),
        };

        private bool IsBoolean => sight.Mask is 3 or 5;

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
                Mask = sight.Mask == 0 || IsBoolean ? null : mask.Pointer, Allowed = IsBoolean ? allowed.Pointer : null, MaskStrides = MaskStrides, MaskKeys = sight.Mask == 0 ? int.MaxValue : MaskKeys,
                Valid = sight.HasValid ? valid.Pointer : null, Scale = Scale, Softcap = sight.Softcap, Position = sight.Position, Before = sight.Before, After = sight.After,
            };
            for (var task = plan.Tasks - 1; task >= 0; task -= tasksAtOnce) plan.Run(call, Math.Max(0, task - tasksAtOnce + 1), task + 1, (byte*)scratch.Pointer);
            return y.Span.ToArray();
        }

        public double[] Exact()
        {
            HeadStrides qs = Strides(shape.Heads, shape.Queries, shape.Width), ks = Strides(shape.KeyHeads, shape.Keys, shape.Width);
            HeadStrides vs = Strides(shape.KeyHeads, shape.Keys, shape.ValueWidth), ys = Strides(shape.Heads, shape.Queries, shape.ValueWidth);
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
                    s[j] *= Scale;
                    if (sight.Softcap != 0) s[j] = sight.Softcap * Math.Tanh(s[j] / sight.Softcap);
                    s[j] += Addend(b, h, i, j);
                }
                var max = s.Max();
                if (double.IsNegativeInfinity(max)) continue;
                var sum = s.Sum(x => Math.Exp(x - max));
                for (var j = 0; j < shape.Keys; j++)
                for (var d = 0; d < shape.ValueWidth; d++)
                    y[(int)(ys.Of(b, h) + i * ys.Position + d)] += Math.Exp(s[j] - max) / sum * v.Span[(int)(vs.Of(b, kh) + j * vs.Position + d)];
            }
            return y;
        }

        private double Addend(int b, int h, int i, int j)
        {
            var valid = sight.HasValid ? this.valid.Span[b] : shape.Keys;
            var position = i + (sight.HasValid ? valid - shape.Queries : sight.Position);
            if (j >= valid || j < position - sight.Before || j > position + sight.After) return double.NegativeInfinity;
            if (sight.Mask == 0) return 0;
            if (j >= MaskKeys) return double.NegativeInfinity;
            var at = (int)(MaskStrides.Of(b, h) + i * MaskStrides.Position + j);
            return !IsBoolean ? mask.Span[at] : allowed.Span[at] != 0 ? 0 : double.NegativeInfinity;
        }

        public void Dispose()
        {
            foreach (var buffer in (IDisposable[])[q, k, v, mask, allowed, valid]) buffer.Dispose();
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
        var shape = new AttentionShape(random.Next(1, 3), heads, keyHeads, i % 4 == 0 ? 1 : random.Next(1, 50), random.Next(1, 80), random.Next(1, 40), random.Next(1, 90));
        if (i % 10 == 7) shape = shape with { Queries = 70, Keys = 700 };
        if (i % 10 == 8) shape = shape with { Queries = 1, Keys = random.Next(200, 700) };
        var sight = new Sight(random.Next(6), random.Next(0, 9), HasValid: random.Next(5) == 0, Softcap: random.Next(4) == 0 ? 2 : 0);
        if (random.Next(3) == 0) sight = sight with { After = random.Next(2), Position = random.Next(0, shape.Keys) };
        if (random.Next(4) == 0) sight = sight with { Before = random.Next(0, shape.Keys) };
        return new(random, shape, random.Next(2) == 0, sight);
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
        using var masked = new Case(new Random(1), shape, false, new(Mask: 1));
        masked.Mask.Slice(5 * 20, 20).Fill(float.NegativeInfinity);
        masked.Mask.Slice(6 * 20, 19).Fill(float.NegativeInfinity);
        var y = masked.Run(kernel, 1);
        using var causal = new Case(new Random(1), shape, false, new(Position: -3, After: 0));
        var z = causal.Run(kernel, 1);
        for (var i = 0; i < 160; i++)
        {
            Assert.Equal(i / 8 == 5, y[i] == 0);
            Assert.Equal(i / 8 < 3, z[i] == 0);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Keys_that_nobody_sees_do_not_touch_the_result_and_NaN_does(int row)
    {
        var kernel = Row(row);
        foreach (var queries in new[] { 1, 9 })
        {
            var shape = new AttentionShape(1, 1, 1, queries, 700, 8, 8);
            using var test = new Case(new Random(3), shape, false, new(Mask: 1));
            test.Mask.Fill(float.NegativeInfinity);
            for (var i = 0; i < queries; i++) test.Mask[i * 700 + 650] = 0;
            var y = test.Run(kernel, 1);
            Assert.All(y, v => Assert.True(float.IsFinite(v) && v != 0));
            for (var i = 0; i < queries; i++) test.Mask[i * 700 + 3] = float.NaN;
            Assert.All(test.Run(kernel, 1), v => Assert.True(float.IsNaN(v)));
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
