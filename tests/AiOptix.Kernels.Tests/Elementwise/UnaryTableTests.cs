using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Elementwise;

public unsafe class UnaryTableTests
{
    private static readonly ActivationArgs Args = new(0.7f, 1.3f);

    public static TheoryData<string> Names => [.. UnaryTable.Rows.Select(r => r.Name)];

    [Fact]
    public void Every_kind_has_a_float_row_and_names_are_unique()
    {
        Assert.Equal(UnaryTable.Rows.Count, UnaryTable.Rows.Select(r => r.Name).Distinct(StringComparer.Ordinal).Count());
        foreach (var kind in Enum.GetValues<UnaryKind>())
            Assert.True(kind == UnaryKind.Not || UnaryTable.Select(kind, DType.Float32, new Target(Isa.None)) is not null, kind.ToString());
        foreach (var activation in Enum.GetValues<Activation>()) Assert.Equal(activation.ToString(), UnaryKinds.Of(activation).ToString());
    }

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Rows_give_the_bits_of_the_last_row(string name)
    {
        var row = UnaryTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        var last = UnaryTable.Rows.Last(r => r.Kind == row.Kind && r.Type == row.Type);
        var size = row.Type.Bits() / 8;
        var random = new Random(1);
        var args = Args;
        foreach (var n in new long[] { 0, 1, 3, 7, 15, 16, 17, 31, 33, 64, 100, 1003 })
        {
            using var x = new GuardedArray<byte>(n * size);
            using var y = new GuardedArray<byte>(n * size);
            using var expected = new GuardedArray<byte>(n * size);
            if (row.Type == DType.Float32) Sweep.Floats(random, n, specials: true).CopyTo(new Span<float>(x.Pointer, (int)n));
            else random.NextBytes(x.Span);
            row.Run(x.Pointer, y.Pointer, n, &args);
            last.Run(x.Pointer, expected.Pointer, n, &args);
            if (row.Type == DType.Float32) Sweep.AssertSame(new Span<float>(expected.Pointer, (int)n), new Span<float>(y.Pointer, (int)n), $"{name} n={n}");
            else Assert.True(y.Span.SequenceEqual(expected.Span), name);
            row.Run(x.Pointer, x.Pointer, n, &args);
            if (row.Type == DType.Float32) Sweep.AssertSame(new Span<float>(expected.Pointer, (int)n), new Span<float>(x.Pointer, (int)n), $"{name} in place n={n}");
        }
    }

