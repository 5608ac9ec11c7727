using System.Numerics;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Elementwise;

public unsafe class BinaryTests
{
    public static TheoryData<string> Names => [.. BinaryTable.Rows.Select(r => r.Name)];

    [Fact]
    public void Names_are_unique() =>
        Assert.Equal(BinaryTable.Rows.Count, BinaryTable.Rows.Select(r => r.Name).Distinct(StringComparer.Ordinal).Count());

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Row_serves_every_broadcast(string name)
    {
        var row = BinaryTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        switch (row.Type)
        {
            case DType.Float32: Check<float>(row, (a, b) => (float)Reference(row.Kind, a, b)); break;
            case DType.Float64: Check<double>(row, (a, b) => Reference(row.Kind, a, b)); break;
            case DType.Int64: CheckInteger<long>(row); break;
            case DType.Int32: CheckInteger<int>(row); break;
            case DType.Int16: CheckInteger<short>(row); break;
            case DType.Int8: CheckInteger<sbyte>(row); break;
            case DType.UInt64: CheckInteger<ulong>(row); break;
            case DType.UInt32: CheckInteger<uint>(row); break;
            case DType.UInt16: CheckInteger<ushort>(row); break;
            case DType.UInt8: CheckInteger<byte>(row); break;
            case DType.Bool: CheckInteger<byte>(row, booleans: true); break;
            default: Assert.Fail("no test for " + row.Type); break;
        }
    }

    [Fact]
    public void Large_operations_split_into_tasks()
    {
        foreach (var (a, b) in new (long[], long[])[] { ([100, 1000], [100, 1000]), ([100, 1000], [1000]), ([100, 1000], [100, 1]), ([70_000], [1]), ([1], [70_000]), ([3, 50, 700], [50, 1]) })
            foreach (var target in Sweep.Targets)
            {
                var dims = Broadcasting.Dims(a, b)!;
                var d = new BinaryDescriptor(BinaryKind.Sub, DType.Float32, dims, Broadcasting.Strides(a, dims), Broadcasting.Strides(b, dims));
                var plan = new BinaryPlan(d, target);
                Assert.True(plan.Tasks > 1);
                Compare<float>(plan, d, (x, y) => x - y, new Random(3), a.Aggregate(1L, (p, q) => p * q), b.Aggregate(1L, (p, q) => p * q), false, "sub");
            }
    }

    [Fact]
    public void Shapes_that_do_not_fit_give_no_sizes()
    {
        Assert.Null(Broadcasting.Dims([2, 3], [2, 4]));
        Assert.Equal([2, 3, 4], Broadcasting.Dims([2, 1, 4], [3, 1])!);
        Assert.Equal([0, 4], Broadcasting.Dims([0, 1], [4])!);
    }

    private static void CheckInteger<T>(BinaryKernel row, bool booleans = false) where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T> =>
        Check<T>(row, (a, b) => Integer(row.Kind, a, b), booleans);

    private static void Check<T>(BinaryKernel row, Func<T, T, T> reference, bool booleans = false) where T : unmanaged, INumber<T>
    {
        var random = new Random(7);
        for (var trial = 0; trial < 60; trial++)
        {
            var rank = random.Next(0, 5);
            var dims = new long[rank];
            for (var k = 0; k < rank; k++) dims[k] = random.Next(1, rank < 3 ? 40 : 6);
            if (trial == 5 && rank > 0) dims[0] = 0;
            long[] Shape() => [.. dims.Skip(random.Next(rank + 1) / 2).Select(d => random.Next(4) == 0 ? 1 : d)];
            var (a, b) = (trial % 4 == 0 ? dims : Shape(), trial % 4 == 1 ? dims : Shape());
            var result = Broadcasting.Dims(a, b)!;
            var (sa, sb) = (Broadcasting.Strides(a, result), Broadcasting.Strides(b, result));
            var d = new BinaryDescriptor(row.Kind, row.Type, result, sa, sb);
            var plan = new BinaryPlan(d, HostTarget.Current, row);
            Compare(plan, d, reference, random, a.Aggregate(1L, (p, q) => p * q), b.Aggregate(1L, (p, q) => p * q), booleans, row.Name);
        }
    }

