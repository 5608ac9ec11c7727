using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Vectors;

public unsafe class UnaryTests
{
    private static readonly ActivationArgs Args = new(0.3f, 1.7f);

    private delegate void Visit(string name, double bound, Func<double, double> exact, Runner runner);

    private delegate void Runner(Isa isa, float* x, float* y, long n);

    private static void Walk(Visit visit)
    {
        visit("exp", 2, Math.Exp, Run<ExpF32>);
        visit("exp2", 1, x => Math.Pow(2, Math.Min(x, 127)), Run<Exp2F32>);
        visit("expm1", 3, x => Math.Abs(x) < 1e-5 ? x + x * x / 2 : Math.Exp(x) - 1, Run<Expm1F32>);
        visit("log", 2, Math.Log, Run<LogF32>);
        visit("tanh", 4, Math.Tanh, Run<TanhF32>);
        visit("sigmoid", 4, x => 1 / (1 + Math.Exp(-x)), Run<SigmoidF32>);
        visit("erf", 3, Oracle.Erf, Run<ErfF32>);
        visit("sqrt", 0.5, Math.Sqrt, Run<SqrtF32>);
        visit("reciprocal", 0.5, x => 1 / x, Run<ReciprocalF32>);
        visit("neg", 0, x => -x, Run<NegF32>);
        visit("abs", 0, Math.Abs, Run<AbsF32>);
        visit("floor", 0, Math.Floor, Run<FloorF32>);
        visit("ceil", 0, Math.Ceiling, Run<CeilF32>);
        visit("round", 0, x => Math.Round(x, MidpointRounding.ToEven), Run<RoundF32>);
        visit("relu", 0, x => x < 0 ? 0 : x, Run<ReluF32>);
        visit("leaky", 0.5, x => x < 0 ? x * 0.3f : x, Run<LeakyReluF32>);
        visit("clip", 0, x => Math.Clamp(x, 0.3f, 1.7f), Run<ClipF32>);
        visit("silu", 6, x => x / (1 + Math.Exp(-x)), Run<SiluF32>);
        visit("geluTanh", 200, x => x / (1 + Math.Exp(-2 * Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))), Run<GeluTanhF32>);
        visit("elu", 4, x => x < 0 ? 0.3f * (Math.Abs(x) < 1e-5 ? x + x * x / 2 : Math.Exp(x) - 1) : x, Run<EluF32>);
        visit("softplus", 5, x => Math.Max(x, 0) + (Math.Exp(-Math.Abs(x)) is var e && e < 1e-6 ? e - e * e / 2 : Math.Log(1 + Math.Exp(-Math.Abs(x)))), Run<SoftplusF32>);
        visit("mish", 6, x => Math.Exp(x) is var e && e > 1e8 ? x : x * (e * (e + 2)) / (e * (e + 2) + 2), Run<MishF32>);
    }

    private readonly struct Exp2F32 : IUnaryF32
    {
        public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => VecMath.Exp2(T.MinOr(T.Set(127f), x));
    }

    private static void Run<TF>(Isa isa, float* x, float* y, long n) where TF : struct, IUnaryF32
    {
        var args = Args;
        switch (isa)
        {
            case Isa.Avx512: UnaryLoop.Run<TF, V16>(x, y, n, &args); break;
            case Isa.Avx2: UnaryLoop.Run<TF, V8>(x, y, n, &args); break;
            case Isa.None: UnaryLoop.Run<TF, V4>(x, y, n, &args); break;
            default: UnaryLoop.Run<TF, V1>(x, y, n, &args); break;
        }
    }

    private static float[] Inputs()
    {
        var random = new Random(5);
        var x = new List<float>();
        for (var i = 0; i < 6000; i++)
        {
            x.Add((random.NextSingle() - 0.5f) * 40);
            x.Add((random.NextSingle() - 0.5f) * 4);
            x.Add((random.NextSingle() - 0.5f) * 210);
            x.Add(MathF.Pow(10, random.NextSingle() * 40 - 38) * (random.Next(2) * 2 - 1));
        }
        return [.. x];
    }

    [Fact]
    public void Every_function_is_within_its_bound_of_f64()
    {
        var input = Inputs();
        using var x = new GuardedBuffer(input);
        using var y = new GuardedBuffer(input.Length);
        Walk((name, bound, exact, run) =>
        {
            run((Isa)(-1), x.Pointer, y.Pointer, input.Length);
            var worst = 0.0;
            var at = 0f;
            for (var i = 0; i < input.Length; i++)
            {
                var want = exact(input[i]);
                if (double.IsNaN(want))
                {
                    Assert.True(float.IsNaN(y.Span[i]), $"{name}({input[i]}) = {y.Span[i]}, expected NaN");
                    continue;
                }
                if (Math.Abs(want) < 1e-37 && Math.Abs(y.Span[i]) < 1.1e-37) continue;
                if (Math.Abs(want) > float.MaxValue)
                {
                    Assert.False(float.IsFinite(y.Span[i]) && bound == 0, $"{name}({input[i]}) = {y.Span[i]}");
                    continue;
                }
                var ulp = (double)MathF.BitIncrement(MathF.Abs((float)want)) - MathF.Abs((float)want);
                var error = Math.Abs(y.Span[i] - want) / ulp;
                if (error > worst) (worst, at) = (error, input[i]);
            }
            Assert.True(worst <= bound + 0.001, $"{name}: {worst:F2} ulp at {at:R}, bound {bound}");
        });
    }

    [Fact]
    public void Gelu_is_within_four_times_the_rounding_of_its_direct_form()
    {
        var input = Inputs();
        using var x = new GuardedBuffer(input);
        using var y = new GuardedBuffer(input.Length);
        Run<GeluF32>((Isa)(-1), x.Pointer, y.Pointer, input.Length);
        for (var i = 0; i < input.Length; i++)
        {
            var v = (double)input[i];
            var want = 0.5 * v * (1 + Oracle.Erf(v / Math.Sqrt(2)));
            Assert.True(Math.Abs(y.Span[i] - want) <= 2.4e-7 * Math.Abs(v) + 1e-37, $"gelu({v:R}) = {y.Span[i]:R}, f64 {want:R}");
            if (Math.Abs(v) > 5.4) Assert.Equal(v < 0 ? 0 : input[i], y.Span[i]);
        }
    }

    [Fact]
    public void Every_width_gives_the_same_bits_and_stays_inside_its_buffers()
    {
        var target = HostTarget.Current;
        var compared = 0;
        float[] special = [0f, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, -float.Epsilon, float.MaxValue, float.MinValue, 88.72283f, 88.7229f, -87.3f, -103.9f, -104.1f, 0.5f, 1.5f, 2.5f];
        float[] all = [.. special, .. Inputs().AsSpan(0, 2000)];
        Walk((name, _, _, run) =>
        {
            foreach (var n in (int[])[0, 1, 2, 3, 5, 7, 8, 13, 15, 16, 17, 31, 33, all.Length])
            {
                var input = all.AsSpan(n < 8 ? 2 : 0, n).ToArray();
                using var x = new GuardedBuffer(input);
                using var scalar = new GuardedBuffer(n);
                run((Isa)(-1), x.Pointer, scalar.Pointer, n);
                foreach (var isa in (Isa[])[Isa.None, Isa.Avx2, Isa.Avx512])
                {
                    if (!target.Has(isa)) continue;
                    using var y = new GuardedBuffer(n);
                    run(isa, x.Pointer, y.Pointer, n);
                    for (var i = 0; i < n; i++)
                    {
                        var same = BitConverter.SingleToInt32Bits(y.Span[i]) == BitConverter.SingleToInt32Bits(scalar.Span[i])
                            || (float.IsNaN(y.Span[i]) && float.IsNaN(scalar.Span[i]));
                        Assert.True(same, $"{name} {isa}: f({input[i]:R}) = {y.Span[i]:R}, scalar {scalar.Span[i]:R}");
                    }
                    compared++;
                }
            }
        });
        Assert.True(compared > 0);
    }

    [Fact]
    public void Nan_propagates_and_infinities_give_limits()
    {
        float[] input = [float.NaN, float.PositiveInfinity, float.NegativeInfinity];
        using var x = new GuardedBuffer(input);
        using var y = new GuardedBuffer(3);
        Walk((name, _, exact, run) =>
        {
            run(Isa.None, x.Pointer, y.Pointer, 3);
            Assert.True(float.IsNaN(y.Span[0]), name);
            if (name is "silu" or "mish" or "geluTanh" or "expm1" or "elu") return;
            for (var i = 1; i < 3; i++)
            {
                var want = (float)exact(input[i]);
                Assert.True(want.Equals(y.Span[i]), $"{name}({input[i]}) = {y.Span[i]}, expected {want}");
            }
        });
    }
}
