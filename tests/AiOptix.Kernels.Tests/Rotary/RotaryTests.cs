using AiOptix.Kernels.Rotary;

namespace AiOptix.Kernels.Tests.Rotary;

public unsafe class RotaryTests
{
    public static TheoryData<string> Names => [.. RotaryTable.Rows.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void RowsGiveTheBitsOfTheLastRowWhateverTheSplit(string name)
    {
        var row = RotaryTable.Rows.Single(r => r.Name == name);
        var last = RotaryTable.Rows.Last(r => r.Interleaved == row.Interleaved);
        foreach (var shape in new RotaryShape[] { new(2, 3, 5, 22, 22, true), new(2, 3, 5, 11, 6, false), new(1, 1, 1, 2, 2, true), new(1, 2, 700, 64, 64, true), new(0, 1, 1, 4, 4, false) })
            foreach (var cuts in new[] { 1, 3 })
            {
                var (found, expected) = (Run(row, shape, cuts, positions: false), Run(last, shape, 1, positions: false));
                Assert.True(found.AsSpan().SequenceEqual(expected), $"{name} {shape} {cuts}");
                Assert.True(Run(row, shape, cuts, positions: true).AsSpan().SequenceEqual(Run(last, shape, 1, positions: true)), $"{name} {shape} {cuts} with positions");
            }
    }

    [Fact]
    public void PairsAreTurned()
    {
        float[] x = [1, 2, 3, 4, 9], cos = [0, 2], sin = [1, 3];
        Assert.Equal([-3f, 2 * 2 - 3 * 4, 1, 3 * 2 + 2 * 4, 9], One(false));
        Assert.Equal([-2f, 1, 2 * 3 - 3 * 4, 3 * 3 + 2 * 4, 9], One(true));

        float[] One(bool interleaved)
        {
            var y = new float[5];
            var plan = new RotaryPlan(new(1, 1, 1, 5, 4, true), RotaryTable.Rows.Last(r => r.Interleaved == interleaved));
            fixed (float* px = x, pc = cos, ps = sin, py = y) plan.Run(new RotaryCall { X = px, Cosines = pc, Sines = ps, Rows = 1, Y = py }, 0, plan.Tasks);
            return y;
        }
    }

    private static float[] Run(RotaryKernel row, RotaryShape shape, int cuts, bool positions)
    {
        var random = new Random(4);
        var (places, half) = (shape.Batch * shape.Length, shape.Turned / 2);
        using var x = new GuardedArray<float>(Sweep.Floats(random, places * shape.Heads * shape.Size, specials: true, scale: 3f));
        using var cosines = new GuardedArray<float>(Sweep.Floats(random, places * half, specials: false, scale: 1f));
        using var sines = new GuardedArray<float>(Sweep.Floats(random, places * half, specials: false, scale: 1f));
        using var at = new GuardedArray<long>([.. Enumerable.Range(0, places).Select(i => i == 1 ? -1L : places - 1 - i)]);
        using var y = new GuardedArray<float>(x.Length);
        y.Span.Clear();
        var plan = new RotaryPlan(shape, row);
        var call = new RotaryCall { X = x.Pointer, Cosines = cosines.Pointer, Sines = sines.Pointer, Positions = positions ? at.Pointer : null, Rows = places, Y = y.Pointer };
        for (var i = 0; i < cuts; i++) plan.Run(call, plan.Tasks * i / cuts, plan.Tasks * (i + 1) / cuts);
        return y.Span.ToArray();
    }
}
