using AiOptix.Kernels.Attention;
using AiOptix.Kernels.Bytes;
using AiOptix.Kernels.Cast;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Copy;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Fold;
using AiOptix.Kernels.Gather;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.LinearAttention;
using AiOptix.Kernels.Norm;
using AiOptix.Kernels.Pool;
using AiOptix.Kernels.Quantize;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Kernels.Recurrent;
using AiOptix.Kernels.Reduce;
using AiOptix.Kernels.Resize;
using AiOptix.Kernels.Rotary;
using AiOptix.Kernels.Sample;
using AiOptix.Kernels.Softmax;
using AiOptix.Kernels.Trees;
using AiOptix.Kernels.Vectors;
using AiOptix.Kernels.WeightOnly;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests;

/// <summary>Every row of every table that this machine can run goes through its rehearsal, whatever is and is not known of its shape.</summary>
public class RehearsalTests
{
    private static readonly Target Here = HostTarget.Current;

    [Fact]
    public void ElementwiseRows()
    {
        Each(UnaryTable.Rows, r => Here.Has(r.Needs), UnaryPlan.Rehearse);
        Each(BinaryTable.Rows, r => Here.Has(r.Needs), BinaryPlan.Rehearse);
        Each(CastTable.Rows, r => Here.Has(r.Needs), CastPlan.Rehearse);
        Each(QuantizeTable.Rows, r => Here.Has(r.Needs), QuantizePlan.Rehearse);
        DynamicQuantizePlan.Rehearse(QuantizeTable.Select(DType.Float32, DType.UInt8, Here)!.Value);
        Each(SampleTable.Rows, r => Here.Has(r.Needs), RoiPlan.Rehearse);
        Each(SampleTable.Rows, r => Here.Has(r.Needs), ColumnsPlan.Rehearse);
        Each(SampleTable.Rows, r => Here.Has(r.Needs), DeformPlan.Rehearse);
        Each(LinearAttentionTable.Rows, r => Here.Has(r.Needs), LinearAttentionPlan.Rehearse);
        Each(SampleTable.Rows, r => Here.Has(r.Needs), r =>
        {
            foreach (var mode in Enum.GetValues<SampleMode>())
                foreach (var border in Enum.GetValues<SampleBorder>()) GridPlan.Rehearse(r, mode, border);
        });
        Each(RotaryTable.Rows, r => Here.Has(r.Needs), RotaryPlan.Rehearse);
        Each(ByteBinaryTable.Rows, r => Here.Has(r.Needs), ByteBinaryPlan.Rehearse);
        Each(ByteTableTable.Rows, r => Here.Has(r.Needs), ByteTablePlan.Rehearse);
        Each(QuantizedConvTable.Rows, r => Here.Has(r.Isa), QuantizedConvolutions);
        Each([1, 2, 4, 8], _ => true, size => WherePlan.Rehearse(size, Here));
    }

    [Fact]
    public void MovementRows()
    {
        Each(GatherTable.Rows, r => Here.Has(r.Needs), GatherPlan.Rehearse);
        Each([1, 2, 4, 8, 16], _ => true, size =>
        {
            FillPlan.Rehearse(size);
            if (size <= 8) BorderPlan.Rehearse(size);
            foreach (var form in Enum.GetValues<CopyForm>()) CopyPlan.Rehearse(form, size, shortRuns: true, Here);
        });
    }

    [Fact]
    public void LineRows()
    {
        Each(NormTable.Rows, r => Here.Has(r.Needs), r =>
        {
            LayerNormPlan.Rehearse(centred: true, r);
            LayerNormPlan.Rehearse(centred: false, r);
            GroupNormPlan.Rehearse(r);
            GroupNormLastPlan.Rehearse(r);
            ChannelAffinePlan.Rehearse(r);
        });
        Each(PoolTable.Rows, r => Here.Has(r.Needs), r =>
        {
            PoolPlan.Rehearse(r);
            PoolPlan.Rehearse(r, isLast: true);
        });
        Each(BytePoolTable.Rows, r => Here.Has(r.Needs), BytePoolPlan.Rehearse);
        Each(FoldTable.Rows, r => Here.Has(r.Needs), FoldPlan.Rehearse);
        Each(ResizeTable.Rows, r => Here.Has(r.Needs), ResizePlan.Rehearse);
        Each(Enum.GetValues<ReduceKind>(), _ => true, kind => ReducePlan.Rehearse(kind, Here));
        ArgReducePlan.Rehearse();
        Each(SoftmaxTable.Rows, r => Here.Has(r.Needs), r =>
        {
            SoftmaxPlan.Rehearse(logarithm: false, rows: true, r);
            SoftmaxPlan.Rehearse(logarithm: true, rows: false, r);
        });
    }

