using AiOptix.Kernels.Conv;
using AiOptix.Kernels.QuantizedConv;

namespace AiOptix.Kernels.Tests.QuantizedConv;

/// <summary>Every row gives the bytes of the scalar reference, whatever the shape, the signs and the split; the reference gives those of the definition.</summary>
public unsafe class QuantizedConvTests
{
    private static readonly QuantizedShape[] shapes =
    [
        new(new(2, 3, 5, 1, ConvAxis.None, new(7, 3, 2, 1, 1, 0), new(19, 3, 1, 1, 1, 1)), false),
        new(new(1, 6, 9, 3, ConvAxis.None, new(5, 2, 1, 2, 2, 1), new(40, 5, 3, 2, 4, 3)), false),
        new(new(1, 4, 4, 4, new(3, 2, 1, 1, 1, 1), new(4, 3, 1, 1, 1, 1), new(17, 3, 2, 1, 0, 1)), false),
        new(new(2, 3, 6, 3, new(4, 2, 2, 1, 1, 0), new(9, 3, 2, 1, 1, 1), new(37, 3, 2, 1, 1, 0)), false),
        new(new(1, 3, 3, 3, ConvAxis.None, new(40, 5, 1, 2, 4, 4), new(150, 5, 1, 3, 6, 6)), false),
        new(new(1, 2, 2, 2, ConvAxis.None, ConvAxis.None, new(3, 9, 4, 1, 6, 7)), false),
        new(new(2, 37, 33, 1, ConvAxis.None, ConvAxis.None, new(131)), false),
        new(new(1, 1, 1, 1, ConvAxis.None, ConvAxis.None, new(1)), false),
        new(new(1, 2, 3, 1, ConvAxis.None, ConvAxis.None, new(3, 9, 1, 1, 6, 7)), false),
        new(new(0, 2, 3, 1, ConvAxis.None, ConvAxis.None, new(4)), false),
        QuantizedShape.Product(45, 13, 7),
        QuantizedShape.Product(1, 200, 130),
    ];

    public static TheoryData<string> Names => [.. QuantizedConvTable.Rows.Where(r => HostTarget.Current.Has(r.Isa)).Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void RowsGiveTheBytesOfTheReference(string name)
    {
        var row = QuantizedConvTable.Rows.Single(r => r.Name == name);
        foreach (var shape in shapes.Where(s => row.Suits(s)))
            foreach (var (input, output) in new[] { (QuantizedBytes.Of(100, false), QuantizedBytes.Of(-3, true)), (QuantizedBytes.Of(-128, true), QuantizedBytes.Of(255, false)) })
            {
                var data = new Data(shape);
                var expected = data.Run(QuantizedConvTable.Rows[^1], input, output, 1);
                foreach (var cuts in new[] { 1, 3 }) Assert.True(data.Run(row, input, output, cuts).AsSpan().SequenceEqual(expected), $"{name} {shape} {input} {output} {cuts}");
            }
    }

    [Fact]
    public void SumsAreExactAndTiesGoToEven()
    {
        var shape = QuantizedShape.Product(3, 2, 1);
        var data = new Data(shape) { X = [10, 20, 11, 20, 255, 255], Weights = [-128, 128], Bias = [0], Factors = [1 / 256f] };
        Assert.Equal([105, 104, 100], data.Run(QuantizedConvTable.Rows[^1], new(0, 0), new(100, 0), 1));
        data.Factors = [1000];
        Assert.Equal([255, 255, 100], data.Run(QuantizedConvTable.Rows[^1], new(0, 0), new(100, 0), 1));
        Assert.Equal([127, 127, 228], data.Run(QuantizedConvTable.Rows[^1], new(0, 0), new(100, 128), 1));
    }

    /// <summary>The operands of a shape.</summary>
    private sealed class Data
    {
        private readonly QuantizedShape shape;

        public Data(QuantizedShape shape)
        {
            this.shape = shape;
            var (conv, random) = (shape.Conv, new Random(3));
            X = new byte[conv.Batch * conv.Channels * conv.InputPixels];
            random.NextBytes(X);
            Weights = [.. Enumerable.Range(0, conv.OutputChannels * conv.Terms).Select(_ => (short)random.Next(-255, 256))];
            Bias = [.. Enumerable.Range(0, conv.OutputChannels).Select(_ => random.Next(-9000, 9000))];
            Factors = [.. Enumerable.Range(0, conv.OutputChannels).Select(_ => (float)(random.NextDouble() * 0.004 / Math.Sqrt(conv.Terms)))];
        }

        public byte[] X { get; init; }

        public short[] Weights { get; init; }

        public int[] Bias { get; init; }

        public float[] Factors { get; set; }

        public byte[] Run(QuantizedConvKernel row, QuantizedBytes input, QuantizedBytes output, int cuts)
        {
            var plan = row.Plan(shape);
            using var x = new GuardedArray<byte>(X);
            using var weights = new GuardedArray<short>(Weights);
            using var packed = new GuardedArray<byte>(plan.PackedWeightBytes);
            using var bias = new GuardedArray<int>(Bias);
            using var factors = new GuardedArray<float>(Factors);
            using var y = new GuardedArray<byte>((long)shape.Conv.Batch * shape.Conv.OutputChannels * shape.Conv.OutputPixels);
            using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
            plan.PackWeights(weights.Pointer, packed.Pointer);
            y.Span.Fill(77);
            var call = new QuantizedConvCall
            {
                X = x.Pointer,
                Input = input,
                PackedWeights = packed.Pointer,
                Bias = bias.Pointer,
                Factors = factors.Pointer,
                Y = y.Pointer,
                Output = output,
            };
            for (var i = 0; i < cuts; i++) plan.Run(call, plan.Tasks * i / cuts, plan.Tasks * (i + 1) / cuts, scratch.Pointer);
            return y.Span.ToArray();
        }
    }
}
