using System.Collections.Concurrent;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.QuantizedConv;

namespace AiOptix.Kernels.Tests.QuantizedConv;

/// <summary>Every row gives the bits of the scalar reference, whatever the shape, the signs and the split; the reference gives those of the definition.</summary>
public unsafe class QuantizedConvTests
{
    private static readonly ConvShape[] shapes =
    [
        new(2, 3, 5, 1, ConvAxis.None, new(7, 3, 2, 1, 1, 0), new(19, 3, 1, 1, 1, 1)),
        new(2, 3, 5, 1, ConvAxis.None, new(7, 3, 2, 1, 1, 0), new(19, 3, 1, 1, 1, 1)) { ReadsChannelsFirst = true },
        new(1, 5, 70, 1, ConvAxis.None, new(9, 3, 2, 1, 1, 1), new(30, 3, 2, 2, 2, 2)) { ReadsChannelsFirst = true },
        new(1, 6, 9, 3, ConvAxis.None, new(5, 2, 1, 2, 2, 1), new(40, 5, 3, 2, 4, 3)),
        new(1, 4, 4, 4, new(3, 2, 1, 1, 1, 1), new(4, 3, 1, 1, 1, 1), new(17, 3, 2, 1, 0, 1)),
        new(2, 3, 6, 3, new(4, 2, 2, 1, 1, 0), new(9, 3, 2, 1, 1, 1), new(37, 3, 2, 1, 1, 0)),
        new(1, 3, 3, 3, ConvAxis.None, new(40, 5, 1, 2, 4, 4), new(150, 5, 1, 3, 6, 6)),
        new(1, 2, 2, 2, ConvAxis.None, ConvAxis.None, new(3, 9, 4, 1, 6, 7)),
        new(2, 37, 33, 1, ConvAxis.None, ConvAxis.None, new(131)),
        new(1, 1, 1, 1, ConvAxis.None, ConvAxis.None, new(1)),
        new(1, 2, 3, 1, ConvAxis.None, ConvAxis.None, new(3, 9, 1, 1, 6, 7)),
        new(0, 2, 3, 1, ConvAxis.None, ConvAxis.None, new(4)),
        new(1, 13, 7, 1, ConvAxis.None, ConvAxis.None, new(45)),
        new(1, 200, 130, 1, ConvAxis.None, ConvAxis.None, new(1)),
        new(1, 64, 144, 1, ConvAxis.None, new(14), new(14)),
        new(2, 8, 48, 1, ConvAxis.None, new(7, 3, 1, 1, 1, 1), new(11, 3, 1, 1, 1, 1)),
        new(1, 16, 90, 2, ConvAxis.None, new(8, 1, 2), new(9, 1, 2)),
        new(1, 12, 20, 1, ConvAxis.None, new(6, 3, 1, 1, 0, 0), new(20, 3, 1, 1, 0, 0)),
        new(3, 4, 17, 1, ConvAxis.None, new(3, 3), new(2, 2)),
        new(1, 64, 64, 64, ConvAxis.None, new(9, 3, 1, 1, 1, 1), new(21, 3, 1, 1, 1, 1)),
        new(1, 96, 96, 96, ConvAxis.None, new(9, 3, 2, 1, 1, 1), new(30, 3, 2, 1, 1, 1)),
        new(1, 41, 41, 41, ConvAxis.None, new(7, 5, 1, 1, 2, 2), new(7, 5, 1, 1, 2, 2)),
        new(1, 24, 24, 24, ConvAxis.None, new(2, 7, 1, 1, 3, 3), new(300, 7, 2, 1, 3, 3)),
        new(1, 8, 16, 8, ConvAxis.None, new(5, 3, 1, 1, 1, 1), new(6, 3, 1, 1, 1, 1)),
    ];

    // What the reference gives is the same for every row.
    private static readonly ConcurrentDictionary<(QuantizedShape, bool), byte[]> references = [];

    public static TheoryData<string> Names => [.. QuantizedConvTable.Rows.Where(r => HostTarget.Current.Has(r.Isa)).Select(r => r.Name)];