    public static TheoryData<UnaryKind> Kinds => [.. Enum.GetValues<UnaryKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Functions_are_what_they_say(UnaryKind kind)
    {
        var exact = Exact(kind);
        if (exact is null) return;
        var x = Sweep.Floats(new Random(2), 40_000, specials: false, scale: kind is UnaryKind.Asin or UnaryKind.Acos or UnaryKind.Atanh ? 1 : 3);
        var y = new float[x.Length];
        var plan = new UnaryPlan(kind, DType.Float32, Args, x.Length, HostTarget.Current);
        Assert.True(plan.Tasks > 1);
        fixed (float* px = x, py = y)
        {
            var (from, to) = ((nint)px, (nint)py);
            Sweep.Scattered(plan.Tasks, (first, end) => plan.Run((byte*)from, (byte*)to, first, end));
        }
        Sweep.AssertClose(x.Select(v => exact(v)).ToArray(), y, 2e-6, 1e-6, kind.ToString());
    }

    [Fact]
    public void Integers_and_booleans()
    {
        Assert.Equal([3L, -2, 0, long.MinValue], Run<long>(UnaryKind.Neg, DType.Int64, [-3, 2, 0, long.MinValue]));
        Assert.Equal([3, 2, 0], Run<int>(UnaryKind.Abs, DType.Int32, [-3, 2, 0]));
        Assert.Equal([-1, 1, 0], Run<int>(UnaryKind.Sign, DType.Int32, [-3, 2, 0]));
        Assert.Equal([0, 1, 0], Run<byte>(UnaryKind.Not, DType.Bool, [1, 0, 1]));
        Assert.Equal([254, 255], Run<byte>(UnaryKind.Not, DType.UInt8, [1, 0]));
        Assert.Equal([-1f, 1f, 0f, float.NaN], Run<float>(UnaryKind.Sign, DType.Float32, [-3, 2, 0, float.NaN]));
        Assert.Throws<UnsupportedModelException>(() => new UnaryPlan(UnaryKind.Sin, DType.Int8, default, 1, HostTarget.Current));
    }

    private static T[] Run<T>(UnaryKind kind, DType type, T[] x) where T : unmanaged
    {
        var y = new T[x.Length];
        var plan = new UnaryPlan(kind, type, default, x.Length, HostTarget.Current);
        fixed (T* px = x, py = y) plan.Run((byte*)px, (byte*)py, 0, plan.Tasks);
        return y;
    }

    private static Func<double, double>? Exact(UnaryKind kind) => kind switch
    {
        UnaryKind.None => x => x,
        UnaryKind.Relu => x => Math.Max(x, 0),
        UnaryKind.LeakyRelu => x => x < 0 ? x * 0.7f : x,
        UnaryKind.Clip => x => Math.Clamp(x, 0.7f, 1.3f),
        UnaryKind.Sigmoid => x => 1 / (1 + Math.Exp(-x)),
        UnaryKind.Tanh => Math.Tanh,
        UnaryKind.Silu => x => x / (1 + Math.Exp(-x)),
        UnaryKind.HardSwish => x => x * Math.Clamp(x / 6 + 0.5, 0, 1),
        UnaryKind.HardSigmoid => x => Math.Clamp(0.7f * x + 1.3f, 0, 1),
        UnaryKind.Elu => x => x < 0 ? 0.7f * (Math.Exp(x) - 1) : x,
        UnaryKind.Selu => x => 1.3f * (x < 0 ? 0.7f * (Math.Exp(x) - 1) : x),
        UnaryKind.Softplus => x => Math.Log(1 + Math.Exp(x)),
        UnaryKind.Swish => x => x / (1 + Math.Exp(-0.7f * x)),
        UnaryKind.Mish => x => x * Math.Tanh(Math.Log(1 + Math.Exp(x))),
        UnaryKind.Exp => Math.Exp,
        UnaryKind.Log => Math.Log,
        UnaryKind.Sqrt => Math.Sqrt,
        UnaryKind.ReciprocalSqrt => x => 1 / Math.Sqrt(x),
        UnaryKind.Reciprocal => x => 1 / x,
        UnaryKind.Abs => Math.Abs,
        UnaryKind.Neg => x => -x,
        UnaryKind.Floor => Math.Floor,
        UnaryKind.Ceil => Math.Ceiling,
        UnaryKind.Round => Math.Round,
        UnaryKind.Sign => x => Math.Sign(x),
        UnaryKind.Square => x => x * x,
        UnaryKind.Cube => x => x * x * x,
        UnaryKind.Affine => x => 0.7f * x + 1.3f,
        UnaryKind.Softsign => x => x / (1 + Math.Abs(x)),
        UnaryKind.ThresholdedRelu => x => x > 0.7f ? x : 0,
        UnaryKind.Celu => x => Math.Max(x, 0) + Math.Min(0, 0.7f * (Math.Exp(x / 0.7f) - 1)),
        UnaryKind.Sin => Math.Sin,
        UnaryKind.Cos => Math.Cos,
        UnaryKind.Tan => null,
        UnaryKind.Asin => Math.Asin,
        UnaryKind.Acos => Math.Acos,
        UnaryKind.Atan => Math.Atan,
        UnaryKind.Sinh => Math.Sinh,
        UnaryKind.Cosh => Math.Cosh,
        UnaryKind.Asinh => Math.Asinh,
        UnaryKind.Acosh => Math.Acosh,
        UnaryKind.Atanh => Math.Atanh,
        _ => null,
    };
}