    private static void Compare<T>(BinaryPlan plan, BinaryDescriptor d, Func<T, T, T> reference, Random random, long lengthA, long lengthB, bool booleans, string what)
        where T : unmanaged, INumber<T>
    {
        var count = d.Dims.Aggregate(1L, (p, q) => p * q);
        using var a = new GuardedArray<T>(Values<T>(random, lengthA, booleans));
        using var b = new GuardedArray<T>(Values<T>(random, lengthB, booleans));
        using var y = new GuardedArray<byte>(count * (d.Compares ? 1 : sizeof(T)));
        Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(a.Bytes, b.Bytes, y.Pointer, first, end));
        for (long n = 0; n < count; n++)
        {
            long rest = n, ia = 0, ib = 0;
            for (var k = d.Dims.Length - 1; k >= 0; k--)
            {
                var i = rest % d.Dims[k];
                rest /= d.Dims[k];
                ia += i * d.AStrides[k];
                ib += i * d.BStrides[k];
            }
            var expected = reference(a.Pointer[ia], b.Pointer[ib]);
            var actual = d.Compares ? T.CreateTruncating(y.Pointer[n]) : ((T*)y.Pointer)[n];
            if (expected == actual || (T.IsNaN(expected) && T.IsNaN(actual))) continue;
            if (d.Kind == BinaryKind.Pow && Math.Abs(double.CreateTruncating(expected - actual)) <= 1e-6 * Math.Abs(double.CreateTruncating(expected))) continue;
            Assert.Fail($"{what} [{string.Join(',', d.Dims)}] element {n}: {a.Pointer[ia]} and {b.Pointer[ib]}: expected {expected}, got {actual}");
        }
    }

    private static T[] Values<T>(Random random, long count, bool booleans) where T : unmanaged, INumber<T>
    {
        var values = new T[count];
        for (var i = 0; i < count; i++)
        {
            if (booleans) values[i] = T.CreateTruncating(random.Next(2));
            else if (T.IsNaN(T.CreateTruncating(double.NaN))) values[i] = T.CreateTruncating(Sweep.Floats(random, 1, specials: true)[0]);
            else values[i] = random.Next(4) > 0 ? T.CreateTruncating(random.Next(-3, 12)) : T.CreateTruncating(random.NextInt64(2) == 0 ? long.MinValue : random.NextInt64());
        }
        return values;
    }

    private static double Reference(BinaryKind kind, double a, double b)
    {
        switch (kind)
        {
            case BinaryKind.Add: return a + b;
            case BinaryKind.Sub: return a - b;
            case BinaryKind.Mul: return a * b;
            case BinaryKind.Div: return a / b;
            case BinaryKind.Min: return double.IsNaN(a) || double.IsNaN(b) ? double.NaN : Math.Min(a, b);
            case BinaryKind.Max: return double.IsNaN(a) || double.IsNaN(b) ? double.NaN : Math.Max(a, b);
            case BinaryKind.Pow: return Math.Pow(a, b);
            case BinaryKind.FMod: return a % b;
            case BinaryKind.Mod: return a % b is var r && r != 0 && r < 0 != double.IsNegative(b) ? (r + b) : r;
            case BinaryKind.PRelu: return a < 0 ? a * b : a;
            default: return Holds(kind, a, b) ? 1 : 0;
        }
    }

    private static bool Holds<T>(BinaryKind kind, T a, T b) where T : INumber<T> => kind switch
    {
        BinaryKind.Equal => a == b,
        BinaryKind.NotEqual => a != b,
        BinaryKind.Less => a < b,
        BinaryKind.LessOrEqual => a <= b,
        BinaryKind.Greater => a > b,
        BinaryKind.GreaterOrEqual => a >= b,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static T Integer<T>(BinaryKind kind, T a, T b) where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        var (x, y) = ((BigInteger)Int128.CreateTruncating(a), (BigInteger)Int128.CreateTruncating(b));
        var bits = sizeof(T) * 8;
        return kind switch
        {
            BinaryKind.Add => Wrap<T>(x + y),
            BinaryKind.Sub => Wrap<T>(x - y),
            BinaryKind.Mul => Wrap<T>(x * y),
            BinaryKind.Div => y == 0 ? T.Zero : Wrap<T>(BigInteger.Divide(x, y)),
            BinaryKind.FMod => y == 0 ? T.Zero : Wrap<T>(BigInteger.Remainder(x, y)),
            BinaryKind.Mod => y == 0 ? T.Zero : Wrap<T>(BigInteger.Remainder(BigInteger.Remainder(x, y) + y, y)),
            BinaryKind.Min => x < y ? a : b,
            BinaryKind.Max => x > y ? a : b,
            BinaryKind.PRelu => x < 0 ? Wrap<T>(x * y) : a,
            BinaryKind.And => a & b,
            BinaryKind.Or => a | b,
            BinaryKind.Xor => a ^ b,
            BinaryKind.ShiftLeft => y < 0 || y >= bits ? T.Zero : Wrap<T>(x << (int)y),
            BinaryKind.ShiftRight => y < 0 || y >= bits ? T.Zero : Wrap<T>((x & ((BigInteger.One << bits) - 1)) >> (int)y),
            BinaryKind.Pow => y < 0 ? x == 1 ? T.One : x == -1 ? (y.IsEven ? T.One : a) : T.Zero : Wrap<T>(BigInteger.ModPow(x, y, BigInteger.One << bits)),
            _ => Holds(kind, a, b) ? T.One : T.Zero,
        };
    }

    private static T Wrap<T>(BigInteger value) where T : unmanaged, IBinaryInteger<T>
    {
        var low = value & ((BigInteger.One << (sizeof(T) * 8)) - 1);
        return T.CreateTruncating((ulong)low);
    }
}
