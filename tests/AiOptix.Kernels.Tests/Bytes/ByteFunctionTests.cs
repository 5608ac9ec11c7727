using AiOptix.Kernels.Bytes;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Bytes;

/// <summary>Element-wise functions of bytes: every row gives the bytes of the definition, on buffers that end at an inaccessible page.</summary>
public unsafe class ByteFunctionTests
{
    private static readonly (long[] Y, long[] A, long[] B)[] shapes =
    [
        ([200], [200], [200]), ([3, 70], [3, 70], [1]), ([3, 70], [1], [3, 70]), ([2, 5, 37], [2, 1, 37], [2, 5, 37]), ([4, 33], [4, 1], [4, 33]), ([1, 1], [1], [1]), ([0, 3], [3], [0, 3]),
    ];

    public static TheoryData<string> BinaryNames => [.. ByteBinaryTable.Rows.Select(r => r.Name)];

    public static TheoryData<string> TableNames => [.. ByteTableTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(BinaryNames))]
    public void Pairs_give_what_float32_gives_between_dequantisation_and_quantisation(string name)
    {
        var row = ByteBinaryTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        ByteNumbers[] numbers = [new(0.0213f, 100, false), new(0.37f, -7, true), new(1, 255, false), new(0.5f, -128, true)];
        foreach (var (y, a, b) in shapes)
            for (var i = 0; i < numbers.Length; i++)
                for (var j = 0; j < numbers.Length; j++)
                {
                    var result = numbers[(i + j) % numbers.Length];
                    Check(row, new(row.Kind, numbers[i], numbers[j], result, result.Least + j, result.Greatest - i), y, a, b);
                }
    }

    /// <summary>Scales as calibration finds them: nearly all functions have a shorter way, and it gives the very bytes.</summary>
    [SkippableTheory]
    [MemberData(nameof(BinaryNames))]
    public void Functions_of_any_scales_are_found_in_fewer_operations(string name)
    {
        var row = ByteBinaryTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        var random = new Random(3);
        ByteNumbers Numbers(bool isSigned) => new((float)Math.Exp(random.NextDouble() * 3 - 4), isSigned ? random.Next(-128, 128) : random.Next(256), isSigned);
        var found = 0;
        const int functions = 40;
        for (var i = 0; i < functions; i++)
        {
            var y = Numbers(i % 3 == 0);
            if (row.Kind == BinaryKind.Mul) y = y with { Scale = y.Scale * 0.3f };
            ByteFunction f = new(row.Kind, Numbers(i % 2 == 0), Numbers(i % 5 == 0), y, y.Least, y.Greatest);
            if (ByteBinaryPlan.StepsOf(f, row) is not null) found++;
            Check(row, f, [64, 37], [64, 37], [64, 37]);
            Check(row, f, [9, 50], [9, 50], [50]);
        }
        if (row.RunSteps == null) Assert.Equal(0, found);
        else Assert.InRange(found, functions * 2 / 3, functions);
    }

    [SkippableTheory]
    [MemberData(nameof(TableNames))]
    public void Bytes_are_looked_up(string name)
    {
        var row = ByteTableTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        using var table = new GuardedArray<byte>(256);
        new Random(1).NextBytes(table.Span);
        foreach (var n in new[] { 0, 1, 7, 8, 63, 64, 65, 200, 70_001 })
        {
            using var x = new GuardedArray<byte>(n);
            using var y = new GuardedArray<byte>(n);
            new Random(n).NextBytes(x.Span);
            var plan = new ByteTablePlan(n, row);
            Sweep.Scattered(plan.Tasks, (from, to) => plan.Run(x.Pointer, y.Pointer, table.Pointer, from, to));
            for (var i = 0; i < n; i++) Assert.Equal(table.Span[x.Span[i]], y.Span[i]);
        }
    }

    private static void Check(ByteBinaryKernel row, ByteFunction f, long[] yDims, long[] aDims, long[] bDims)
    {
        var random = new Random(5);
        using var a = new GuardedArray<byte>(new Shape(aDims).Count);
        using var b = new GuardedArray<byte>(new Shape(bDims).Count);
        using var y = new GuardedArray<byte>(new Shape(yDims).Count);
        random.NextBytes(a.Span);
        random.NextBytes(b.Span);
        long[] aStrides = Broadcasting.Strides(aDims, yDims), bStrides = Broadcasting.Strides(bDims, yDims);
        foreach (var steps in new[] { null, ByteBinaryPlan.StepsOf(f, row) }.Distinct())
        {
            y.Span.Clear();
            var plan = new ByteBinaryPlan(f, yDims, aStrides, bStrides, row, steps);
            Sweep.Scattered(plan.Tasks, (from, to) => plan.Run(a.Pointer, b.Pointer, y.Pointer, from, to));
            Same(f, a.Span, b.Span, y.Span, yDims, aStrides, bStrides);
        }
    }

    private static void Same(ByteFunction f, Span<byte> a, Span<byte> b, Span<byte> y, long[] yDims, long[] aStrides, long[] bStrides)
    {
        for (var i = 0; i < y.Length; i++)
        {
            long rest = i, aAt = 0, bAt = 0;
            for (var k = yDims.Length - 1; k >= 0; k--, rest /= yDims[k + 1]) (aAt, bAt) = (aAt + rest % yDims[k] * aStrides[k], bAt + rest % yDims[k] * bStrides[k]);
            float p = Real(a[(int)aAt], f.A), q = Real(b[(int)bAt], f.B);
            var steps = MathF.Round((f.Kind switch { BinaryKind.Add => p + q, BinaryKind.Sub => p - q, _ => p * q }) / f.Y.Scale, MidpointRounding.ToEven);
            Assert.Equal((byte)Math.Clamp(steps + f.Y.Zero, f.Low, f.High), y[i]);
        }
    }

    private static float Real(byte x, ByteNumbers numbers) => ((numbers.IsSigned ? (sbyte)x : x) - numbers.Zero) * numbers.Scale;
}
