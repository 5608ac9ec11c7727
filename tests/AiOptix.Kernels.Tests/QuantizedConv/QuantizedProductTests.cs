using AiOptix.Kernels.QuantizedConv;

namespace AiOptix.Kernels.Tests.QuantizedConv;

/// <summary>Products of two matrices of a run: every row of the table packs the right one so that results have the bits of the definition.</summary>
public unsafe class QuantizedProductTests
{
    public static TheoryData<string> Names => [.. QuantizedConvTable.Rows.Where(r => HostTarget.Current.Has(r.Isa) && r.Suits(QuantizedShape.Product(1, 4, 4, QuantizedResult.UInt8))).Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Rows_give_the_bits_of_the_definition(string name)
    {
        var row = QuantizedConvTable.Rows.Single(r => r.Name == name);
        foreach (var (rows, terms, outputs) in new[] { (1, 1, 1), (5, 7, 3), (3, 64, 128), (300, 8, 17), (7, 33, 70), (4, 130, 65), (2, 6, 16), (0, 4, 4), (3, 4, 0), (2, 0, 5) })
            foreach (var (parts, isSigned, zero) in new[] { (1, true, 0), (1, false, 128), (2, false, 100), (3, false, 0), (2, true, -7), (3, true, -128) })
                foreach (var isTurned in new[] { false, true })
                    Check(row, rows, terms, outputs, QuantizedShape.Product(1, 1, 1, isTurned ? QuantizedResult.Int8 : QuantizedResult.UInt8) with { WeightParts = parts, IsSigned = isTurned }, isSigned, zero, isTurned);
    }

    private static void Check(QuantizedConvKernel row, int rows, int terms, int outputs, QuantizedShape form, bool isSigned, int zero, bool isTurned)
    {
        const int Batches = 2;
        var random = new Random(rows + terms + outputs);
        var pitch = isTurned ? terms + 3 : terms;
        var (a, b) = (new byte[Batches * Math.Max(1, rows) * pitch], new byte[Batches * terms * outputs]);
        random.NextBytes(a);
        random.NextBytes(b);
        var matrix = new QuantizedMatrix { TermStride = isTurned ? 1 : outputs, OutputStride = isTurned ? terms : 1, IsSigned = isSigned, Zero = zero, Factor = 0.003f / MathF.Sqrt(terms + 1), InputZero = form.IsSigned ? -9 : 77 };
        var call = new QuantizedConvCall { InputZero = matrix.InputZero, Zero = form.Result == QuantizedResult.Int8 ? -28 : 128, Low = form.Result == QuantizedResult.Int8 ? -128 : 0, High = form.Result == QuantizedResult.Int8 ? 127 : 255 };
        var plan = new QuantizedProductPlan(new(rows, terms, outputs, form) { XPitch = pitch }, [(0, 0), ((long)rows * pitch, (long)terms * outputs)], HostTarget.Current, row);
        using var x = new GuardedArray<byte>(a);
        using var w = new GuardedArray<byte>(b);
        using var y = new GuardedArray<byte>(Batches * rows * outputs);
        using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
        scratch.Span.Fill(99);
        call.X = x.Pointer;
        call.Y = y.Pointer;
        matrix.Bytes = w.Pointer;
        for (var cut = 0; cut < 3; cut++) plan.Run(call, matrix, plan.Tasks * cut / 3, plan.Tasks * (cut + 1) / 3, scratch.Pointer);
        var expected = new byte[y.Span.Length];
        for (var batch = 0; batch < Batches; batch++)
            for (var r = 0; r < rows; r++)
                for (var o = 0; o < outputs; o++)
                {
                    long sum = 0;
                    for (var t = 0; t < terms; t++)
                    {
                        var (left, right) = (a[(batch * rows + r) * pitch + t], b[batch * terms * outputs + t * matrix.TermStride + o * matrix.OutputStride]);
                        sum += ((form.IsSigned ? (sbyte)left : left) - matrix.InputZero) * ((isSigned ? (sbyte)right : right) - zero);
                    }
                    expected[(batch * rows + r) * outputs + o] = (byte)Math.Clamp((int)MathF.Round(sum * matrix.Factor, MidpointRounding.ToEven) + call.Zero, call.Low, call.High);
                }
        Assert.True(y.Span.SequenceEqual(expected), $"{row.Name} {rows} x {terms} x {outputs}, {form}, right {(isSigned ? "signed" : "unsigned")} less {zero}");
    }
}
