using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

public unsafe class PackedWeightsTests
{
    private readonly List<PackedWeights> programs = [];
    private int packed;

    [Fact]
    public void TheSameFormOfTheSameConstantsIsPackedOnce()
    {
        Tensor a = PlanCheck.Random(1, 4), b = PlanCheck.Random(2, 4);
        var one = Get("form", a, b);
        Assert.Same(one, Get("form", a, b));
        Assert.Equal(1, packed);
        Assert.NotSame(one, Get("another form", a, b));
        Assert.NotSame(one, Get("form", a));
        Assert.NotSame(one, Get("form", b, a));
        Assert.Equal(4, packed);
        GC.KeepAlive(programs);
    }

    [Fact]
    public void AConstantThatIsNotNeededAnyMoreLosesItsElementsWithItsLastForm()
    {
        Tensor mine = PlanCheck.Random(1, 4), shared = PlanCheck.Random(2, 4);
        var store = new PackedWeights(new WeightSource { Expendable = new HashSet<Tensor> { mine } });
        store.Get("one", 16, _ => packed++, [mine, shared]);
        store.Get("two", 16, _ => packed++, [mine]);
        var preparations = store.Preparations().ToArray();
        preparations[0].Run();
        Assert.False(mine.IsAbsent);
        preparations[1].Run();
        Assert.Equal((2, true, false), (packed, mine.IsAbsent, shared.IsAbsent));
        Assert.Throws<AbsentElementsException>(() => mine.Bytes[0]);
    }

    private MemoryBlock Get(string form, params Tensor[] sources)
    {
        var store = new PackedWeights(null);
        programs.Add(store);
        var block = store.Get(form, 16, _ => packed++, sources);
        foreach (var p in store.Preparations()) p.Run();
        return block;
    }
}
