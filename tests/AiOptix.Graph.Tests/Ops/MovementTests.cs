using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

/// <summary>Operators that move elements, for every width of element.</summary>
public class MovementTests
{
    public static TheoryData<DType> Types => [.. Enum.GetValues<DType>().Where(t => t != DType.Undefined)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Transposing_twice_gives_the_input(DType type)
    {
        var x = Filled(type, 3, 5, 2);
        var once = Build.Run(new Transpose([2, 0, 1]), x);
        Assert.False(once.BitEquals(x.Reshape(once.Shape)));
        Assert.True(Build.Run(new Transpose([1, 2, 0]), once).BitEquals(x));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Splitting_and_joining_gives_the_input(DType type)
    {
        var x = Filled(type, 3, 7, 3);
        var parts = Build.Run(new Split(1), 3, x, Tensor.Vector<long>(2, 0, 5));
        Assert.True(Build.Run(new Concat(-2), [.. parts]).BitEquals(x));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Cropping_undoes_padding(DType type)
    {
        var x = Filled(type, 4, 5);
        foreach (var mode in Enum.GetValues<PadMode>())
        {
            var padded = Build.Run(new Pad(mode), x, Tensor.Vector<long>(2, 1, 0, 3));
            Assert.Equal(new Shape(6, 9), padded.Shape);
            Assert.True(Build.Run(new Pad(mode), padded, Tensor.Vector<long>(-2, -1, 0, -3)).BitEquals(x));
        }
    }

    [Theory]
    [InlineData(0, 10, 3)]
    [InlineData(0, 9, 3)]
    [InlineData(5, 5, 1)]
    [InlineData(5, 4, 1)]
    [InlineData(10, 0, -3)]
    [InlineData(9, 0, -3)]
    [InlineData(4, 5, -1)]
    [InlineData(long.MinValue, long.MaxValue, 1)]
    [InlineData(long.MinValue, long.MaxValue, long.MaxValue)]
    [InlineData(long.MaxValue, long.MinValue, long.MinValue)]
    [InlineData(long.MaxValue, long.MinValue, -1)]
    public void Integers_of_a_range_are_counted_as_by_128_bits(long start, long limit, long step) =>
        Assert.Equal(Int128.Max(0, step > 0 ? ((Int128)limit - start + step - 1) / step : ((Int128)start - limit - step - 1) / -(Int128)step), NumericRange.Count(start, limit, step));

    [Fact]
    public void Depth_to_space_undoes_space_to_depth()
    {
        var x = Build.Counting(2, 3, 4, 6);
        Assert.True(Build.Run(new DepthToSpace(2), Build.Run(new SpaceToDepth(2), x)).BitEquals(x));
    }

    [Fact]
    public void Empty_tensors_stay_empty()
    {
        Assert.Equal(new Shape(0, 3), Build.Run(new Transpose(), Build.Counting(3, 0)).Shape);
        Assert.Equal(new Shape(2, 0), Build.Run(new Tile(), Build.Counting(1, 0), Tensor.Vector<long>(2, 3)).Shape);
        Assert.Equal(new Shape(0, 4), Build.Run(new Expand(), Build.Counting(0, 1), Tensor.Vector<long>(1, 4)).Shape);
        Assert.Equal([0f, 0], Build.Run(new MatMul(), Build.Counting(2, 0), Build.Counting(0, 1)).Floats());
    }

    [Fact]
    public void Later_updates_win_and_sums_wrap()
    {
        var data = Tensor.Vector<byte>(1, 2, 3);
        var at = Tensor.From<long>([1, 1, -1], new Shape(3, 1));
        Assert.Equal([1, 9, 7], Build.Run(new ScatterND(), data, at, Tensor.Vector<byte>(8, 9, 7)).ToInt64());
        Assert.Equal([1, 1, 10], Build.Run(new ScatterND(ScatterReduction.Add), data, at, Tensor.Vector<byte>(250, 5, 7)).ToInt64());
    }

    [Fact]
    public void Equal_elements_keep_their_order()
    {
        var r = Build.Run(new TopK(), 2, Tensor.Vector(1f, 3, 3, 2, 3), Tensor.Vector(4L));
        Assert.Equal([3f, 3, 3, 2], r[0].Floats());
        Assert.Equal([1L, 2, 4, 3], r[1].ToInt64());
        Assert.Equal([4L], Build.Run(new ArgMax(0, SelectLast: true), Tensor.Vector(1f, 3, 3, 2, 3)).ToInt64());
    }

    private static Tensor Filled(DType type, params long[] dims)
    {
        var shape = new Shape(dims);
        if (type == DType.String) return Tensor.FromStrings([.. Enumerable.Range(0, (int)shape.Count).Select(i => $"s{i}")], shape);
        var t = Tensor.Allocate(type, shape, zeroed: true);
        for (long i = 0; i < t.Count; i++)
            if (type.IsPacked()) t.Bytes[(int)(i * type.Bits() / 8)] |= (byte)((i * 7 % 5 & ((1 << type.Bits()) - 1)) << (int)(i * type.Bits() % 8));
            else t.Bytes[(int)(i * type.Bits() / 8)] = (byte)(type == DType.Bool ? i * 7 % 3 & 1 : i + 1);
        return t;
    }
}