    /// <summary>What may be asked of a shape.</summary>
    private static IEnumerable<QuantizedShape> Forms(ConvShape conv)
    {
        foreach (var result in Enum.GetValues<QuantizedResult>())
        {
            yield return new(conv, result);
            yield return new(conv, result) { IsSigned = true, WeightParts = 3, IsDynamic = result <= QuantizedResult.Float32, HasAddends = result == QuantizedResult.Float32 };
            if (result > QuantizedResult.Float32) yield return new(conv, result) { IsLimited = true, IsClipped = true, WeightParts = 2 };
            yield return new(conv with { XPitch = conv.ReadsChannelsFirst ? conv.Channels : conv.Channels + 4, YPitch = conv.OutputChannels + 3 }, result) { IsSigned = true };
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Rows_give_the_bits_of_the_reference(string name)
    {
        var row = QuantizedConvTable.Rows.Single(r => r.Name == name);
        foreach (var shape in shapes.SelectMany(Forms).Where(s => row.Suits(s)))
            foreach (var isExtreme in new[] { false, true })
            {
                var data = new Data(shape, isExtreme);
                var expected = references.GetOrAdd((shape, isExtreme), _ => data.Run(QuantizedConvTable.Rows[^1], 1));
                foreach (var cuts in new[] { 1, 3 }) Assert.True(data.Run(row, cuts).AsSpan().SequenceEqual(expected), $"{name} {shape} extreme {isExtreme} cuts {cuts}");
            }
    }

    /// <summary>A machine with AVX-VNNI capped at AVX2 runs its row, not the one of pairs.</summary>
    [Fact]
    public void The_row_of_AVX_VNNI_is_chosen_under_a_cap()
    {
        var capped = new Tensors.Target(Tensors.Isa.Avx2 | Tensors.Isa.Avx512 | Tensors.Isa.Avx512Vnni | Tensors.Isa.AvxVnni | Tensors.Isa.Jit).Cap(Tensors.IsaCap.Avx2);
        Assert.Equal("gemm_u8s8s32_2x32_avxvnni_jit", QuantizedConvTable.Select(QuantizedShape.Product(8, 64, 64, QuantizedResult.UInt8), capped).Name);
        var axis = new ConvAxis(28, 3, 1, 1, 1, 1);
        Assert.Equal("conv_u8s8s32_depthwise_2x32_avxvnni_jit", QuantizedConvTable.Select(new(new(1, 64, 64, 64, ConvAxis.None, axis, axis), QuantizedResult.UInt8), capped).Name);
    }

    [Fact]
    public void Sums_are_exact_and_ties_go_to_even()
    {
        var shape = QuantizedShape.Product(3, 2, 1, QuantizedResult.UInt8) with { WeightParts = 2 };
        var data = new Data(shape, false) { X = [10, 20, 11, 20, 255, 255], Weights = [-128, 128], Bias = [0], Factors = [1 / 256f], InputZero = 0, Zero = 100 };
        Assert.Equal([105, 104, 100], data.Run(QuantizedConvTable.Rows[^1], 1));
        data.Factors = [1000];
        Assert.Equal([255, 255, 100], data.Run(QuantizedConvTable.Rows[^1], 1));
        data = new Data(shape with { Result = QuantizedResult.Int8 }, false) { X = data.X, Weights = data.Weights, Bias = data.Bias, Factors = data.Factors, InputZero = 0, Zero = -28 };
        Assert.Equal([127, 127, 228], data.Run(QuantizedConvTable.Rows[^1], 1));
    }

    /// <summary>The operands of a shape.</summary>
    private sealed class Data
    {
        private readonly QuantizedShape shape;

        public Data(QuantizedShape shape, bool isExtreme)
        {
            this.shape = shape;
            var (conv, random) = (shape.Conv, new Random(3));
            X = new byte[Elements(conv.Batch * conv.InputPixels, conv.XPitch, conv.Channels)];
            random.NextBytes(X);
            if (isExtreme) Array.Fill(X, shape.IsSigned ? (byte)127 : (byte)255);
            var (least, greatest) = shape.WeightParts switch { 1 => (-128, 127), 2 => (-255, 254), _ => (-255, 255) };
            Weights = [.. Enumerable.Range(0, conv.OutputChannels * conv.Terms).Select(_ => (short)(isExtreme ? (shape.IsSigned ? greatest : least) : random.Next(least, greatest + 1)))];
            Bias = [.. Enumerable.Range(0, conv.OutputChannels).Select(_ => random.Next(-9000, 9000))];
            Factors = [.. Enumerable.Range(0, conv.OutputChannels).Select(_ => (float)(random.NextDouble() * (shape.IsLimited ? 1e8 : isExtreme ? 0.01 : 0.004 / Math.Sqrt(conv.Terms))))];
            InputZero = shape.IsSigned ? -5 : 100;
            Zero = shape.Result == QuantizedResult.Int8 ? -28 : 128;
        }

        public byte[] X { get; init; }

        public short[] Weights { get; init; }

        public int[] Bias { get; init; }

        public float[] Factors { get; set; }

        public int InputZero { get; init; }

        public int Zero { get; init; }

        public byte[] Run(QuantizedConvKernel row, int cuts)
        {
            var plan = row.Plan(shape, HostTarget.Current);
            using var x = new GuardedArray<byte>(X);
            using var weights = new GuardedArray<short>(Weights);
            using var packed = new GuardedArray<byte>(plan.PackedWeightBytes);
            using var bias = new GuardedArray<int>(Bias);
            using var added = new GuardedArray<float>(Sweep.Floats(new Random(2), shape.Conv.OutputChannels));
            using var factors = new GuardedArray<float>(Factors);
            using var y = new GuardedArray<byte>(shape.ResultBytes * Elements(shape.Conv.Batch * shape.Conv.OutputPixels, shape.Conv.YPitch, shape.Conv.OutputChannels));
            using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
            plan.PackWeights(new() { Weights = weights.Pointer, Bias = bias.Pointer, Factors = factors.Pointer, Zero = InputZero, Addends = added.Pointer }, packed.Pointer);
            y.Span.Fill(77);
            scratch.Span.Fill(99);
            var call = new QuantizedConvCall
            {
                X = x.Pointer,
                InputZero = InputZero,
                InputScale = 0.37f,
                PackedWeights = packed.Pointer,
                Y = y.Pointer,
                Zero = Zero,
                Low = (shape.Result == QuantizedResult.Int8 ? -128 : 0) + (shape.IsClipped ? 3 : 0),
                High = (shape.Result == QuantizedResult.Int8 ? 127 : 255) - (shape.IsClipped ? 20 : 0),
            };
            for (var i = 0; i < cuts; i++) plan.Run(call, plan.Tasks * i / cuts, plan.Tasks * (i + 1) / cuts, scratch.Pointer);
            return y.Span.ToArray();
        }

        private static int Elements(int pixels, int pitch, int channels) => pixels == 0 ? 0 : (pixels - 1) * pitch + channels;
    }
}
