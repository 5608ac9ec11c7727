using AiOptix.Kernels.Sample;

namespace AiOptix.Kernels.Tests.Sample;

public unsafe class SampleTests
{
    public static TheoryData<string> Names => [.. SampleTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void GridRowsGiveTheBitsOfTheLastRowWhateverTheSplit(string name)
    {
        var row = SampleTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        foreach (var mode in Enum.GetValues<SampleMode>())
            foreach (var border in Enum.GetValues<SampleBorder>())
                foreach (var (extents, points, align) in new (long[], long, bool)[] { ([7], 3, true), ([5, 9], 131, false), ([3, 4, 5], 70, true), ([1, 1], 9, false), ([2, 3], 0, false) })
                {
                    var shape = new GridDescriptor(2, 3, extents, points, mode, border, align);
                    Sweep.AssertSame(Grid(SampleTable.Rows[^1], shape, scattered: false), Grid(row, shape, scattered: true), $"{name} {shape}");
                }
    }

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void RegionRowsGiveTheBitsOfTheLastRowWhateverTheSplit(string name)
    {
        var row = SampleTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        foreach (var samples in new[] { 0, 1, 5 })
            foreach (var half in new[] { true, false })
            {
                var shape = new RoiDescriptor(2, 3, 11, 13, 5, 9, 8, 0.5f, samples, half);
                Sweep.AssertSame(Regions(SampleTable.Rows[^1], shape, scattered: false), Regions(row, shape, scattered: true), $"{name} {shape}");
            }
    }

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void ColumnRowsGiveTheBitsOfTheLastRowWhateverTheSplit(string name)
    {
        var row = SampleTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        foreach (WindowAxis[] axes in new[] { [new(130, 64, 3, 2, 2, 1)], [new(7, 5, 3, 1, 1, 0), new(9, 4, 2, 2, 3, 1)], new WindowAxis[] { new(4, 2, 2, 2, 1, 0), new(3, 3, 1, 1, 1, 0), new(6, 2, 4, 3, 2, 2) } })
        {
            var shape = new ColumnsDescriptor(2, 3, axes);
            Sweep.AssertSame(Columns(SampleTable.Rows[^1], shape, scattered: false), Columns(row, shape, scattered: true), $"{name} {shape}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void DeformedRowsGiveTheBitsOfTheLastRowWhateverTheSplit(string name)
    {
        var row = SampleTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        foreach (WindowAxis[] axes in new[] { [new(70, 130, 3, 1, 2, 1)], [new(7, 5, 3, 1, 1, 0), new(9, 4, 2, 2, 3, 1)], new WindowAxis[] { new(4, 2, 2, 2, 1, 0), new(3, 3, 1, 1, 1, 0), new(6, 2, 4, 3, 2, 2) } })
            foreach (var hasFactors in new[] { false, true })
            {
                var shape = new DeformDescriptor(2, 6, 2, axes);
                Sweep.AssertSame(Deformed(SampleTable.Rows[^1], shape, hasFactors, scattered: false), Deformed(row, shape, hasFactors, scattered: true), $"{name} {shape}");
            }
    }

    [Fact]
    public void AGridReadsBetweenElements()
    {
        float[] x = [1, 2, 3, 5], grid = [0, 0, -1, -1, 9, 9];
        Assert.Equal([2.75f, 1, 0], One(SampleMode.Linear, SampleBorder.Zeros));
        Assert.Equal([2.75f, 1, 5], One(SampleMode.Linear, SampleBorder.Border));

        float[] One(SampleMode mode, SampleBorder border)
        {
            var y = new float[3];
            var plan = new GridPlan(new(1, 1, [2, 2], 3, mode, border, AlignCorners: true), HostTarget.Current);
            var scratch = new byte[plan.ScratchBytes];
            fixed (float* px = x, pg = grid, py = y)
            fixed (byte* ps = scratch) plan.Run(px, pg, py, 0, plan.Tasks, ps);
            return y;
        }
    }

    private static float[] Grid(SampleKernel row, GridDescriptor shape, bool scattered)
    {
        var random = new Random(3);
        var plane = shape.Extents.Aggregate(1L, (a, b) => a * b);
        using var x = new GuardedArray<float>(Sweep.Floats(random, shape.Batch * shape.Channels * plane, specials: true));
        using var grid = new GuardedArray<float>(Sweep.Floats(random, shape.Batch * shape.Points * shape.Extents.Count, specials: true, scale: 1.5f));
        using var y = new GuardedArray<float>((int)(shape.Batch * shape.Channels * shape.Points));
        var plan = new GridPlan(shape, HostTarget.Current, row);
        using var scratch = new GuardedArray<byte>((int)plan.ScratchBytes);
        if (scattered) Sweep.Scattered(plan.Tasks, (from, to) => plan.Run(x.Pointer, grid.Pointer, y.Pointer, from, to, scratch.Pointer));
        else plan.Run(x.Pointer, grid.Pointer, y.Pointer, 0, plan.Tasks, scratch.Pointer);
        return y.Span.ToArray();
    }

    private static float[] Regions(SampleKernel row, RoiDescriptor shape, bool scattered)
    {
        var random = new Random(3);
        using var x = new GuardedArray<float>(Sweep.Floats(random, shape.Entries * shape.Channels * shape.Height * shape.Width, specials: true));
        using var regions = new GuardedArray<float>([0, 0, 20, 20, -5, 3, 60, 9, 8, 8, 8.5f, 9, 1e6f, 0, 2e6f, 9, 4, 4, 2, 1]);
        using var entries = new GuardedArray<long>([0, 1, 1, 0, 1]);
        using var y = new GuardedArray<float>((int)(shape.Regions * shape.Channels * shape.Rows * shape.Columns));
        var plan = new RoiPlan(shape, HostTarget.Current, row);
        using var scratch = new GuardedArray<byte>((int)plan.ScratchBytes);
        if (scattered) Sweep.Scattered(plan.Tasks, (from, to) => plan.Run(x.Pointer, regions.Pointer, entries.Pointer, y.Pointer, from, to, scratch.Pointer));
        else plan.Run(x.Pointer, regions.Pointer, entries.Pointer, y.Pointer, 0, plan.Tasks, scratch.Pointer);
        return y.Span.ToArray();
    }

    private static float[] Columns(SampleKernel row, ColumnsDescriptor shape, bool scattered)
    {
        long Product(Func<WindowAxis, long> of) => shape.Axes.Aggregate(shape.Batch * shape.Channels, (n, a) => n * of(a));
        using var x = new GuardedArray<float>(Sweep.Floats(new Random(3), Product(a => a.Taps * a.Windows), specials: true));
        using var y = new GuardedArray<float>((int)Product(a => a.Image));
        var plan = new ColumnsPlan(shape, HostTarget.Current, row);
        using var scratch = new GuardedArray<byte>((int)plan.ScratchBytes);
        if (scattered) Sweep.Scattered(plan.Tasks, (from, to) => plan.Run(x.Pointer, y.Pointer, from, to, scratch.Pointer));
        else plan.Run(x.Pointer, y.Pointer, 0, plan.Tasks, scratch.Pointer);
        return y.Span.ToArray();
    }

    private static float[] Deformed(SampleKernel row, DeformDescriptor shape, bool hasFactors, bool scattered)
    {
        var random = new Random(3);
        long Product(long first, Func<WindowAxis, long> of) => shape.Axes.Aggregate(shape.Batch * first, (n, a) => n * of(a));
        using var x = new GuardedArray<float>(Sweep.Floats(random, Product(shape.Channels, a => a.Image), specials: true));
        using var moves = new GuardedArray<float>(Sweep.Floats(random, Product(shape.Groups * shape.Axes.Count, a => a.Taps * a.Windows), specials: true, scale: 2));
        using var factors = new GuardedArray<float>(Sweep.Floats(random, Product(shape.Groups, a => a.Taps * a.Windows)));
        using var y = new GuardedArray<float>((int)Product(shape.Channels, a => a.Taps * a.Windows));
        var plan = new DeformPlan(shape, HostTarget.Current, row);
        using var scratch = new GuardedArray<byte>((int)plan.ScratchBytes);
        if (scattered) Sweep.Scattered(plan.Tasks, (from, to) => plan.Run(x.Pointer, moves.Pointer, hasFactors ? factors.Pointer : null, y.Pointer, from, to, scratch.Pointer));
        else plan.Run(x.Pointer, moves.Pointer, hasFactors ? factors.Pointer : null, y.Pointer, 0, plan.Tasks, scratch.Pointer);
        return y.Span.ToArray();
    }
}
