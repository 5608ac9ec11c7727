using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

public unsafe class PackedWeightsTests
{
    [Fact]
    public void TheSameFormOfTheSameConstantsIsPackedOnce()
    {
        Tensor a = PlanCheck.Random(1, 4), b = PlanCheck.Random(2, 4);
        var packed = 0;
        MemoryBlock Get(string form, params Tensor[] sources) => new PackedWeights().Get(form, 16, _ => packed++, sources);
        var one = Get("form", a, b);
        Assert.Same(one, Get("form", a, b));
        Assert.Equal(1, packed);
        Assert.NotSame(one, Get("another form", a, b));
        Assert.NotSame(one, Get("form", a));
        Assert.NotSame(one, Get("form", b, a));
        Assert.Equal(4, packed);
        GC.KeepAlive(one);
    }
}