    [Fact]
    public void WeightOnlyRows()
    {
        foreach (var target in Sweep.Targets)
            foreach (var bits in new[] { 4, 8 })
                foreach (var hasZeros in new[] { false, true }) WeightOnlyPlan.Rehearse(new(1, 71, 40, bits, 16, hasZeros), target);
    }

    [Fact]
    public void TreeRows() => Each(TreeTable.Rows, r => Here.Has(r.Needs), TreePlan.Rehearse);

    [Fact]
    public void ProductRows() => Each(GemmTable.Rows, r => Here.Has(r.Isa), row =>
    {
        foreach (var m in new[] { 0, 1, 7, 40 })
            foreach (var n in new[] { 0, 1, 31, 75 })
                foreach (var packed in new[] { false, true })
                {
                    GemmPlan.Rehearse(new GemmShape(m, n, 0, PackedB: packed), columnsOfA: true, columnsOfB: true, Activation.Gelu, Here, row);
                    GemmPlan.Rehearse(new GemmShape(m, n, 0, PackedB: packed), columnsOfA: false, columnsOfB: false, null, Here, row);
                }
    });

    [Fact]
    public void AttentionRows() => Each(AttentionTable.Rows, r => Here.Has(r.Isa), row =>
    {
        AttentionPlan.Rehearse(row, new(1, 1, 1, 0, 0, 0, 0));
        AttentionPlan.Rehearse(row, new(1, 1, 1, 1, 77, 32, 32));
    });

    [Fact]
    public void RecurrentRows() => Each(RecurrentTable.Rows, r => Here.Has(r.Isa), row =>
    {
        CellFunction[] functions = [new(UnaryKind.Sigmoid, default), new(UnaryKind.Tanh, default), new(UnaryKind.Tanh, default)];
        foreach (var cell in Enum.GetValues<RecurrentCell>()) RecurrentPlan.Rehearse(cell, functions, row);
    });

    [Fact]
    public void ConvolutionRows()
    {
        ConvShape[] shapes =
        [
            new(1, 3, 64, 1, ConvAxis.None, new(224, 7, 2, 1, 3, 3), new(224, 7, 2, 1, 3, 3)),
            new(2, 64, 30, 1, ConvAxis.None, new(7), new(7)),
            new(1, 96, 96, 96, ConvAxis.None, new(56, 3, 1, 1, 1, 1), new(56, 3, 1, 1, 1, 1)),
            new(1, 8, 12, 4, new(9, 3), new(9, 3, 3), new(300, 5, 1, 2, 4, 4)),
            new(4, 32, 10, 1, ConvAxis.None, new(1), new(1)),
            new(1, 2, 2, 1, ConvAxis.None, new(2, 2, 1, 1, 3, 3), new(1, 3, 1, 1, 3, 3)),
        ];
        Each(ConvTable.Rows, r => Here.Has(r.Isa), row =>
        {
            foreach (var shape in shapes.SelectMany(s => new[] { s, s with { ReadsChannelsFirst = true } }).Where(s => row.Suits(s)))
            {
                row.Rehearse(shape, true, Activation.Relu, Here);
                row.Rehearse(shape, false, null, Here);
            }
        });
    }

    private static void QuantizedConvolutions(QuantizedConvKernel row)
    {
        QuantizedShape[] shapes =
        [
            new(new(1, 3, 64, 1, ConvAxis.None, new(224, 7, 2, 1, 3, 3), new(224, 7, 2, 1, 3, 3)) { ReadsChannelsFirst = true }, QuantizedResult.UInt8),
            new(new(2, 64, 30, 1, ConvAxis.None, new(7), new(7)), QuantizedResult.Int8) { IsSigned = true },
            new(new(1, 96, 96, 96, ConvAxis.None, new(56, 3, 1, 1, 1, 1), new(56, 3, 1, 1, 1, 1)), QuantizedResult.UInt8) { WeightParts = 2 },
            QuantizedShape.Product(1, 40, 100, QuantizedResult.Float32) with { IsDynamic = true, HasAddends = true },
        ];
        foreach (var shape in shapes.Where(s => row.Suits(s)))
        {
            row.Rehearse(shape, true, Here);
            row.Rehearse(shape with { Conv = shape.Conv with { Batch = 0 } }, false, Here);
        }
    }

    private static void Each<T>(IReadOnlyList<T> rows, Predicate<T> runs, Action<T> rehearse)
    {
        Assert.Contains(rows, runs);
        foreach (var row in rows.Where(r => runs(r))) rehearse(row);
    }
}
